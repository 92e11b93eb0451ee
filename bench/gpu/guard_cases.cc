#include "gpu/guard_cases.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <random>
#include <utility>

#include "cuda/backend.h"
#include "cuda/guard_shapes.h"
#include "cuda/made_up_guard.h"
#include "engine/device_cascade.h"
#include "gpu/message_lengths.h"
#include "gpu/running_engine.h"

namespace saferoute::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Of Llama Guard 3's template, before the message and behind it.
constexpr int32_t kHeadTokens = 139;
constexpr int32_t kTailTokens = 57;

constexpr int32_t kBatchTokens = 8192;
constexpr int32_t kSingleChecks = 300;
constexpr int32_t kGraphMessages = 32;
constexpr int32_t kGraphReplays = 50;
constexpr int32_t kFullPasses = 10;
constexpr int32_t kFullPassPrompt = 512;  // tokens

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Head and tail are the same in every prompt, the message between them in none.
std::vector<int32_t> prompt_of(int32_t message_tokens, std::mt19937& random, int32_t vocab_size) {
  std::vector<int32_t> prompt(static_cast<size_t>(kHeadTokens + message_tokens + kTailTokens));
  std::iota(prompt.begin(), prompt.end(), 1000);
  for (int32_t i = 0; i < message_tokens; ++i) {
    prompt[static_cast<size_t>(kHeadTokens + i)] = static_cast<int32_t>(random() % static_cast<uint32_t>(vocab_size));
  }
  return prompt;
}

std::vector<std::vector<int32_t>> prompts_of(const std::vector<int32_t>& lengths, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::vector<int32_t>> prompts;
  for (const int32_t tokens : lengths) prompts.push_back(prompt_of(tokens, random, 128000));
  return prompts;
}

Figure single_checks(RunningEngine& engine, const std::vector<int32_t>& lengths, const std::string& precision) {
  const std::vector<std::vector<int32_t>> prompts = prompts_of({lengths.begin(), lengths.begin() + kSingleChecks}, 11);
  for (int32_t warm = 0; warm < 20; ++warm) {
    engine.run({prompts[static_cast<size_t>(warm)]}, engine::Target::kSmall);
  }
  std::vector<double> samples;
  for (const auto& prompt : prompts_of({lengths.begin(), lengths.begin() + kSingleChecks}, 12)) {
    samples.push_back(engine.run({prompt}, engine::Target::kSmall));
  }
  return figure_of("single check, cached head, " + precision, "ms", std::move(samples), 2);
}

Figure whole_set(RunningEngine& engine, const GuardCases& cases, const std::vector<int32_t>& lengths,
                 engine::Target target, const std::string& name, double target_seconds) {
  engine.run(prompts_of(lengths, 99), target);
  std::vector<double> samples;
  const engine::EngineStats before = engine.stats();
  for (int32_t round = 0; round < cases.rounds; ++round) {
    samples.push_back(engine.run(prompts_of(lengths, 100 + static_cast<uint32_t>(round)), target) / 1000);
  }
  const engine::EngineStats after = engine.stats();
  std::fprintf(stderr, "%s: %.0f tokens by the small guard and %.0f by the large one in a round\n", name.c_str(),
               static_cast<double>(after.small.tokens - before.small.tokens) / cases.rounds,
               static_cast<double>(after.large.tokens - before.large.tokens) / cases.rounds);
  return figure_of(name, "s", std::move(samples), target_seconds);
}

// Prompts one after another in pages of their own.
engine::Batch batch_of(const std::vector<std::vector<int32_t>>& prompts) {
  engine::Batch batch;
  batch.row_offsets = {0};
  batch.page_offsets = {0};
  for (const std::vector<int32_t>& prompt : prompts) {
    batch.tokens.insert(batch.tokens.end(), prompt.begin(), prompt.end());
    batch.row_offsets.push_back(static_cast<int32_t>(batch.tokens.size()));
    batch.row_starts.push_back(0);
    const size_t pages = (prompt.size() + engine::kPageTokens - 1) / engine::kPageTokens;
    for (size_t page = 0; page < pages; ++page) batch.pages.push_back(static_cast<engine::PageId>(batch.pages.size()));
    batch.page_offsets.push_back(static_cast<int32_t>(batch.pages.size()));
  }
  return batch;
}

