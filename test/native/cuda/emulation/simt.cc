#include "cuda/emulation/simt.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ucontext.h>

namespace saferoute::cuda::simt {
namespace {

constexpr size_t kStackBytes = 256 << 10;
constexpr unsigned kWarp = 32;

struct Meeting {
  std::vector<void*> deposits;
  size_t arrived = 0;
  uint64_t round = 0;
  const char* what = nullptr;
};

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
};

struct Fiber {
  ucontext_t context;
  const Meeting* waits_for = nullptr;
  uint64_t waits_in = 0;  // the meeting's round
  bool done = false;
  std::vector<std::vector<Copy>> copies = {{}};  // groups; the last is not committed yet

  bool can_run() const { return !done && (!waits_for || waits_for->round != waits_in); }
};

// One block of threads.
struct Block {
  Block(unsigned threads, const std::function<void()>& body) : kernel(body), fibers(threads), warps(threads / kWarp) {
    for (Meeting& warp : warps) warp.deposits.resize(kWarp);
    all.deposits.resize(threads);
  }

  const std::function<void()>& kernel;
  std::vector<Fiber> fibers;
  std::vector<Meeting> warps;
  Meeting all;
  ucontext_t scheduler;
  unsigned running = 0;
  std::string failure;
};

Block* block = nullptr;  // the one that runs

Fiber& running_fiber() { return block->fibers[block->running]; }

bool is_multiple(const void* address, size_t bytes) { return reinterpret_cast<uintptr_t>(address) % bytes == 0; }

void give_way() { swapcontext(&running_fiber().context, &block->scheduler); }

void run_fiber() {
  block->kernel();
  running_fiber().done = true;
}

bool run_warp(unsigned warp) {
  bool progress = false;
  for (unsigned thread = warp * kWarp; thread < (warp + 1) * kWarp; ++thread) {
    Fiber& fiber = block->fibers[thread];
    if (!fiber.can_run()) continue;
    fiber.waits_for = nullptr;
    block->running = thread;
    threadIdx = {thread, 0, 0};
    swapcontext(&block->scheduler, &fiber.context);
    progress = true;
    if (!block->failure.empty()) throw std::logic_error(block->failure);
  }
  return progress;
}

void run_block(unsigned threads, std::byte* stacks, Order order, const std::function<void()>& kernel) {
  Block mine(threads, kernel);
  block = &mine;
  for (unsigned thread = 0; thread < threads; ++thread) {
    Fiber& fiber = mine.fibers[thread];
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = stacks + thread * kStackBytes;
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = &mine.scheduler;
    makecontext(&fiber.context, run_fiber, 0);
  }
  const auto warps = static_cast<unsigned>(mine.warps.size());
  for (bool progress = true; progress;) {
    progress = false;
    for (unsigned i = 0; i < warps && !progress; ++i) {
      const unsigned warp = order == Order::kFirstWarpFirst ? i : warps - 1 - i;
      while (run_warp(warp)) progress = true;
    }
  }
  for (unsigned thread = 0; thread < threads; ++thread) {
    if (mine.fibers[thread].done) continue;
    throw std::logic_error("thread " + std::to_string(thread) + " waits for ever for others at " +
                           (mine.all.arrived ? mine.all.what : mine.warps[thread / kWarp].what));
  }
}

void meet(Meeting& meeting, size_t member, const char* what, void* deposit,
          const std::function<void(Deposits)>& conclude) {
  if (meeting.arrived > 0 && std::strcmp(meeting.what, what) != 0) {
    fail(std::string("threads meet at ") + meeting.what + " and at " + what);
  }
  meeting.what = what;
  meeting.deposits[member] = deposit;
  if (++meeting.arrived < meeting.deposits.size()) {
    Fiber& fiber = running_fiber();
    fiber.waits_for = &meeting;
    fiber.waits_in = meeting.round;
    give_way();
    return;
  }
  conclude(meeting.deposits);
  meeting.arrived = 0;
  ++meeting.round;
}

}  // namespace

void run_grid(dim3 grid, unsigned threads, Order order, const std::function<void()>& kernel) {
  gridDim = grid;
  blockDim = {threads, 1, 1};
  const auto stacks = std::make_unique_for_overwrite<std::byte[]>(threads * kStackBytes);
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = {x, y, z};
        run_block(threads, stacks.get(), order, kernel);
      }
    }
  }
}

void meet_warp(const char* what, void* deposit, const std::function<void(Deposits)>& conclude) {
  meet(block->warps[block->running / kWarp], block->running % kWarp, what, deposit, conclude);
}

void meet_block(const char* what, void* deposit, const std::function<void(Deposits)>& conclude) {
  meet(block->all, block->running, what, deposit, conclude);
}

void fail(std::string what) {
  block->failure = std::move(what);
  give_way();
}

void start_copy(void* to, const void* from, size_t bytes) {
  if (!is_multiple(to, bytes) || !is_multiple(from, bytes)) {
    fail("a copy of " + std::to_string(bytes) + " bytes that is not at a multiple of them");
  }
  running_fiber().copies.back().push_back({to, from, bytes});
}

void commit_copies() { running_fiber().copies.emplace_back(); }

void wait_for_copies(size_t pending) {
  auto& groups = running_fiber().copies;
  const size_t committed = groups.size() - 1;
  for (size_t group = 0; group + pending < committed; ++group) {
    for (const auto& [to, from, bytes] : groups[group]) {
      if (from) {
        std::memcpy(to, from, bytes);
      } else {
        std::memset(to, 0, bytes);
      }
    }
    groups[group].clear();
  }
}

}  // namespace saferoute::cuda::simt

int __syncthreads_count(bool predicate) {
  struct Vote {
    bool predicate;
    int count;
  } mine{predicate, 0};
  saferoute::cuda::simt::meet_block("__syncthreads_count", &mine, [](saferoute::cuda::simt::Deposits threads) {
    int count = 0;
    for (void* const thread : threads) count += static_cast<Vote*>(thread)->predicate;
    for (void* const thread : threads) static_cast<Vote*>(thread)->count = count;
  });
  return mine.count;
}

float __fadd_rn(float a, float b) { return a + b; }
float __fsub_rn(float a, float b) { return a - b; }
float __fmul_rn(float a, float b) { return a * b; }
float __fdiv_rn(float a, float b) { return a / b; }
float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
