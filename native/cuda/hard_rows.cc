#include "cuda/hard_rows.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "engine/error.h"

namespace saferoute::cuda {
namespace {

static_assert(static_cast<int>(engine::RowRule::kByHardness) == static_cast<int>(RowPlan::kByRule));
static_assert(static_cast<int>(engine::RowRule::kForced) == static_cast<int>(RowPlan::kForced));
static_assert(static_cast<int>(engine::RowRule::kForbidden) == static_cast<int>(RowPlan::kForbidden));

bool has_tokens(const engine::Batch& batch, int32_t row) {
  const auto index = static_cast<size_t>(row);
  return batch.row_offsets[index + 1] > batch.row_offsets[index];
}

}  // namespace

CascadeInputs cascade_inputs(const engine::Batch& small, const engine::Batch& large,
                             const engine::EscalationPlan& plan) {
  const int32_t rows = small.rows();
  if (large.rows() != rows || plan.rows.size() != static_cast<size_t>(rows)) {
    throw Error(ErrorCode::kInvalidArgument,
                "a cascade of " + std::to_string(rows) + " rows was given " + std::to_string(large.rows()) +
                    " rows for the large guard and a plan for " + std::to_string(plan.rows.size()));
  }
  CascadeInputs inputs{.small = small, .large = large, .threshold = threshold_below(plan.threshold), .plan = {}};
  for (int32_t row = 0; row < rows; ++row) {
    const engine::RowRule rule = plan.rows[static_cast<size_t>(row)];
    if (rule != engine::RowRule::kForbidden && !has_tokens(large, row)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "row " + std::to_string(row) + " of a cascade has no tokens for the large guard");
    }
    inputs.plan.push_back(static_cast<RowPlan>(rule));
  }
  return inputs;
}

float threshold_below(double threshold) {
  const auto nearest = static_cast<float>(threshold);
  if (static_cast<double>(nearest) <= threshold) return nearest;
  return std::nextafter(nearest, -std::numeric_limits<float>::infinity());
}

std::vector<int32_t> pick_hard_rows(std::span<const float> hardness, const CascadeInputs& inputs) {
  std::vector<int32_t> rows;
  for (size_t row = 0; row < inputs.plan.size(); ++row) {
    const RowPlan plan = inputs.plan[row];
    const bool is_hard = plan == RowPlan::kForced || (plan == RowPlan::kByRule && hardness[row] > inputs.threshold);
    if (is_hard) rows.push_back(static_cast<int32_t>(row));
  }
  return rows;
}

engine::Batch rows_of(const engine::Batch& batch, std::span<const int32_t> rows) {
  engine::Batch picked;
  picked.row_offsets.push_back(0);
  picked.page_offsets.push_back(0);
  picked.copies = batch.copies;
  picked.want_features = batch.want_features;
  for (const int32_t row : rows) {
    const auto index = static_cast<size_t>(row);
    picked.tokens.insert(picked.tokens.end(), batch.tokens.begin() + batch.row_offsets[index],
                         batch.tokens.begin() + batch.row_offsets[index + 1]);
    picked.row_offsets.push_back(static_cast<int32_t>(picked.tokens.size()));
    picked.row_starts.push_back(batch.row_starts[index]);
    picked.pages.insert(picked.pages.end(), batch.pages.begin() + batch.page_offsets[index],
                        batch.pages.begin() + batch.page_offsets[index + 1]);
    picked.page_offsets.push_back(static_cast<int32_t>(picked.pages.size()));
  }
  return picked;
}

engine::Batch made_up_batch(int32_t tokens, int32_t vocab_size) {
  constexpr int64_t kStride = 7919;  // a prime: neighbours differ
  engine::Batch batch;
  for (int64_t token = 0; token < tokens; ++token) {
    batch.tokens.push_back(static_cast<int32_t>(token * kStride % vocab_size));
  }
  batch.row_offsets = {0, tokens};
  batch.row_starts = {0};
  batch.pages.resize(static_cast<size_t>((tokens + engine::kPageTokens - 1) / engine::kPageTokens));
  std::iota(batch.pages.begin(), batch.pages.end(), 0);
  batch.page_offsets = {0, static_cast<int32_t>(batch.pages.size())};
  return batch;
}

}  // namespace saferoute::cuda
