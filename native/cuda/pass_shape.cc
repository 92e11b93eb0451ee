#include "cuda/pass_shape.h"

#include <algorithm>
#include <bit>
#include <set>

namespace saferoute::cuda {
namespace {

constexpr int32_t kTokenStep = 16;
constexpr int32_t kLeastKeys = 256;

int32_t raise_tokens(int32_t tokens) {
  const auto below = static_cast<uint32_t>(std::max(tokens - 1, 1));
  const int32_t step = std::max(kTokenStep, static_cast<int32_t>(std::bit_floor(below)) / 4);
  return (tokens + step - 1) / step * step;
}

int32_t raise_rows(int32_t rows, int32_t limit) {
  for (const int32_t step : {1, 8, 64}) {
    if (rows <= step) return step;
  }
  return limit;
}

}  // namespace

int64_t PassLimits::pages() const {
  const int64_t per_row = (static_cast<int64_t>(keys) + engine::kPageTokens - 1) / engine::kPageTokens;
  return per_row * rows;
}

PassShape shape_of(const engine::Batch& batch) {
  PassShape shape{.tokens = batch.row_offsets.back(), .rows = batch.rows(), .keys = 0};
  for (size_t row = 0; row < batch.row_starts.size(); ++row) {
    shape.keys = std::max(shape.keys, batch.row_starts[row] + batch.row_offsets[row + 1] - batch.row_offsets[row]);
  }
  return shape;
}

PassShape raised(const PassShape& pass, const PassLimits& limits) {
  const auto keys = static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(std::max(pass.keys, kLeastKeys))));
  return {.tokens = std::min(raise_tokens(pass.tokens), limits.tokens),
          .rows = std::min(raise_rows(pass.rows, limits.rows), limits.rows),
          .keys = std::min(keys, limits.keys)};
}

std::vector<PassShape> warm_up_shapes(const PassLimits& limits) {
  const int32_t most = std::min(limits.tokens, kMostGraphTokens);
  std::vector<PassShape> shapes;
  std::set<PassShape> seen;
  for (const int32_t rows : {1, 8, 64}) {
    for (int32_t tokens = std::max(rows, kTokenStep); tokens <= most; tokens = raise_tokens(tokens + 1)) {
      const PassShape shape = raised({.tokens = tokens, .rows = rows, .keys = 2 * kLeastKeys}, limits);
      if (seen.insert(shape).second) shapes.push_back(shape);
    }
  }
  return shapes;
}

std::vector<PassShape> cascade_branches(const PassShape& all, const PassLimits& limits) {
  std::vector<PassShape> branches;
  for (const int32_t part : {8, 4, 2, 1}) {
    PassShape branch = raised({.tokens = (all.tokens + part - 1) / part, .rows = all.rows, .keys = all.keys}, limits);
    // A row has a token at least.
    branch.rows = std::min(branch.rows, branch.tokens);
    if (branches.empty() || branches.back() != branch) branches.push_back(branch);
  }
  return branches;
}

}  // namespace saferoute::cuda
