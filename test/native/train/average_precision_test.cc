#include "train/average_precision.h"

#include "train/goldens.h"

namespace saferoute::train {
namespace {

TEST(AveragePrecision, IsScikitLearns) {
  const test::Goldens goldens("average_precision");
  for (const std::string name : {"distinct", "tied", "constant"}) {
    const std::vector<float> scores = goldens.floats(name + ".scores");
    const std::vector<double>& flags = goldens[name + ".hard"];
    const std::vector<uint8_t> hard(flags.begin(), flags.end());
    EXPECT_NEAR(average_precision(hard, scores), goldens.one(name + ".value"), 1e-9) << name;
  }
}

}  // namespace
}  // namespace saferoute::train
