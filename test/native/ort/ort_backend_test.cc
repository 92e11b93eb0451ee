// A guard on ONNX Runtime against the plain decoder of tiny_guard, whatever the batch it is in.
#include <atomic>
#include <memory>
#include <ostream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ort/expect_error.h"
#include "ort/feature_router.h"
#include "ort/tiny_guard.h"

namespace saferoute::test {
namespace {

struct Family {
  const char* name;
  model::ModelSpec spec;
  model::DType dtype;
};

void PrintTo(const Family& family, std::ostream* out) { *out << family.name; }

std::vector<Family> families() {
  Family llama{"llama_untied_f32", llama_spec(), model::DType::kF32};
  Family tied{"llama_tied_bf16", llama_spec(), model::DType::kBF16};
  tied.spec.tied_head = true;
  Family qwen{"qwen3_tied_f32", qwen_spec(), model::DType::kF32};
  Family untied{"qwen3_untied_bf16_grouped", qwen_spec(), model::DType::kBF16};
  untied.spec.tied_head = false;
  untied.spec.kv_heads = 1;
  Family single{"one_layer", llama_spec(), model::DType::kF32};
  single.spec.layers = 1;
  return {llama, tied, qwen, untied, single};
}

class OrtBackendFamilies : public testing::TestWithParam<Family> {};

INSTANTIATE_TEST_SUITE_P(Families, OrtBackendFamilies, testing::ValuesIn(families()),
                         [](const auto& info) { return std::string(info.param.name); });

constexpr double kTolerance = 1e-4;

TEST_P(OrtBackendFamilies, ReadsLikeThePlainDecoder) {
  TinyGuard guard(GetParam().spec, GetParam().dtype);
  guard.add_router(guard.spec().hidden_size);
  const auto backend = load(guard.source());
  for (const size_t length : {1, 2, 15, 16, 17, 33, 150, 300}) {
    const std::vector<int32_t> prompt = random_prompt(length, static_cast<uint32_t>(length));
    const ReferenceReading expected = guard.reference(prompt);
    const engine::BatchReading actual = backend->forward(batch_of({prompt}), {});
    ASSERT_EQ(actual.logits.size(), expected.logits.size());
    ASSERT_EQ(actual.features.size(), expected.feature.size());
    ASSERT_EQ(actual.hardness.size(), 1u);
    for (size_t i = 0; i < expected.logits.size(); ++i) {
      EXPECT_NEAR(actual.logits[i], expected.logits[i], kTolerance) << "logit " << i << " of " << length << " tokens";
    }
    for (size_t i = 0; i < expected.feature.size(); ++i) {
      ASSERT_NEAR(actual.features[i], expected.feature[i], kTolerance)
          << "feature " << i << " of " << length << " tokens";
    }
    EXPECT_NEAR(actual.hardness[0], guard.reference_hardness(expected.feature), 1e-5) << length << " tokens";
  }
}

TEST_P(OrtBackendFamilies, ReadsARowInABatchLikeTheRowAlone) {
  TinyGuard guard(GetParam().spec, GetParam().dtype);
  guard.add_router(guard.spec().hidden_size);
  const auto backend = load(guard.source());
  std::vector<std::vector<int32_t>> prompts;
  for (const size_t length : {7, 1, 64, 130, 1, 16, 33}) prompts.push_back(random_prompt(length, 100 + prompts.size()));
  const engine::BatchReading together = backend->forward(batch_of(prompts), {});
  const auto hidden = static_cast<size_t>(guard.spec().hidden_size);
  for (size_t row = 0; row < prompts.size(); ++row) {
    const engine::BatchReading alone = backend->forward(batch_of({prompts[row]}), {});
    for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(together.logits[row * 2 + i], alone.logits[i], 1e-5) << "row " << row;
    for (size_t i = 0; i < hidden; ++i) {
      ASSERT_NEAR(together.features[row * hidden + i], alone.features[i], 1e-5) << "row " << row << ", feature " << i;
    }
    EXPECT_NEAR(together.hardness[row], alone.hardness[0], 1e-5) << "row " << row;
  }
}

TEST(OrtBackend, LeavesOutWhatIsNotAskedForOrNotThere) {
  TinyGuard guard(llama_spec());
  const auto backend = load(guard.source());
  const engine::BatchReading reading = backend->forward(batch_of({random_prompt(5, 1)}, /*want_features=*/false), {});
  EXPECT_EQ(reading.logits.size(), 2u);
  EXPECT_TRUE(reading.features.empty());
  EXPECT_TRUE(reading.hardness.empty());
}

TEST(OrtBackend, TellsWhatItLoaded) {
  TinyGuard guard(llama_spec());
  guard.add_router(guard.spec().hidden_size);
  const auto backend = load(guard.source());
  const engine::GuardInfo& info = backend->info();
  EXPECT_EQ(info.hidden_size, 40);
  EXPECT_EQ(info.vocab_size, 67);
  EXPECT_EQ(info.max_positions, 8192);
  EXPECT_EQ(info.verdict_unsafe, (std::vector<uint8_t>{0, 1}));
  EXPECT_TRUE(info.has_router);
  const uint64_t layer = 40 * 2 + (72 + 2 * 24) * 40 + 40 * 72 + 2 * 56 * 40 + 40 * 56;
  const uint64_t head = 40 + 2 * 40 + 40 + 1;
  const uint64_t indices = 3;
  EXPECT_EQ(info.weight_bytes, 4 * (3 * layer + indices + head));
  const uint64_t page_bytes = 3 * 2 * 2 * 16 * 12 * 4;  // layers, keys and values, kv heads, tokens, head_dim, f32
  EXPECT_EQ(info.page_bytes, page_bytes);
  EXPECT_EQ(info.kv_pages, static_cast<int32_t>((256 << 20) / page_bytes));
  EXPECT_EQ(info.weight_cache.kind, engine::WeightCacheOutcome::Kind::kNone);
}

TEST(OrtBackend, RoutesAFeatureLikeTheForwardPass) {
  TinyGuard guard(qwen_spec());
  guard.add_router(guard.spec().hidden_size);
  const auto backend = load(guard.source());
  const engine::BatchReading reading = backend->forward(batch_of({random_prompt(9, 4)}), {});
  EXPECT_FLOAT_EQ(backend->route(reading.features), reading.hardness[0]);
  expect_error(ErrorCode::kInvalidArgument, {"24", "23"}, [&] { backend->route(std::vector<float>(23)); });

  TinyGuard plain(qwen_spec());
  const auto without = load(plain.source());
  expect_error(ErrorCode::kUnsupported, {"router"}, [&] { without->route(std::vector<float>(24)); });
}

TEST(OrtBackend, RoutesAFeatureOnAnyThreadAndAfterItsEnd) {
  TinyGuard guard(qwen_spec());
  guard.add_router(guard.spec().hidden_size);
  auto backend = load(guard.source());
  const engine::BatchReading reading = backend->forward(batch_of({random_prompt(9, 4)}), {});
  const auto router = backend->info().feature_router;
  ASSERT_TRUE(router);
  const float hardness = backend->route(reading.features);
  backend.reset();
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      for (int call = 0; call < 20; ++call) EXPECT_EQ(router->route(reading.features), hardness);
    });
  }
}

