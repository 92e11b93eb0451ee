// A guard in int8 against a plain simulation of the recipe and against f32, and what becomes of its file of converted
// weights.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <ostream>

#include <gtest/gtest.h>

#include "cpu/int8_matmul.h"
#include "ort/expect_error.h"
#include "ort/tiny_guard.h"

namespace saferoute::test {
namespace {

using Kind = engine::WeightCacheOutcome::Kind;

ort::GuardSource int8_source(TinyGuard& guard) {
  ort::GuardSource source = guard.source();
  source.precision = ort::Precision::kInt8;
  return source;
}

// Whose product: the library's, or the tile unit's.
class Int8Backend : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam() && !cpu::has_int8_tiles()) GTEST_SKIP() << "this CPU has no int8 tiles";
  }

  std::unique_ptr<engine::Backend> load_guard(TinyGuard& guard) const {
    ort::GuardSource source = int8_source(guard);
    source.library_products = GetParam();
    return load(std::move(source));
  }
};

INSTANTIATE_TEST_SUITE_P(Products, Int8Backend, testing::Bool(),
                         [](const auto& info) { return info.param ? "library" : "tiles"; });

// Wide enough, and with projections about as strong as a trained guard's, for one activation to weigh little.
model::ModelSpec wide(model::ModelSpec spec) {
  spec.hidden_size = 256;
  spec.heads = 8;
  spec.head_dim = 32;
  spec.intermediate_size = 512;
  return spec;
}
constexpr float kWideGain = 0.25f;

// Between features of the guard and of the simulation.
double mean_cosine(TinyGuard& guard, engine::Backend& backend) {
  constexpr uint32_t kLengths[] = {1, 2, 16, 17, 33};
  constexpr uint32_t kPromptsEach = 3;
  double mean = 0;
  for (const uint32_t length : kLengths) {
    for (uint32_t index = 0; index < kPromptsEach; ++index) {
      const std::vector<int32_t> prompt = random_prompt(length, length + 100 * index);
      const ReferenceReading expected = guard.reference(prompt, ort::int8_weight_bits());
      mean += cosine(backend.forward(batch_of({prompt}), {}).features, expected.feature) /
              static_cast<double>(std::size(kLengths) * kPromptsEach);
    }
  }
  return mean;
}

// Values that fall between two integers may be rounded apart, since the simulation's are not f32. Each such difference
// is a rounding error of the recipe, of 2e-5 here, and makes more of them in the layers after, so the closer bound is
// for one layer. Most prompts have none; which ones do depends on the bits of a weight, and so on the CPU.
TEST_P(Int8Backend, ReadsLikeAPlainSimulationOfTheRecipe) {
  model::ModelSpec grouped = qwen_spec();
  grouped.kv_heads = 1;
  for (model::ModelSpec spec : {llama_spec(), qwen_spec(), grouped}) {
    spec = wide(spec);
    TinyGuard deep(spec, model::DType::kF32, kWideGain);
    EXPECT_GE(mean_cosine(deep, *load_guard(deep)), 0.9999);
    spec.layers = 1;
    TinyGuard flat(spec, model::DType::kF32, kWideGain);
    EXPECT_GE(mean_cosine(flat, *load_guard(flat)), 0.99999);
  }
}

TEST_P(Int8Backend, ReadsNearlyLikeF32) {
  TinyGuard guard(wide(llama_spec()), model::DType::kF32, kWideGain);
  const auto in_int8 = load_guard(guard);
  const auto in_f32 = load(guard.source());
  double mean = 0;
  constexpr int kPrompts = 16;
  for (uint32_t seed = 0; seed < kPrompts; ++seed) {
    const engine::Batch batch = batch_of({random_prompt(20 + 5 * seed, seed)});
    const std::vector<float> expected = in_f32->forward(batch, {}).features;
    const std::vector<float> actual = in_int8->forward(batch, {}).features;
    mean += cosine(actual, {expected.begin(), expected.end()}) / kPrompts;
  }
  EXPECT_GE(mean, 0.99);
  EXPECT_LT(mean, 0.99999) << "this is f32";
}

