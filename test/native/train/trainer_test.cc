// Whole trainings: against PyTorch's, against themselves on other threads, and what is refused.
#include "train/trainer.h"

#include <cmath>
#include <limits>

#include "engine/error.h"
#include "ort/expect_error.h"
#include "train/goldens.h"
#include "train/small_training.h"

namespace saferoute::train {
namespace {

using saferoute::test::expect_error;
using test::expect_near;
using test::Goldens;
using test::SmallTraining;

// A bias before a batch norm changes nothing but the mean that is taken off again. Its gradient is 0, of which floats
// leave noise that AdamW makes into steps of some size.
bool drifts(const std::string& tensor) {
  return tensor == "cls.0.bias" || tensor == "cls.4.bias" || tensor == "cls.8.bias" || tensor.ends_with("running_mean");
}

// Holds a training against PyTorch's: each epoch's loss, rate and judgement, and the router that is kept.
void check(const std::string& name, const TrainingPlan& plan, double tolerance) {
  const Goldens goldens("trainings");
  SmallTraining training;
  training.plan = plan;
  training.plan.seed = 0x123456789abcdef0;
  training.plan.epochs = 24;
  const TrainedRouter router = training.run(3);
  std::vector<double> losses, rates, auprcs;
  for (const EpochReport& report : training.reports) {
    EXPECT_EQ(report.epoch, static_cast<int32_t>(losses.size()) + 1);
    EXPECT_FALSE(report.resumed);
    losses.push_back(report.loss);
    rates.push_back(report.learning_rate);
    auprcs.push_back(report.valid_auprc.value());
  }
  expect_near(losses, goldens[name + ".losses"], tolerance, "loss");
  expect_near(rates, goldens[name + ".rates"], 1e-9, "rate");
  expect_near(auprcs, goldens[name + ".auprcs"], 1e-9, "average precision");
  EXPECT_EQ(router.epochs, static_cast<int32_t>(losses.size()));
  EXPECT_EQ(router.kept_epoch, static_cast<int32_t>(goldens.one(name + ".kept_epoch")));
  EXPECT_DOUBLE_EQ(router.valid_auprc.value(), auprcs[static_cast<size_t>(router.kept_epoch) - 1]);
  for (const NamedTensor& tensor : router.tensors) {
    double squares = 0;
    std::vector<float> sample;
    const size_t stride = std::max<size_t>(1, tensor.values.size() / 20);
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      squares += static_cast<double>(tensor.values[i]) * tensor.values[i];
      if (i % stride == 0) sample.push_back(tensor.values[i]);
    }
    const std::vector<double>& expected = goldens[name + ".sample." + tensor.name];
    if (plan.network == NetworkKind::kCard && drifts(tensor.name)) {
      ASSERT_EQ(sample.size(), expected.size());
      for (size_t i = 0; i < sample.size(); ++i) EXPECT_NEAR(sample[i], expected[i], 2e-4) << tensor.name;
      continue;
    }
    const double norm = goldens.one(name + ".norm." + tensor.name);
    EXPECT_NEAR(std::sqrt(squares), norm, tolerance * norm) << tensor.name;
    expect_near(sample, expected, tolerance, tensor.name);
  }
}

TEST(Trainer, OfficialTrainingIsPyTorchsStepByStep) {
  check("official", {.batch_rows = 48, .learning_rate = 1e-3, .warmup_steps = 5}, 1e-4);
}

TEST(Trainer, OfficialTrainingInShuffledBatchesIsPyTorchs) {
  check("official_batches", {.balanced = false, .batch_rows = 20, .learning_rate = 1e-3, .warmup_steps = 5}, 1e-4);
}

TEST(Trainer, CardTrainingIsPyTorchs) {
  check("card",
        {.network = NetworkKind::kCard,
         .loss = LossKind::kFocal,
         .batch_rows = 20,
         .learning_rate = 5e-4,
         .gradient_clip = 1,
         .schedule = ScheduleKind::kCosine,
         .first_period = 3,
         .keep = Keep::kBestAuprc,
         .patience = 6},
        1e-4);
}

TEST(Trainer, NamesTensorsAsTheReferenceDoes) {
  SmallTraining training;
  training.plan.epochs = 1;
  std::vector<std::string> names;
  for (const NamedTensor& tensor : training.run().tensors) names.push_back(tensor.name);
  EXPECT_EQ(names, (std::vector<std::string>{"cls.0.weight_mu", "cls.0.weight_log_sigma", "cls.0.bias_mu",
                                             "cls.0.bias_log_sigma", "cls.1.weight", "cls.1.bias", "cls.3.weight_mu",
                                             "cls.3.weight_log_sigma", "cls.3.bias_mu", "cls.3.bias_log_sigma",
                                             "cls.4.weight", "cls.4.bias", "cls.6.weight_mu", "cls.6.weight_log_sigma",
                                             "cls.6.bias_mu", "cls.6.bias_log_sigma"}));
}

TEST(Trainer, RepeatsExactlyWhateverTheNumberOfThreads) {
  for (const NetworkKind network : {NetworkKind::kOfficial, NetworkKind::kCard}) {
    SmallTraining training;
    training.plan.network = network;
    training.plan.gradient_clip = 0.5;
    const TrainedRouter alone = training.run(1);
    EXPECT_TRUE(test::equal(training.run(1), alone));
    EXPECT_TRUE(test::equal(training.run(2), alone));
    EXPECT_TRUE(test::equal(training.run(5), alone));
    training.plan.seed = 1;
    EXPECT_FALSE(test::equal(training.run(1), alone));
  }
}

TEST(Trainer, LeavesOutALastBatchOfOneRowWhereBatchesAreNormalised) {
  SmallTraining training;
  training.plan.network = NetworkKind::kCard;
  training.plan.batch_rows = 47;  // of 48
  training.plan.epochs = 2;
  training.run();
  EXPECT_EQ(training.reports.back().steps, 2);
  training.plan.network = NetworkKind::kOfficial;
  training.reports.clear();
  training.run();
  EXPECT_EQ(training.reports.back().steps, 4);
}

TEST(Trainer, JudgesNothingWithoutValidationRowsOfBothClasses) {
  SmallTraining training;
  training.plan.epochs = 2;
  training.valid_rows = {};
  EXPECT_EQ(training.run().valid_auprc, std::nullopt);
  EXPECT_EQ(training.reports.back().valid_auprc, std::nullopt);
}

TEST(Trainer, RefusesWhatCannotBeTrainedOn) {
  const auto refused = [](std::initializer_list<std::string> named, auto change) {
    SmallTraining training;
    change(training);
    expect_error(ErrorCode::kInvalidArgument, named, [&] { training.run(); });
  };
  refused({"one class", "training set", "48"}, [](auto& t) { t.targets.assign(t.targets.size(), 0.5f); });
  refused({"one class", "validation set"}, [](auto& t) {
    t.plan.keep = Keep::kBestAuprc;
    t.valid_rows = {};
  });
  refused({"no rows"}, [](auto& t) { t.train_rows = {}; });
  refused({"row 72 of 72", "training set"}, [](auto& t) { t.train_rows.push_back(72); });
  refused({"row -1 of 72", "validation set"}, [](auto& t) { t.valid_rows.push_back(-1); });
  refused({"target of row 3", "1.5"}, [](auto& t) { t.targets[3] = 1.5f; });
  refused({"target of row 3", "nan"}, [](auto& t) { t.targets[3] = std::nanf(""); });
  refused({"860", "72 rows of 12"}, [](auto& t) { t.features.resize(860); });
  refused({"batches of 1 row"}, [](auto& t) {
    t.plan.network = NetworkKind::kCard;
    t.plan.batch_rows = 1;
  });
  refused({"epochs is 0"}, [](auto& t) { t.plan.epochs = 0; });
  refused({"learning rate is nan"}, [](auto& t) { t.plan.learning_rate = std::nan(""); });
  refused({"focal alpha is 1.1", "at most 1.0"}, [](auto& t) { t.plan.focal_alpha = 1.1; });
  refused({"gradient clip is 0.0"}, [](auto& t) { t.plan.gradient_clip = 0; });
}

TEST(Trainer, NamesTheRowOfAFeatureThatIsNotFinite) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    SmallTraining training;
    training.features[60 * 12 + 5] = bad;
    training.features[70 * 12 + 1] = bad;
    expect_error(ErrorCode::kNotFinite, {"row 60 "}, [&] { training.run(3); });
    training.valid_rows = {};  // rows that nobody uses may hold what they like
    training.plan.epochs = 1;
    training.run();
  }
}

TEST(Trainer, NamesTheEpochWhereTheLossIsLost) {
  SmallTraining training;
  training.plan.warmup_steps = 0;
  training.plan.learning_rate = 1e30;
  expect_error(ErrorCode::kNotFinite, {"loss", "epoch 1, step 2"}, [&] { training.run(); });
}

}  // namespace
}  // namespace saferoute::train