// In f32 a router of 2 MiB and one of 3.1.
TEST(OrtBackend, ALargeRouterHoldsNoCallerUp) {
  const auto network_of = [](int32_t outputs) {
    router::Layer layer;
    layer.inputs = 1024;
    layer.outputs = outputs;
    layer.weight.resize(static_cast<size_t>(outputs) * 1024);
    return std::make_shared<router::Network>(router::Network{{layer}});
  };
  EXPECT_TRUE(ort::make_feature_router(network_of(512)));
  EXPECT_FALSE(ort::make_feature_router(network_of(800)));
}

TEST(OrtBackend, RefusesABatchLargerThanWhatItWasLoadedFor) {
  TinyGuard guard(llama_spec());
  ort::GuardSource source = guard.source();
  source.batch_tokens = 32;
  const auto backend = load(std::move(source));
  EXPECT_EQ(backend->forward(batch_of({random_prompt(32, 1)}), {}).logits.size(), 2u);
  expect_error(ErrorCode::kInvalidArgument, {"33 tokens", "32"},
               [&] { backend->forward(batch_of({random_prompt(20, 1), random_prompt(13, 2)}), {}); });
}

TEST(OrtBackend, RefusesABatchThatContradictsItself) {
  TinyGuard guard(llama_spec());
  const auto backend = load(guard.source());
  const auto expect_refused = [&](const char* named, auto change) {
    engine::Batch batch = batch_of({random_prompt(20, 1), random_prompt(2, 2)});
    change(batch);
    expect_error(ErrorCode::kInvalidArgument, {named}, [&] { backend->forward(batch, {}); });
  };
  using Offsets = std::vector<int32_t>;
  for (const Offsets& offsets : {Offsets{}, {0}, {0, 20}, {0, 20, 23}, {1, 20, 22}, {0, 22, 22}, {0, 20, 2, 22}}) {
    expect_refused("offsets", [&](engine::Batch& batch) { batch.row_offsets = offsets; });
  }
  expect_refused("offsets", [](engine::Batch& batch) { batch.tokens.clear(); });
  for (const Offsets& starts : {Offsets{}, {0}, {0, 0, 0}, {0, -1}}) {
    expect_refused("row starts", [&](engine::Batch& batch) { batch.row_starts = starts; });
  }
  for (const Offsets& offsets : {Offsets{}, {0, 3}, {0, 2, 4}, {1, 2, 3}, {0, 3, 3}}) {
    expect_refused("page offsets", [&](engine::Batch& batch) { batch.page_offsets = offsets; });
  }
  expect_refused("row 0 of a batch has 1 pages", [](engine::Batch& batch) { batch.page_offsets = {0, 1, 3}; });
  expect_refused("its 34 tokens fill 3", [](engine::Batch& batch) { batch.row_starts[0] = 14; });
  expect_refused("page -1", [](engine::Batch& batch) { batch.pages[1] = -1; });
  expect_refused("page -2", [](engine::Batch& batch) { batch.copies = {{.from = 0, .to = -2}}; });
  expect_error(ErrorCode::kInvalidArgument, {"67"}, [&] { backend->forward(batch_of({{1, 67}}), {}); });
  expect_error(ErrorCode::kInvalidArgument, {"-1"}, [&] { backend->forward(batch_of({{-1}}), {}); });
}

