// Whole guards on the device against what transformers says of the same prompts in f32, and against themselves: however
// a prompt is batched, cut or replayed, its reading is the same.
#include "cuda/backend.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/device_test.h"
#include "cuda/golden_checkpoint.h"
#include "engine/error.h"
#include "ort/batches.h"

namespace saferoute::cuda {
namespace {

using test::batch_of;
using test::golden_checkpoint;
using test::GoldenCheckpoint;
using test::pages_from;
using test::part_of;

PairSource alone(const GoldenCheckpoint& checkpoint) {
  PairSource pair;
  pair.small = checkpoint.source;
  pair.gpu_limit.bytes = 1ull << 30;
  pair.batch_tokens = 2304;  // all prompts of a checkpoint
  pair.batch_rows = 32;
  return pair;
}

std::unique_ptr<engine::Backend> load(const PairSource& source, GuardRole role = GuardRole::kSmall) {
  return Pair(source).make_guard(role, {});
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

// Row `row` of (rows, width).
std::span<const float> row_of(const std::vector<float>& values, size_t row, size_t width) {
  return std::span(values).subspan(row * width, width);
}

bool is_unsafe(std::span<const float> logits) {
  double unsafe = 0;
  for (const float logit : logits.subspan(1)) unsafe += std::exp(static_cast<double>(logit) - logits[0]);
  return unsafe > 1;
}

void expect_same(const engine::BatchReading& a, size_t a_row, const engine::BatchReading& b, size_t b_row,
                 const engine::GuardInfo& info) {
  const auto hidden = static_cast<size_t>(info.hidden_size);
  EXPECT_GE(cosine(row_of(a.features, a_row, hidden), row_of(b.features, b_row, hidden)), 0.9995);
  EXPECT_NEAR(a.hardness[a_row], b.hardness[b_row], 0.01);
}

class GoldenBackendTest : public DeviceTest, public testing::WithParamInterface<std::tuple<const char*, Precision>> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (std::get<1>(GetParam()) == Precision::kFp8 && compute_capability() < 89) {
      GTEST_SKIP() << "FP8 needs compute capability 8.9";
    }
  }

