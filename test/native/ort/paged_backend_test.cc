// A prompt in one pass against the same prompt in several, over shared, copied and overflowing pages: what was computed
// before must not show in the reading.
#include <ostream>

#include <gtest/gtest.h>

#include "cpu/int8_matmul.h"
#include "ort/expect_error.h"
#include "ort/tiny_guard.h"

namespace saferoute::test {
namespace {

struct Mode {
  const char* name;
  ort::Precision precision;
  bool library_products;
};

void PrintTo(const Mode& mode, std::ostream* out) { *out << mode.name; }

constexpr Mode kModes[] = {
    {"f32", ort::Precision::kF32, false},
    {"int8_library", ort::Precision::kInt8, true},
    {"int8_tiles", ort::Precision::kInt8, false},
};

class PagedBackend : public testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    const Mode& mode = GetParam();
    if (mode.precision == ort::Precision::kInt8 && !mode.library_products && !cpu::has_int8_tiles()) {
      GTEST_SKIP() << "this CPU has no int8 tiles";
    }
  }

  std::unique_ptr<engine::Backend> load_guard(TinyGuard& guard, uint64_t kv_bytes = 64 << 20,
                                              uint64_t memory_limit_bytes = 0) {
    ort::GuardSource source = guard.source();
    source.precision = GetParam().precision;
    source.library_products = GetParam().library_products;
    source.kv_bytes = kv_bytes;
    source.memory_limit_bytes = memory_limit_bytes;
    return load(std::move(source));
  }

  // int8: to the bit. f32: ONNX Runtime's product sums in another order where a pass has few tokens.
  void expect_same(const engine::BatchReading& actual, const engine::BatchReading& expected, const std::string& what) {
    if (GetParam().precision == ort::Precision::kInt8) {
      EXPECT_EQ(actual.logits, expected.logits) << what;
      EXPECT_EQ(actual.features, expected.features) << what;
      return;
    }
    const auto expect_near = [&](const std::vector<float>& a, const std::vector<float>& b) {
      ASSERT_EQ(a.size(), b.size()) << what;
      for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-4) << what << ", value " << i;
    };
    expect_near(actual.logits, expected.logits);
    expect_near(actual.features, expected.features);
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, PagedBackend, testing::ValuesIn(kModes),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(PagedBackend, ReadsAPromptInChunksAsInOnePass) {
  for (const model::ModelSpec& spec : {llama_spec(), qwen_spec()}) {
    TinyGuard guard(spec);
    const auto backend = load_guard(guard);
    const std::vector<int32_t> prompt = random_prompt(150, 3);
    const engine::BatchReading whole = backend->forward(batch_of({prompt}), {});
    const std::vector<engine::PageId> pages = pages_from(50, 10);
    for (const std::vector<size_t>& cuts : {std::vector<size_t>{0, 16, 150},
                                            {0, 1, 150},
                                            {0, 149, 150},
                                            {0, 48, 64, 150},
                                            {0, 7, 8, 30, 31, 33, 100, 150}}) {
      engine::BatchReading last;
      for (size_t cut = 1; cut < cuts.size(); ++cut) {
        last = backend->forward(part_of(prompt, cuts[cut - 1], cuts[cut], pages), {});
      }
      expect_same(last, whole, std::to_string(cuts.size() - 1) + " chunks, the first of " + std::to_string(cuts[1]));
    }
  }
}

TEST_P(PagedBackend, ReadsPromptsThatShareTheirBeginning) {
  TinyGuard guard(llama_spec());
  const auto backend = load_guard(guard);
  const std::vector<int32_t> head = random_prompt(75, 4);
  std::vector<std::vector<int32_t>> prompts;
  for (uint32_t seed = 0; seed < 3; ++seed) {
    prompts.push_back(head);
    const std::vector<int32_t> tail = random_prompt(20 + 13 * seed, 50 + seed);
    prompts.back().insert(prompts.back().end(), tail.begin(), tail.end());
  }
  backend->forward(part_of(head, 0, head.size(), pages_from(100, 5)), {});

  // Pages 100 to 103 are full and shared; the fifth is copied for each prompt, which goes on in it.
  engine::Batch together;
  together.row_offsets = {0};
  together.page_offsets = {0};
  together.want_features = true;
  for (size_t row = 0; row < prompts.size(); ++row) {
    std::vector<engine::PageId> pages = pages_from(100, 4);
    const auto own = static_cast<engine::PageId>(200 + 10 * row);
    for (const engine::PageId page : pages_from(own, 6)) pages.push_back(page);
    const engine::Batch part = part_of(prompts[row], head.size(), prompts[row].size(), pages);
    together.tokens.insert(together.tokens.end(), part.tokens.begin(), part.tokens.end());
    together.row_offsets.push_back(static_cast<int32_t>(together.tokens.size()));
    together.row_starts.push_back(part.row_starts[0]);
    together.pages.insert(together.pages.end(), part.pages.begin(), part.pages.end());
    together.page_offsets.push_back(static_cast<int32_t>(together.pages.size()));
    together.copies.push_back({.from = 104, .to = own});
  }
  const engine::BatchReading shared = backend->forward(together, {});
  const auto hidden = static_cast<size_t>(guard.spec().hidden_size);
  for (size_t row = 0; row < prompts.size(); ++row) {
    const auto slice = [row](const std::vector<float>& values, size_t width) {
      const auto begin = values.begin() + static_cast<long>(row * width);
      return std::vector<float>(begin, begin + static_cast<long>(width));
    };
    const engine::BatchReading of_row{
        .logits = slice(shared.logits, 2), .hardness = {}, .features = slice(shared.features, hidden)};
    expect_same(of_row, backend->forward(batch_of({prompts[row]}), {}), "prompt " + std::to_string(row));
  }
}

TEST_P(PagedBackend, ReadsARowInABatchLikeTheRowAlone) {
  TinyGuard guard(qwen_spec());
  const auto backend = load_guard(guard);
  std::vector<std::vector<int32_t>> prompts;
  for (const size_t length : {7, 1, 64, 130, 1, 16, 33}) prompts.push_back(random_prompt(length, 100 + prompts.size()));
  const engine::BatchReading together = backend->forward(batch_of(prompts), {});
  for (size_t row = 0; row < prompts.size(); ++row) {
    const engine::BatchReading alone = backend->forward(batch_of({prompts[row]}), {});
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(together.logits[row * 2 + i], alone.logits[i],
                  GetParam().precision == ort::Precision::kF32 ? 1e-5 : 0)
          << "row " << row;
    }
  }
}

