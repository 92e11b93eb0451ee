#include "train/adamw.h"

#include "train/goldens.h"
#include "train/plain_gemm.h"
#include "train/schedule.h"
#include "train/worker_threads.h"

namespace saferoute::train {
namespace {

using test::expect_near;
using test::Goldens;

// All steps of a golden run, on every instruction set.
void check(const std::string& name, std::optional<double> clip, double weight_decay) {
  constexpr int64_t kSteps = 30;
  const Goldens goldens("adamw");
  const TrainingPlan plan{.learning_rate = 3e-3, .schedule = ScheduleKind::kLinear, .warmup_steps = 4};
  test::PlainGemm gemm;
  for (const cpu::Kernels* kernels : cpu::supported_kernels()) {
    const Pass pass{.gemm = gemm, .parallel_for = cpu::serial(), .kernels = *kernels};
    Parameter first("first", {19}, goldens.floats(name + ".0.initial"));
    Parameter second("second", {6}, goldens.floats(name + ".1.initial"));
    const std::vector<Parameter*> parameters{&first, &second};
    for (int64_t step = 0; step < kSteps; ++step) {
      const std::string number = std::to_string(step);
      first.gradient = goldens.floats(name + ".0.gradient." + number);
      second.gradient = goldens.floats(name + ".1.gradient." + number);
      adamw_step(parameters, step + 1, {learning_rate(plan, step, kSteps, 0), weight_decay, clip}, pass);
      const std::string what = std::string(kernels->name) + " " + name + " after step " + number;
      expect_near(first.tensor.values, goldens[name + ".0.value." + number], 1e-6, what);
      expect_near(second.tensor.values, goldens[name + ".1.value." + number], 1e-6, what);
    }
  }
}

TEST(AdamW, TakesPyTorchsSteps) { check("plain", std::nullopt, 0.01); }

TEST(AdamW, TakesPyTorchsStepsAfterItsClip) { check("clipped", 1.0, 0.1); }

TEST(AdamW, ClipsByTheNormOfAllGradientsWhateverTheThreads) {
  test::PlainGemm gemm;
  std::vector<std::vector<float>> seen;
  for (const int32_t threads : {1, 2, 5}) {
    WorkerThreads workers(threads);
    const Pass pass{.gemm = gemm, .parallel_for = workers.parallel_for(), .kernels = cpu::best_kernels()};
    Parameter large("large", {100000}, std::vector<float>(100000, 1.0f));
    for (size_t i = 0; i < large.gradient.size(); ++i) large.gradient[i] = 1e-3f * static_cast<float>(i % 977);
    const std::vector<Parameter*> parameters{&large};
    adamw_step(parameters, 1, {.learning_rate = 0.1, .weight_decay = 0, .gradient_clip = 1e-6}, pass);
    seen.push_back(large.tensor.values);
  }
  EXPECT_EQ(seen[1], seen[0]);
  EXPECT_EQ(seen[2], seen[0]);
}

}  // namespace
}  // namespace saferoute::train