// A fifth of the rows are hard, first in one graph, then with the host in between.
std::vector<Figure> one_graph(engine::Backend& small, engine::Backend& large, const std::string& precision) {
  const std::vector<std::vector<int32_t>> prompts = prompts_of(std::vector<int32_t>(kGraphMessages, 20), 5);
  const engine::Batch all = batch_of(prompts);
  engine::EscalationPlan plan{.threshold = 0.5,
                              .rows = std::vector<engine::RowRule>(prompts.size(), engine::RowRule::kForbidden)};
  std::vector<std::vector<int32_t>> hard;
  for (size_t row = 0; row < prompts.size(); row += 5) {
    plan.rows[row] = engine::RowRule::kForced;
    hard.push_back(prompts[row]);
  }
  const engine::Batch hard_batch = batch_of(hard);
  std::vector<double> in_one, in_two;
  small.cascade(all, all, plan, {});  // captures the graph
  for (int32_t replay = 0; replay < kGraphReplays; ++replay) {
    Clock::time_point start = Clock::now();
    small.cascade(all, all, plan, {});
    in_one.push_back(milliseconds_since(start));
    start = Clock::now();
    small.forward(all, {});
    large.forward(hard_batch, {});
    in_two.push_back(milliseconds_since(start));
  }
  const std::string what = std::to_string(kGraphMessages) + " prompts of 216 tokens, 7 hard, " + precision;
  return {figure_of("cascade in one graph: " + what, "ms", std::move(in_one)),
          figure_of("cascade in two passes: " + what, "ms", std::move(in_two))};
}

// 10^12 floating-point operations of the products of a full pass: the last layer's, but for that of queries, keys and
// values, run for one token of each prompt.
double product_teraflop(const model::ModelSpec& spec) {
  const double qkv = static_cast<double>(spec.qkv_size()) * spec.hidden_size;
  const double rest = static_cast<double>(spec.query_size()) * spec.hidden_size +
                      3.0 * static_cast<double>(spec.intermediate_size) * spec.hidden_size;
  const double prompts = static_cast<double>(kBatchTokens) / kFullPassPrompt;
  return 2e-12 * (kBatchTokens * (qkv + rest) * spec.layers - (kBatchTokens - prompts) * rest);
}

// What the products of a full pass reach of the measured bf16 peak, everything between them counted as if it were
// theirs.
Figure full_pass(engine::Backend& guard, const model::ModelSpec& spec, const std::string& name, double peak) {
  const std::vector<int32_t> messages(kBatchTokens / kFullPassPrompt, kFullPassPrompt - kHeadTokens - kTailTokens);
  const engine::Batch batch = batch_of(prompts_of(messages, 6));
  std::vector<double> shares;
  for (int32_t pass = -1; pass < kFullPasses; ++pass) {
    const Clock::time_point start = Clock::now();
    guard.forward(batch, {});
    const double rate = product_teraflop(spec) / (milliseconds_since(start) / 1000);
    if (pass >= 0) shares.push_back(100 * rate / peak);
  }
  return figure_at_least("pass of 8,192 tokens, " + name + ", of the measured bf16 peak", "%", shares, 60);
}

}  // namespace

void run_guard_cases(const GuardCases& cases, const Report& report) {
  const bool fp8 = cases.precision == cuda::Precision::kFp8;
  const std::string precision = fp8 ? "FP8" : "bf16";
  cuda::PairSource source;
  source.small = test::made_up_guard(cases.folder, "llama-guard-3-1b", cuda::llama_guard_3_1b(), true);
  source.large = test::made_up_guard(cases.folder, "llama-guard-3-8b", cuda::llama_guard_3_8b(), false);
  source.small.precision = source.large->precision = cases.precision;
  source.small.kv_bytes = 2ull << 30;
  source.large->kv_bytes = 6ull << 30;
  source.batch_tokens = kBatchTokens;
  const std::vector<int32_t> lengths = message_lengths(cases.histogram);
  const Clock::time_point start = Clock::now();
  {
    cuda::Pair pair(source);
    RunningEngine engine(pair, kBatchTokens);
    report(figure_of("load of both guards, " + precision, "s", {milliseconds_since(start) / 1000}));
    const std::string set = std::to_string(lengths.size()) + " messages, ";
    report(single_checks(engine, lengths, precision));
    report(whole_set(engine, cases, lengths, engine::Target::kSmall, set + "small guard, " + precision, 0));
    report(whole_set(engine, cases, lengths, engine::Target::kCascade, set + "20 % escalated, " + precision,
                     fp8 ? 2.2 : 3.5));
    report(whole_set(engine, cases, lengths, engine::Target::kLarge, set + "large guard, " + precision, fp8 ? 0 : 10));
  }
  // A pair's memory is handed out once, so these guards are of another.
  cuda::Pair pair(source);
  const std::unique_ptr<engine::Backend> small = pair.make_guard(cuda::GuardRole::kSmall, {});
  const std::unique_ptr<engine::Backend> large = pair.make_guard(cuda::GuardRole::kLarge, {});
  for (Figure& figure : one_graph(*small, *large, precision)) report(std::move(figure));
  report(full_pass(*small, cuda::llama_guard_3_1b(), "small guard, " + precision, cases.peak));
  report(full_pass(*large, cuda::llama_guard_3_8b(), "large guard, " + precision, cases.peak));
}

}  // namespace saferoute::bench
