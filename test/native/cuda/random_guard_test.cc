// FP8 on random weights in the shape of Llama-Guard-3-1B, whose errors no training has made harmless, against the same
// guard in bf16: what sixteen layers make of the feature.
#include <cmath>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

#include "cuda/backend.h"
#include "cuda/device_test.h"
#include "cuda/guard_shapes.h"
#include "cuda/made_up_guard.h"
#include "ort/batches.h"

namespace saferoute::cuda {
namespace {

constexpr double kLeastCosine = 0.94;
constexpr int32_t kPrompts = 24, kLeastTokens = 40, kMostTokens = 300;

// 3 GB of weights: in the folder that SAFEROUTE_GPU_CHECKPOINTS names, where they stay, or in one that goes with it.
class CheckpointFolder {
 public:
  CheckpointFolder() {
    if (const char* named = std::getenv("SAFEROUTE_GPU_CHECKPOINTS"); named != nullptr && *named != '\0') {
      path_ = named;
    } else {
      path_ = std::filesystem::temp_directory_path() / ("saferoute-random-guard-" + std::to_string(getpid()));
      is_ours_ = true;
    }
    std::filesystem::create_directories(path_);
  }
  ~CheckpointFolder() {
    std::error_code ignored;
    if (is_ours_) std::filesystem::remove_all(path_, ignored);
  }
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
  bool is_ours_ = false;
};

std::vector<std::vector<int32_t>> random_prompts(int32_t vocab_size) {
  std::mt19937 random(3);
  std::vector<std::vector<int32_t>> prompts(kPrompts);
  for (int32_t row = 0; row < kPrompts; ++row) {
    const int32_t tokens = kLeastTokens + row * (kMostTokens - kLeastTokens) / (kPrompts - 1);
    for (int32_t i = 0; i < tokens; ++i) {
      prompts[static_cast<size_t>(row)].push_back(static_cast<int32_t>(random() % static_cast<uint32_t>(vocab_size)));
    }
  }
  return prompts;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, a_squares = 0, b_squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    a_squares += static_cast<double>(a[i]) * a[i];
    b_squares += static_cast<double>(b[i]) * b[i];
  }
  return product / std::sqrt(a_squares * b_squares);
}

class RandomGuard : public DeviceTest {};

TEST_F(RandomGuard, KeepsItsFeaturesInFp8) {
  if (compute_capability() < 89) GTEST_SKIP() << "FP8 needs compute capability 8.9";
  const CheckpointFolder folder;
  const model::ModelSpec spec = llama_guard_3_1b();
  PairSource source;
  source.small = test::made_up_guard(folder.path(), "llama-guard-3-1b", spec, true);
  source.gpu_limit.bytes = 8ull << 30;
  source.batch_tokens = 8192;
  const engine::Batch batch = test::batch_of(random_prompts(spec.vocab_size));
  std::vector<engine::BatchReading> readings;
  for (const Precision precision : {Precision::kBf16, Precision::kFp8}) {
    source.small.precision = precision;
    readings.push_back(Pair(source).make_guard(GuardRole::kSmall, {})->forward(batch, {}));
  }
  const auto hidden = static_cast<size_t>(spec.hidden_size);
  for (size_t row = 0; row < kPrompts; ++row) {
    const auto feature = [&](size_t reading) {
      return std::span(readings[reading].features).subspan(row * hidden, hidden);
    };
    EXPECT_GE(cosine(feature(0), feature(1)), kLeastCosine) << "prompt " << row;
  }
}

}  // namespace
}  // namespace saferoute::cuda