TEST_P(PagedBackend, ReadsAPromptThatNeedsMoreThanTheBudget) {
  TinyGuard guard(llama_spec());
  const auto roomy = load_guard(guard);
  const auto narrow = load_guard(guard, /*kv_bytes=*/1);
  ASSERT_EQ(narrow->info().kv_pages, 1);
  const std::vector<int32_t> prompt = random_prompt(100, 5);
  const std::vector<engine::PageId> pages = pages_from(0, 7);
  const engine::BatchReading whole = roomy->forward(batch_of({prompt}), {});
  for (int round = 0; round < 2; ++round) {
    narrow->forward(part_of(prompt, 0, 60, pages), {});
    expect_same(narrow->forward(part_of(prompt, 60, 100, pages), {}), whole, "round " + std::to_string(round));
    narrow->release_overflow();
  }
}

TEST_P(PagedBackend, RefusesPagesBeyondTheMemoryLimitAndReadsTheNext) {
  TinyGuard guard(llama_spec());
  const auto backend = load_guard(guard, /*kv_bytes=*/1, /*memory_limit_bytes=*/4 << 20);
  const auto tokens = static_cast<size_t>(500);
  const std::vector<int32_t> prompt = random_prompt(16 * tokens, 6);
  const auto end = prompt.size();
  expect_error(ErrorCode::kMemory, {"long prompt", "limit is 4.0 MiB"},
               [&] { backend->forward(part_of(prompt, end - 16, end, pages_from(0, tokens)), {}); });
  EXPECT_EQ(backend->forward(batch_of({random_prompt(16, 7)}), {}).logits.size(), 2u);
}

}  // namespace
}  // namespace saferoute::test