  static PairSource source() {
    PairSource pair = alone(golden_checkpoint(std::get<0>(GetParam())));
    pair.small.precision = std::get<1>(GetParam());
    return pair;
  }
};

TEST_P(GoldenBackendTest, SaysWhatTransformersSays) {
  const GoldenCheckpoint golden = golden_checkpoint(std::get<0>(GetParam()));
  const bool fp8 = std::get<1>(GetParam()) == Precision::kFp8;
  const std::unique_ptr<engine::Backend> backend = load(source());
  const engine::BatchReading reading = backend->forward(batch_of(golden.prompts), {});
  const auto hidden = static_cast<size_t>(backend->info().hidden_size);
  const size_t verdict_tokens = backend->info().verdict_unsafe.size();
  for (size_t row = 0; row < golden.prompts.size(); ++row) {
    const std::string what = "prompt " + std::to_string(row) + " of " + std::to_string(golden.prompts[row].size());
    EXPECT_GE(cosine(row_of(reading.features, row, hidden), row_of(golden.features, row, hidden)), fp8 ? 0.97 : 0.999)
        << what;
    EXPECT_NEAR(reading.hardness[row], golden.hardness[row], fp8 ? 0.15 : 0.03) << what;
    if (fp8) continue;
    EXPECT_EQ(is_unsafe(row_of(reading.logits, row, verdict_tokens)),
              is_unsafe(row_of(golden.logits, row, verdict_tokens)))
        << what;
  }
}

TEST_P(GoldenBackendTest, ReadsARowAloneAsInABatch) {
  const GoldenCheckpoint golden = golden_checkpoint(std::get<0>(GetParam()));
  const std::unique_ptr<engine::Backend> backend = load(source());
  const engine::BatchReading together = backend->forward(batch_of(golden.prompts), {});
  for (size_t row = 0; row < golden.prompts.size(); ++row) {
    expect_same(backend->forward(batch_of({golden.prompts[row]}), {}), 0, together, row, backend->info());
  }
}

TEST_P(GoldenBackendTest, ReadsAPromptInTwoPassesAsInOne) {
  const GoldenCheckpoint golden = golden_checkpoint(std::get<0>(GetParam()));
  const std::unique_ptr<engine::Backend> backend = load(source());
  const auto longest = std::ranges::max_element(golden.prompts, {}, &std::vector<int32_t>::size);
  const size_t tokens = longest->size();
  ASSERT_GT(tokens, 40u);
  const std::vector<engine::PageId> pages = pages_from(3, (tokens + 15) / 16);
  const engine::BatchReading whole = backend->forward(part_of(*longest, 0, tokens, pages), {});
  for (const size_t cut : {size_t{1}, size_t{16}, size_t{37}, tokens - 1}) {
    backend->forward(part_of(*longest, 0, cut, pages), {});
    expect_same(backend->forward(part_of(*longest, cut, tokens, pages), {}), 0, whole, 0, backend->info());
  }
}

// The first pass of a shape is launched kernel by kernel, those after it are replayed; what one leaves in the buffers
// must not reach the next.
TEST_P(GoldenBackendTest, ReplaysAsItLaunches) {
  const GoldenCheckpoint golden = golden_checkpoint(std::get<0>(GetParam()));
  const std::unique_ptr<engine::Backend> backend = load(source());
  const std::vector<std::vector<int32_t>> some(golden.prompts.begin(), golden.prompts.begin() + 3);
  const engine::BatchReading launched = backend->forward(batch_of(some), {});
  backend->forward(batch_of({golden.prompts.back()}), {});
  const engine::BatchReading replayed = backend->forward(batch_of(some), {});
  for (size_t row = 0; row < some.size(); ++row) expect_same(replayed, row, launched, row, backend->info());
}

TEST_P(GoldenBackendTest, RoutesAFeatureAsThePassDid) {
  const GoldenCheckpoint golden = golden_checkpoint(std::get<0>(GetParam()));
  const std::unique_ptr<engine::Backend> backend = load(source());
  const engine::BatchReading reading = backend->forward(batch_of({golden.prompts[1]}), {});
  EXPECT_NEAR(backend->route(reading.features), reading.hardness[0], 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenBackendTest,
                         testing::Values(std::tuple("llama-tied-f16", Precision::kBf16),
                                         std::tuple("llama-untied-f32", Precision::kBf16),
                                         std::tuple("qwen3-tied-bf16", Precision::kBf16),
                                         std::tuple("qwen3-untied-bf16-sharded", Precision::kBf16),
                                         std::tuple("llama-untied-f32", Precision::kFp8),
                                         std::tuple("qwen3-tied-bf16", Precision::kFp8)));

class BackendTest : public DeviceTest {};

TEST_F(BackendTest, RefusesPagesThatWereNotReserved) {
  const GoldenCheckpoint golden = golden_checkpoint("llama-untied-f32");
  const std::unique_ptr<engine::Backend> backend = load(alone(golden));
  const engine::PageId beyond = backend->info().kv_pages;
  try {
    backend->forward(batch_of({golden.prompts[0]}, true, beyond), {});
    FAIL() << "page " << beyond << " was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMemory) << error.what();
  }
  EXPECT_NO_THROW(backend->forward(batch_of({golden.prompts[0]}), {}));
}

TEST_F(BackendTest, EndsAStoppedPassWithItsError) {
  const GoldenCheckpoint golden = golden_checkpoint("llama-untied-f32");
  const std::unique_ptr<engine::Backend> backend = load(alone(golden));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(backend->forward(batch_of({golden.prompts[0]}), stop.get_token()), Error);
  EXPECT_NO_THROW(backend->forward(batch_of({golden.prompts[0]}), {}));
}

TEST_F(BackendTest, GivesTheMemoryBack) {
  const PairSource source = alone(golden_checkpoint("llama-untied-f32"));
  const auto free_bytes = [] {
    size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "asking for free memory");
    return free;
  };
  load(source).reset();  // what the driver keeps of the first load, it keeps once
  const size_t before = free_bytes();
  for (int round = 0; round < 100; ++round) load(source).reset();
  EXPECT_EQ(free_bytes(), before);
}

}  // namespace
}  // namespace saferoute::cuda
