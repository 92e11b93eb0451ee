// What a device does between the two guards of a cascade, without a device: picks the rows and leaves out the others.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/device_cascade.h"

namespace saferoute::engine {

// The rows that are hard by `plan`, rising. `hardness` (rows).
inline std::vector<int32_t> pick_hard_rows(std::span<const float> hardness, const EscalationPlan& plan) {
  std::vector<int32_t> rows;
  for (size_t row = 0; row < plan.rows.size(); ++row) {
    const RowRule rule = plan.rows[row];
    if (rule == RowRule::kForced || (rule == RowRule::kByHardness && hardness[row] > plan.threshold)) {
      rows.push_back(static_cast<int32_t>(row));
    }
  }
  return rows;
}

// `rows` of `batch`, with all of its page copies.
inline Batch rows_of(const Batch& batch, std::span<const int32_t> rows) {
  Batch picked;
  picked.row_offsets = picked.page_offsets = {0};
  picked.copies = batch.copies;
  picked.want_features = batch.want_features;
  for (const int32_t row : rows) {
    picked.tokens.insert(picked.tokens.end(), batch.tokens.begin() + batch.row_offsets[row],
                         batch.tokens.begin() + batch.row_offsets[row + 1]);
    picked.pages.insert(picked.pages.end(), batch.pages.begin() + batch.page_offsets[row],
                        batch.pages.begin() + batch.page_offsets[row + 1]);
    picked.row_offsets.push_back(static_cast<int32_t>(picked.tokens.size()));
    picked.page_offsets.push_back(static_cast<int32_t>(picked.pages.size()));
    picked.row_starts.push_back(batch.row_starts[row]);
  }
  return picked;
}

}  // namespace saferoute::engine
