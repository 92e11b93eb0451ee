#include "engine/pass_batch.h"

#include <span>

namespace saferoute::engine {
namespace {

void clear(Batch& batch) {
  batch.tokens.clear();
  batch.row_offsets.assign(1, 0);
  batch.row_starts.clear();
  batch.pages.clear();
  batch.page_offsets.assign(1, 0);
  batch.copies.clear();
  batch.want_features = false;
}

void end_row(Batch& batch, int32_t start) {
  batch.row_starts.push_back(start);
  batch.row_offsets.push_back(static_cast<int32_t>(batch.tokens.size()));
  batch.page_offsets.push_back(static_cast<int32_t>(batch.pages.size()));
}

// A row of the tokens [start, end) of the prompt `ids`, and of the pages that those up to there fill.
void add_row(Batch& batch, std::span<const int32_t> ids, const PageLease& lease, int32_t start, int32_t end) {
  batch.tokens.insert(batch.tokens.end(), ids.begin() + start, ids.begin() + end);
  const int32_t filled = (end + kPageTokens - 1) / kPageTokens;
  batch.pages.insert(batch.pages.end(), lease.pages.begin(), lease.pages.begin() + filled);
  if (lease.copy && start == lease.cached_tokens) batch.copies.push_back(*lease.copy);
  end_row(batch, start);
}

}  // namespace

void fill_batch(Batch& batch, const Flight& flight) {
  clear(batch);
  for (const Job& job : flight.jobs) {
    add_row(batch, job.ids(), *job.lease, job.ready_tokens, job.ready_tokens + job.slice_tokens);
    batch.want_features |= job.request.want_feature && job.ends_in_flight();
  }
}

void fill_large_batch(Batch& batch, const Flight& flight) {
  clear(batch);
  auto lease = flight.claim->leases.begin();
  for (const Job& job : flight.jobs) {
    if (*lease) {
      const std::vector<int32_t>& ids = job.ids_for(LaneId::kLarge);
      add_row(batch, ids, **lease, (*lease)->cached_tokens, static_cast<int32_t>(ids.size()));
      batch.want_features |= job.request.want_feature;
    } else {
      end_row(batch, 0);
    }
    ++lease;
  }
}

}  // namespace saferoute::engine