TEST(Int8Products, AreTheSameWhoeverMultiplies) {
  if (!cpu::has_int8_tiles()) GTEST_SKIP() << "this CPU has no int8 tiles";
  TinyGuard guard(llama_spec());
  ort::GuardSource source = int8_source(guard);
  const auto tiles = load(source);
  source.library_products = true;
  const auto library = load(source);
  const engine::Batch batch = batch_of({random_prompt(70, 1), random_prompt(3, 2)});
  EXPECT_EQ(tiles->forward(batch, {}).features, library->forward(batch, {}).features);
}

// Loads of one guard with one cache file.
class Int8Cache : public testing::Test {
 protected:
  engine::WeightCacheOutcome load_and_compare() {
    ort::GuardSource source = int8_source(guard_);
    source.weight_cache = plan_;
    const auto backend = load(std::move(source));
    EXPECT_EQ(backend->forward(batch_, {}).features, expected_);
    return backend->info().weight_cache;
  }

  void overwrite(uint64_t offset, char value) const {
    std::fstream file(plan_.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(value);
  }

  char byte_at(uint64_t offset) const {
    std::ifstream file(plan_.path, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    return static_cast<char>(file.get());
  }

  TinyGuard guard_{qwen_spec()};
  model::WeightCachePlan plan_ = guard_.weight_cache();
  engine::Batch batch_ = batch_of({random_prompt(40, 1)});
  std::vector<float> expected_ = load(int8_source(guard_))->forward(batch_, {}).features;
};

TEST_F(Int8Cache, IsWrittenByTheFirstLoadAndReadByTheNext) {
  EXPECT_EQ(load_and_compare().kind, Kind::kWritten);
  EXPECT_EQ(load_and_compare().kind, Kind::kRead);
}

TEST_F(Int8Cache, SparesReadingTheMatricesOfTheCheckpoint) {
  load_and_compare();
  guard_.set("model.layers.1.mlp.down_proj.weight", 3, 1e6f);
  EXPECT_EQ(load_and_compare().kind, Kind::kRead);
}

TEST_F(Int8Cache, IsRebuiltWhereverItIsDamaged) {
  load_and_compare();
  std::vector<uint64_t> places{0};  // in the header, …
  for (const model::TensorEntry& entry : plan_.entries)
    places.push_back(entry.offset + entry.bytes / 2);  // … in each tensor
  for (const uint64_t place : places) {
    const char whole = byte_at(place);
    overwrite(place, static_cast<char>(whole ^ 4));
    EXPECT_EQ(load_and_compare().kind, Kind::kWritten) << "byte " << place;
    EXPECT_EQ(byte_at(place), whole);
    EXPECT_EQ(load_and_compare().kind, Kind::kRead);
  }
}

TEST_F(Int8Cache, IsRebuiltWhereItIsTruncated) {
  load_and_compare();
  for (const uint64_t bytes : {uint64_t{0}, plan_.file_bytes / 2, plan_.file_bytes - 1}) {
    std::filesystem::resize_file(plan_.path, bytes);
    EXPECT_EQ(load_and_compare().kind, Kind::kWritten) << bytes << " bytes";
  }
}

TEST_F(Int8Cache, IsGoneWithoutWhereItsPlaceCannotBeWritten) {
  const std::string file = guard_.source().paths[0];
  plan_.path = file + "/int8.cache";  // below a file
  const engine::WeightCacheOutcome outcome = load_and_compare();
  EXPECT_EQ(outcome.kind, Kind::kUnusable);
  EXPECT_NE(outcome.warning.find(file), std::string::npos) << outcome.warning;
}

TEST_F(Int8Cache, OfALoadThatFailsIsNotThere) {
  guard_.set("model.layers.1.mlp.down_proj.weight", 3, std::numeric_limits<float>::infinity());
  expect_error(ErrorCode::kNotFinite, {"down_proj"}, [&] { load_and_compare(); });
  EXPECT_FALSE(std::filesystem::exists(plan_.path));
}

}  // namespace
}  // namespace saferoute::test
