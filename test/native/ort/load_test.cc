// Loads that must fail, and say why, and loads by the dozen.
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "ort/expect_error.h"
#include "ort/tiny_guard.h"

namespace saferoute::test {
namespace {

constexpr const char* kDown = "model.layers.1.mlp.down_proj.weight";

TEST(Load, NamesAMissingTensor) {
  TinyGuard guard(llama_spec());
  guard.remove(kDown);
  expect_error(ErrorCode::kCheckpoint, {kDown}, [&] { load(guard.source()); });
}

TEST(Load, NamesATensorOfTheWrongShape) {
  TinyGuard guard(llama_spec());
  ort::GuardSource source = guard.source();
  source.spec.intermediate_size = 60;
  expect_error(ErrorCode::kCheckpoint, {"mlp.", "60", "56"}, [&] { load(source); });
}

TEST(Load, NamesAWeightThatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    TinyGuard guard(llama_spec());
    guard.set(kDown, 17, bad);
    expect_error(ErrorCode::kNotFinite, {kDown, "17"}, [&] { load(guard.source()); });
  }
}

TEST(Load, AnEmbeddingThatIsNotFiniteFailsOnlyTheBatchThatReadsIt) {
  TinyGuard guard(llama_spec());
  guard.set("model.embed_tokens.weight", 40 * 9, std::numeric_limits<float>::quiet_NaN());
  const auto backend = load(guard.source());
  expect_error(ErrorCode::kNotFinite, {"embed_tokens"}, [&] { backend->forward(batch_of({{1, 9}}), {}); });
  EXPECT_EQ(backend->forward(batch_of({{1, 8}}), {}).logits.size(), 2u);
}

TEST(Load, RefusesARouterForAnotherWidth) {
  TinyGuard guard(llama_spec());
  guard.add_router(48);
  expect_error(ErrorCode::kCheckpoint, {"48", "40", "router"}, [&] { load(guard.source()); });
}

TEST(Load, RefusesVerdictTokensThatCannotDecide) {
  TinyGuard guard(llama_spec());
  for (const std::vector<uint8_t>& unsafe : {std::vector<uint8_t>{0, 0}, {1, 1}, {1}, {}}) {
    ort::GuardSource source = guard.source();
    source.verdict_unsafe = unsafe;
    expect_error(ErrorCode::kInvalidArgument, {"verdict"}, [&] { load(source); });
  }
}

TEST(Load, RefusesASpecThatContradictsItself) {
  TinyGuard guard(llama_spec());
  ort::GuardSource source = guard.source();
  source.spec.kv_heads = 4;
  expect_error(ErrorCode::kCheckpoint, {"4"}, [&] { load(source); });
}

TEST(Load, RefusesAGuardThatDoesNotFitTheLimitBeforeItOpensAFile) {
  TinyGuard guard(llama_spec());
  ort::GuardSource source = guard.source();
  source.memory_limit_bytes = 64 * 1024;
  source.paths = {"/nowhere/model.bin"};
  expect_error(ErrorCode::kMemory, {"MiB", "limit is 0.1 MiB"}, [&] { load(source); });
}

TEST(Load, RefusesAGuardThatDoesNotFitTheMachine) {
  TinyGuard guard(llama_spec());
  ort::GuardSource source = guard.source();
  source.spec.layers = 1000;
  source.spec.hidden_size = 1 << 14;
  source.spec.intermediate_size = 1 << 16;
  expect_error(ErrorCode::kMemory, {"GiB", "available"}, [&] { load(source); });
}

TEST(Load, CountsTheBudgetForKeysAndValues) {
  TinyGuard guard(llama_spec());
  ort::GuardSource source = guard.source();
  source.memory_limit_bytes = 64 << 20;
  source.kv_bytes = 128 << 20;
  expect_error(ErrorCode::kMemory, {"limit is 64.0 MiB"}, [&] { load(source); });
  source.kv_bytes = 32 << 20;
  EXPECT_NE(load(source), nullptr);
}

TEST(Load, StopsWhenAskedTo) {
  TinyGuard guard(llama_spec());
  std::stop_source stop;
  stop.request_stop();
  expect_error(ErrorCode::kAborted, {"stopped"}, [&] { load(guard.source(), stop.get_token()); });
  EXPECT_NE(load(guard.source()), nullptr);
}

TEST(Load, NamesALibraryThatIsNotThere) {
  TinyGuard guard(llama_spec());
  const auto load_with = [&](const std::string& path) {
    ort::make_ort_backend_factory({.library_path = path, .threads = 1}, guard.source())({});
  };
  expect_error(ErrorCode::kBackend, {"/nowhere/libsaferoute-ort.so"},
               [&] { load_with("/nowhere/libsaferoute-ort.so"); });
  expect_error(ErrorCode::kBackend, {"absolute"}, [&] { load_with("libsaferoute-ort.so"); });
}

int64_t resident_pages() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  file >> size >> resident;
  return resident;
}

TEST(Load, RoundsOfLoadingAndReadingDoNotGrowTheProcess) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps freed memory";
#endif
  TinyGuard guard(llama_spec());
  guard.add_router(guard.spec().hidden_size);
  const ort::GuardSource source = guard.source();
  const engine::Batch batch = batch_of({random_prompt(300, 1), random_prompt(20, 2)});
  int64_t after_ten = 0;
  for (int round = 0; round < 100; ++round) {
    if (round == 10) after_ten = resident_pages();
    load(source)->forward(batch, {});
  }
  EXPECT_LT(static_cast<double>(resident_pages()), 1.05 * static_cast<double>(after_ten));
}

}  // namespace
}  // namespace saferoute::test