TEST(OrtBackend, StopsAndThenRunsAgain) {
  TinyGuard guard(llama_spec());
  const auto backend = load(guard.source());
  const engine::Batch batch = batch_of({random_prompt(20, 6)});
  const engine::BatchReading before = backend->forward(batch, {});
  std::stop_source stop;
  stop.request_stop();
  expect_error(ErrorCode::kAborted, {"stopped"}, [&] { backend->forward(batch, stop.get_token()); });
  EXPECT_EQ(backend->forward(batch, {}).logits, before.logits);
}

// Wherever the stop comes in the pass, what the pass has left behind disturbs no other.
TEST(OrtBackend, StopsInMidPassAndThenRunsAgain) {
  TinyGuard guard(llama_spec());
  const auto backend = load(guard.source());
  const engine::Batch batch = batch_of({random_prompt(500, 6)});
  const engine::BatchReading before = backend->forward(batch, {});
  for (int round = 0; round < 20; ++round) {
    std::stop_source stop;
    std::atomic_flag begun = ATOMIC_FLAG_INIT;
    const std::jthread stopper([&] {
      begun.wait(false);
      stop.request_stop();
    });
    begun.test_and_set();
    begun.notify_one();
    try {
      EXPECT_EQ(backend->forward(batch, stop.get_token()).logits, before.logits);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kAborted) << error.what();
    }
  }
  EXPECT_EQ(backend->forward(batch, {}).logits, before.logits);
}

TEST(OrtBackend, TwoGuardsOnTwoThreadsDoNotDisturbEachOther) {
  TinyGuard small(llama_spec());
  TinyGuard large(qwen_spec());
  const std::vector<int32_t> prompt = random_prompt(90, 8);
  const auto read_often = [&](TinyGuard& guard, ort::GuardSource source, std::vector<float>& logits) {
    const auto backend = load(std::move(source));
    const engine::Batch batch = batch_of({prompt, prompt});
    logits = backend->forward(batch, {}).logits;
    for (int round = 0; round < 20; ++round) ASSERT_EQ(backend->forward(batch, {}).logits, logits);
    const ReferenceReading expected = guard.reference(prompt);
    ASSERT_NEAR(logits[0], expected.logits[0], kTolerance);
    ASSERT_NEAR(logits[3], expected.logits[1], kTolerance);
  };
  std::vector<float> from_small, from_large;
  {
    const std::jthread one([&] { read_often(small, small.source(), from_small); });
    const std::jthread two([&] { read_often(large, large.source(), from_large); });
  }
  EXPECT_NE(from_small, from_large);
}

}  // namespace
}  // namespace saferoute::test
