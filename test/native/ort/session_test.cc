// Sessions of operators made up here: what stops them, what fails in them, and what must not get out of them.
#include "ort/session.h"

#include <array>
#include <atomic>
#include <barrier>
#include <thread>

#include <gtest/gtest.h>

#include "ort/expect_error.h"
#include "ort/graph_builder.h"
#include "ort/tiny_guard.h"

namespace saferoute::ort {
namespace {

using test::expect_error;

// y = second(first(x)), each an operator given by the test.
class Chain {
 public:
  explicit Chain(std::function<void()> first, std::function<void()> second)
      : runtime_(Runtime::acquire(test::runtime_options())),
        ops_(runtime_->api(), "saferoute"),
        weights_(runtime_->api()) {
    add("First", std::move(first));
    add("Second", std::move(second));
    GraphBuilder graph(runtime_->api(), weights_, "saferoute");
    graph.input("x", ElementType::kFloat, {-1});
    graph.output("y", ElementType::kFloat, {-1});
    graph.op("First", "first", {"x"}, {"between"});
    graph.op("Second", "second", {"between"}, {"y"});
    session_.emplace(runtime_, ops_, graph.finish(), std::stop_token());
  }

  float run(float x, std::stop_token stop = {}) {
    float y = 0;
    const TensorRef inputs[] = {vector("x", &x, 1)};
    const TensorRef outputs[] = {vector("y", &y, 1)};
    session_->run(inputs, outputs, std::move(stop));
    return y;
  }

 private:
  void add(const char* name, std::function<void()> work) {
    ops_.add({name, {ElementType::kFloat}, {ElementType::kFloat}, [work = std::move(work)](const KernelCall& call) {
                const int64_t size = call.elements(0);
                const float* x = call.input<float>(0);
                auto* y = call.output<float>(0, {size});
                call.parallel_for()(static_cast<size_t>(size), [&](size_t i) {
                  work();
                  y[i] = x[i] + 1;
                });
              }});
  }

  std::shared_ptr<Runtime> runtime_;
  CustomOps ops_;
  WeightStore weights_;
  std::optional<Session> session_;
};

TEST(Session, RunsOperators) {
  Chain chain([] {}, [] {});
  EXPECT_EQ(chain.run(40), 42);
}

TEST(Session, StopsBetweenTwoOperatorsAndRunsAgain) {
  std::optional<std::stop_source> stop(std::in_place);
  int seconds = 0;
  Chain chain(
      [&] {
        if (stop) stop->request_stop();
      },
      [&] { ++seconds; });
  expect_error(ErrorCode::kAborted, {"stopped"}, [&] { chain.run(1, stop->get_token()); });
  EXPECT_EQ(seconds, 0);
  stop.reset();
  EXPECT_EQ(chain.run(1), 3);
  EXPECT_EQ(seconds, 1);
}

TEST(Session, TurnsWhatAnOperatorThrowsIntoAnErrorAndRunsAgain) {
  bool broken = true;
  Chain chain([] {},
              [&] {
                if (broken) throw std::runtime_error("the kernel is on fire");
              });
  expect_error(ErrorCode::kBackend, {"the kernel is on fire", "Second"}, [&] { chain.run(1); });
  broken = false;
  EXPECT_EQ(chain.run(1), 3);
}

TEST(Session, TurnsWhatIsNoExceptionIntoAnError) {
  Chain chain([] { throw 7; }, [] {});
  expect_error(ErrorCode::kBackend, {"First"}, [&] { chain.run(1); });
}

// Makes a session that knows an operator of `domain`, once all others of the round are ready too. Returns what went
// wrong, or nothing.
std::string make_session(const std::shared_ptr<Runtime>& runtime, const std::string& domain, std::barrier<>& ready) {
  CustomOps ops(runtime->api(), domain.c_str());
  ops.add({"Unused", {ElementType::kFloat}, {ElementType::kFloat}, [](const KernelCall&) {}});
  WeightStore weights(runtime->api());
  GraphBuilder graph(runtime->api(), weights, "saferoute");
  for (const char* name : {"a", "b"}) graph.input(name, ElementType::kFloat, {-1, -1});
  graph.output("product", ElementType::kFloat, {-1, -1});
  graph.matmul("multiply", "a", "b", "product");
  Handle<OrtModel> model = graph.finish();
  ready.arrive_and_wait();
  try {
    Session(runtime, ops, std::move(model), std::stop_token());
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

// A domain stays in ONNX Runtime's registry once a session had it, so every round brings a new one: all of its sessions
// find it missing and want to add it. Without the lock around the registry one round in some 150 fails.
TEST(Session, IsMadeBesideOthersWhoseOperatorsAreNewToTheProcess) {
  constexpr int kRounds = 800;
  const auto runtime = Runtime::acquire(test::runtime_options());
  for (int round = 0; round < kRounds; ++round) {
    const std::string domain = "saferoute.round" + std::to_string(round);
    std::array<std::string, 4> problems;
    std::barrier<> ready(problems.size());
    {
      std::vector<std::jthread> threads;
      for (std::string& problem : problems) {
        threads.emplace_back([&] { problem = make_session(runtime, domain, ready); });
      }
    }
    for (const std::string& problem : problems) ASSERT_EQ(problem, "") << "in round " << round;
  }
}

TEST(Session, SaysWhatIsWrongWithAGraph) {
  const auto runtime = Runtime::acquire(test::runtime_options());
  const CustomOps ops(runtime->api(), "saferoute");
  WeightStore weights(runtime->api());
  GraphBuilder graph(runtime->api(), weights, "saferoute");
  graph.input("x", ElementType::kFloat, {-1});
  graph.output("y", ElementType::kFloat, {-1});
  graph.op("Unheard", "unheard", {"x"}, {"y"});
  expect_error(ErrorCode::kBackend, {"Unheard"}, [&] { Session(runtime, ops, graph.finish(), std::stop_token()); });
}

}  // namespace
}  // namespace saferoute::ort
