// Turns the numbers of a forward pass into a guard's reading of one row, or into the error that stands in its place.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/backend.h"
#include "engine/error.h"
#include "engine/request.h"

namespace saferoute::engine {

// What became of one row of a pass, or of one route job. With an error, nothing else in it counts.
struct Outcome {
  Reading reading;
  std::optional<double> hardness;  // empty where the guard carries no router
  std::optional<Error> error;
};

// The same of the large guard, where it has read a row of a cascade.
struct LargeOutcome {
  Outcome outcome;
  int32_t cached_tokens = 0;
  int32_t computed_tokens = 0;
};

// What became of one job of a flight.
struct JobOutcome {
  Outcome own;  // by the guard of the flight's lane
  std::optional<LargeOutcome> large;
};

// Log-sum-exp of the safe and of the unsafe logits and P(unsafe), in double. Finite logits give a finite reading.
// `logits` (verdict_tokens), `verdict_unsafe` (verdict_tokens) with at least one token of each kind.
Reading read_verdict(std::span<const float> logits, std::span<const uint8_t> verdict_unsafe);

// Row `row` of what `guard` ("small guard") answered. A number that is not finite becomes Error(kNotFinite) in the
// outcome: never a verdict.
Outcome read_row(const BatchReading& batch, const GuardInfo& info, std::string_view guard, int32_t row,
                 bool want_feature);

// What stands in the place of a router's answer that is not finite.
std::optional<Error> hardness_error(float hardness);

// Throws Error(kBackend) where the answer's sizes are not those of `rows` rows.
void check_shape(const BatchReading& reading, int32_t rows, bool want_features, const GuardInfo& info,
                 std::string_view guard);

}  // namespace saferoute::engine
