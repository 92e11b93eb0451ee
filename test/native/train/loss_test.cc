#include "train/loss.h"

#include "train/goldens.h"

namespace saferoute::train {
namespace {

using test::expect_near;
using test::Goldens;

void check(const std::string& name, TrainingPlan plan) {
  const Goldens goldens("losses");
  for (const std::string targets_name : {"hard", "soft"}) {
    const std::string golden = targets_name + "." + name;
    const std::vector<double>& expected = goldens[golden + ".gradient"];
    std::vector<float> logits = goldens.floats("logits");
    std::vector<float> targets = goldens.floats(targets_name + ".targets");
    logits.resize(expected.size());
    targets.resize(expected.size());
    std::vector<float> gradient(logits.size());
    const double loss = loss_and_gradient(plan, logits, targets, gradient);
    EXPECT_NEAR(loss, goldens.one(golden + ".loss"), 1e-6 * goldens.one(golden + ".loss")) << golden;
    expect_near(gradient, expected, 1e-6, golden);
  }
}

TEST(Loss, BceIsPyTorchs) { check("bce", {.loss = LossKind::kBce}); }

TEST(Loss, FocalIsPyTorchs) {
  check("focal", {.loss = LossKind::kFocal, .focal_alpha = 0.75, .focal_gamma = 2});
  check("focal_sharp", {.loss = LossKind::kFocal, .focal_alpha = 0.25, .focal_gamma = 0.5});
}

TEST(Loss, FocalStaysFiniteWhereNothingIsMissed) {
  const std::vector<float> logits{800, -800, 800, -800};
  const std::vector<float> targets{1, 0, 0, 1};
  std::vector<float> gradient(4);
  const TrainingPlan plan{.loss = LossKind::kFocal, .focal_alpha = 0.75, .focal_gamma = 0.5};
  // The two that are wholly wrong: their cross-entropy, and its slope, weighted by alpha.
  EXPECT_NEAR(loss_and_gradient(plan, logits, targets, gradient), 800 * (0.25 + 0.75) / 4, 1e-9);
  EXPECT_EQ(gradient, (std::vector<float>{0, 0, 0.25f / 4, -0.75f / 4}));
}

}  // namespace
}  // namespace saferoute::train
