#include "engine/reading.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace saferoute::engine {
namespace {

// Over the logits whose token is of the asked kind, shifted by their maximum so that no exponent overflows.
double log_sum_exp(std::span<const float> logits, std::span<const uint8_t> verdict_unsafe, bool unsafe) {
  double maximum = -std::numeric_limits<double>::infinity();
  for (size_t token = 0; token < logits.size(); ++token) {
    if ((verdict_unsafe[token] != 0) == unsafe) maximum = std::max(maximum, static_cast<double>(logits[token]));
  }
  double sum = 0;
  for (size_t token = 0; token < logits.size(); ++token) {
    if ((verdict_unsafe[token] != 0) == unsafe) sum += std::exp(static_cast<double>(logits[token]) - maximum);
  }
  return maximum + std::log(sum);
}

// The name of the first number of `row` that is not finite, as in "logit of verdict token 1"; empty where all are.
std::string find_not_finite(std::span<const float> logits, const float* hardness, std::span<const float> feature) {
  const auto is_bad = [](float value) { return !std::isfinite(value); };
  if (const auto bad = std::find_if(logits.begin(), logits.end(), is_bad); bad != logits.end()) {
    return "logit of verdict token " + std::to_string(bad - logits.begin()) + " is " + std::to_string(*bad);
  }
  if (hardness && is_bad(*hardness)) return "hardness is " + std::to_string(*hardness);
  if (const auto bad = std::find_if(feature.begin(), feature.end(), is_bad); bad != feature.end()) {
    return "feature is " + std::to_string(*bad) + " at index " + std::to_string(bad - feature.begin());
  }
  return {};
}

void check_size(std::string_view guard, const char* what, size_t actual, size_t expected) {
  if (actual == expected) return;
  throw Error(ErrorCode::kBackend, "the " + std::string(guard) + " answered with " + std::to_string(actual) + " " +
                                       what + ", expected " + std::to_string(expected));
}

}  // namespace

Reading read_verdict(std::span<const float> logits, std::span<const uint8_t> verdict_unsafe) {
  Reading reading;
  reading.safe = log_sum_exp(logits, verdict_unsafe, false);
  reading.unsafe = log_sum_exp(logits, verdict_unsafe, true);
  // exp overflows to infinity where the guard is very sure of "safe": the quotient is then 0, as it should be.
  reading.score = 1 / (1 + std::exp(reading.safe - reading.unsafe));
  return reading;
}

Outcome read_row(const BatchReading& batch, const GuardInfo& info, std::string_view guard, int32_t row,
                 bool want_feature) {
  const size_t index = static_cast<size_t>(row);
  const size_t verdict_tokens = info.verdict_unsafe.size();
  const size_t hidden_size = static_cast<size_t>(info.hidden_size);
  const std::span logits = std::span(batch.logits).subspan(index * verdict_tokens, verdict_tokens);
  const float* hardness = info.has_router ? &batch.hardness[index] : nullptr;
  std::span<const float> feature;
  if (want_feature) feature = std::span(batch.features).subspan(index * hidden_size, hidden_size);

  Outcome outcome;
  if (const std::string bad = find_not_finite(logits, hardness, feature); !bad.empty()) {
    outcome.error = Error(ErrorCode::kNotFinite, "the " + std::string(guard) + "'s " + bad + ": there is no verdict");
    return outcome;
  }
  outcome.reading = read_verdict(logits, info.verdict_unsafe);
  outcome.reading.feature.assign(feature.begin(), feature.end());
  if (hardness) outcome.hardness = *hardness;
  return outcome;
}

std::optional<Error> hardness_error(float hardness) {
  if (std::isfinite(hardness)) return std::nullopt;
  return Error(ErrorCode::kNotFinite, "the router's hardness is " + std::to_string(hardness));
}

void check_shape(const BatchReading& reading, int32_t rows, bool want_features, const GuardInfo& info,
                 std::string_view guard) {
  const size_t count = static_cast<size_t>(rows);
  check_size(guard, "logits", reading.logits.size(), count * info.verdict_unsafe.size());
  if (info.has_router) check_size(guard, "hardness values", reading.hardness.size(), count);
  if (want_features) {
    check_size(guard, "feature values", reading.features.size(), count * static_cast<size_t>(info.hidden_size));
  }
}

}  // namespace saferoute::engine
