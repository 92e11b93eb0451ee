// Trainings that are interrupted and taken up again, and files that are no place to go on from.
#include <filesystem>

#include "engine/error.h"
#include "model/checkpoint_file.h"
#include "train/small_training.h"

namespace saferoute::train {
namespace {

using model::expect_error;
using test::SmallTraining;

class Resume : public testing::Test {
 protected:
  // Runs until epoch `epoch` is done, and is stopped there.
  void interrupt(SmallTraining training, int32_t epoch) {
    training.stop_after = epoch;
    training.plan.state_path = path_;
    expect_error(ErrorCode::kAborted, "after epoch " + std::to_string(epoch), [&] { training.run(2); });
  }

  std::string read() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  model::TemporaryFolder folder_;
  std::string path_ = folder_.path("training.state");
};

TEST_F(Resume, EveryEpochEqualsATrainingInOneGo) {
  for (const NetworkKind network : {NetworkKind::kOfficial, NetworkKind::kCard}) {
    SmallTraining whole;
    whole.plan.network = network;
    whole.plan.keep = Keep::kBestAuprc;
    whole.plan.schedule = ScheduleKind::kCosine;
    whole.plan.first_period = 2;
    const TrainedRouter expected = whole.run();
    for (int32_t epoch = 1; epoch <= whole.plan.epochs; ++epoch) {
      SmallTraining rest = whole;
      rest.reports.clear();
      interrupt(rest, epoch);
      rest.plan.state_path = path_;
      EXPECT_TRUE(test::equal(rest.run(), expected)) << "after epoch " << epoch;
      ASSERT_EQ(rest.reports.size(), static_cast<size_t>(whole.plan.epochs - epoch));
      for (size_t i = 0; i < rest.reports.size(); ++i) {
        EXPECT_EQ(rest.reports[i].resumed, i == 0);
        EXPECT_EQ(rest.reports[i].epoch, epoch + static_cast<int32_t>(i) + 1);
        EXPECT_EQ(rest.reports[i].loss, whole.reports[i + static_cast<size_t>(epoch)].loss);
      }
      std::filesystem::remove(path_);
    }
  }
}

TEST_F(Resume, AFinishedTrainingIsTakenUpAtItsEnd) {
  SmallTraining training;
  training.plan.state_path = path_;
  const TrainedRouter router = training.run();
  training.reports.clear();
  EXPECT_TRUE(test::equal(training.run(), router));
  EXPECT_TRUE(training.reports.empty());
}

TEST_F(Resume, ADamagedFileIsAnErrorAndStays) {
  const SmallTraining training;
  interrupt(training, 2);
  const std::string whole = read();
  std::vector<std::string> damaged{
      "",          "srtrain1", "another file altogether", whole.substr(0, whole.size() - 1), whole.substr(0, 4096),
      whole + '\0'};
  for (size_t place = 0; place < whole.size(); place += whole.size() / 7) {
    damaged.push_back(whole);
    damaged.back()[place] = static_cast<char>(damaged.back()[place] ^ 0x10);
  }
  for (const std::string& bytes : damaged) {
    folder_.write("training.state", bytes);
    SmallTraining again = training;
    again.plan.state_path = path_;
    expect_error(ErrorCode::kCheckpoint, path_, [&] { again.run(); });
    EXPECT_EQ(read(), bytes);
  }
}

TEST_F(Resume, TheStateOfAnotherTrainingIsRefused) {
  const SmallTraining training;
  interrupt(training, 2);
  const auto refused = [&](auto change) {
    SmallTraining other = training;
    other.plan.state_path = path_;
    change(other);
    expect_error(ErrorCode::kInvalidArgument, path_ + ": is the state of a training with another plan or other data",
                 [&] { other.run(); });
  };
  refused([](auto& t) { t.plan.seed = 9; });
  refused([](auto& t) { t.plan.epochs = 6; });
  refused([](auto& t) { t.plan.learning_rate = 2e-3; });
  refused([](auto& t) { t.plan.gradient_clip = 2; });
  refused([](auto& t) { t.plan.network = NetworkKind::kCard; });
  refused([](auto& t) { t.features[100] += 1; });
  refused([](auto& t) { t.targets[5] = 0.75f; });
  refused([](auto& t) { t.train_rows.pop_back(); });
  refused([](auto& t) { t.valid_rows.pop_back(); });
}

TEST_F(Resume, AFileThatCannotBeWrittenIsAnErrorThatNamesIt) {
  SmallTraining training;
  training.plan.state_path = folder_.path("no such folder/training.state");
  training.plan.epochs = 1;
  expect_error(ErrorCode::kBackend, "no such folder", [&] { training.run(); });
}

}  // namespace
}  // namespace saferoute::train
