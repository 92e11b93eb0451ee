// What the process shares between guards: one environment, a few polite threads, memory promised once; and no
// telemetry.
#include "ort/runtime.h"

#include <barrier>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ort/expect_error.h"
#include "ort/thread_pool.h"
#include "ort/tiny_guard.h"

namespace saferoute::ort {
namespace {

using test::expect_error;
using test::runtime_options;

constexpr uint64_t kMiB = 1 << 20;

size_t threads_of_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST(Runtime, TellsItsVersion) { EXPECT_EQ(runtime_version(runtime_options().library_path).substr(0, 2), "1."); }

TEST(Runtime, IsOneForAllAndEndsWithTheLast) {
  auto first = Runtime::acquire(runtime_options());
  const auto second = Runtime::acquire(runtime_options());
  EXPECT_EQ(first, second);
  const std::weak_ptr<Runtime> watch = first;
  first.reset();
  EXPECT_FALSE(watch.expired());
}

// Runs `check` in a process of its own, in which no runtime stood before; it must return true.
template <typename Check>
void expect_in_fresh_process(Check check) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(_exit(check() ? 0 : 1), testing::ExitedWithCode(0), "");
}

// The caller computes too, so a pool of three starts two threads, and nothing else may start any.
TEST(RuntimeDeathTest, StartsTheThreadsOfItsPoolAndNoOthers) {
  expect_in_fresh_process([] {
    RuntimeOptions options = runtime_options();
    options.threads = 3;
    const size_t before = threads_of_process();
    const auto runtime = Runtime::acquire(options);
    return threads_of_process() == before + 2;
  });
}

TEST(RuntimeDeathTest, BeginsAgainWhileTheLastOneEnds) {
  expect_in_fresh_process([] {
    RuntimeOptions options = runtime_options();
    options.threads = 16;  // which take their time to end
    for (int round = 0; round < 100; ++round) {
      auto last = Runtime::acquire(options);
      std::barrier at_once(2);
      const std::jthread next([&] {
        at_once.arrive_and_wait();
        Runtime::acquire(options);
      });
      at_once.arrive_and_wait();
      last.reset();
    }
    return true;
  });
}

TEST(RuntimeDeathTest, LeavesNothingBelowHome) {
  expect_in_fresh_process([] {
    char folder[] = "/tmp/saferoute-home-XXXXXX";
    setenv("HOME", mkdtemp(folder), 1);
    for (const char* name : {"CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_DATA_HOME"}) unsetenv(name);
    Runtime::acquire(runtime_options());
    const bool empty = std::filesystem::is_empty(folder);
    std::filesystem::remove_all(folder);
    return empty;
  });
}

TEST(ThreadPool, ThreadsYieldToTheMainThread) {
  const int main_nice = getpriority(PRIO_PROCESS, static_cast<id_t>(getpid()));
  int once = 0;
  int twice = 0;
  std::jthread([&] {
    yield_to_main_thread();
    once = getpriority(PRIO_PROCESS, 0);
    yield_to_main_thread();
    twice = getpriority(PRIO_PROCESS, 0);
  }).join();
  EXPECT_EQ(once, std::min(main_nice + 5, 19));
  EXPECT_EQ(twice, once);
  yield_to_main_thread();
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), main_nice);
}

TEST(ThreadPool, CountsCoresOfAQuota) {
  EXPECT_EQ(cores_of_quota("max 100000"), 0);
  EXPECT_EQ(cores_of_quota("200000 100000"), 2);
  EXPECT_EQ(cores_of_quota("150000 100000"), 2);
  EXPECT_EQ(cores_of_quota("50000 100000"), 1);
  EXPECT_EQ(cores_of_quota(""), 0);
  EXPECT_EQ(cores_of_quota("100000"), 0);
  EXPECT_EQ(cores_of_quota("100000 0"), 0);
  EXPECT_GE(usable_cores(), 1);
}

TEST(MemoryBudget, PromisesNothingTwice) {
  MemoryBudget budget;
  {
    const auto first = budget.reserve("a guard", 60 * kMiB, 0, 100 * kMiB);
    expect_error(ErrorCode::kMemory, {"another", "50.0 MiB", "40.0 MiB", "60.0 MiB"},
                 [&] { const auto kept = budget.reserve("another", 50 * kMiB, 0, 100 * kMiB); });
    const auto second = budget.reserve("a small one", 40 * kMiB, 0, 100 * kMiB);
  }
  EXPECT_NO_THROW(const auto kept = budget.reserve("a guard", 100 * kMiB, 0, 100 * kMiB));
}

TEST(MemoryBudget, HoldsAGuardAgainstItsOwnLimit) {
  MemoryBudget budget;
  expect_error(ErrorCode::kMemory, {"2.0 GiB", "1.0 GiB", "limit"},
               [&] { const auto kept = budget.reserve("a guard", 2048 * kMiB, 1024 * kMiB, 4096 * kMiB); });
  EXPECT_NO_THROW(const auto kept = budget.reserve("a guard", 1024 * kMiB, 1024 * kMiB, 0));
}

}  // namespace
}  // namespace saferoute::ort
