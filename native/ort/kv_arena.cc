#include "ort/kv_arena.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_set>

#include "engine/error.h"

namespace saferoute::ort {
namespace {

static_assert(cpu::kKvPageTokens == engine::kPageTokens);

uint64_t page_bytes_of(const model::ModelSpec& spec, cpu::KvFormat format) {
  const cpu::QkvShape shape{spec.heads, spec.kv_heads, spec.head_dim};
  return static_cast<uint64_t>(spec.layers) * static_cast<uint64_t>(cpu::kv_layer_bytes(shape, format));
}

int32_t pages_in(uint64_t budget_bytes, uint64_t page_bytes) {
  constexpr uint64_t kMost = std::numeric_limits<engine::PageId>::max() / 2;  // leaves ids for pages beyond the budget
  return static_cast<int32_t>(std::clamp<uint64_t>(budget_bytes / page_bytes, 1, kMost));
}

}  // namespace

KvArena::KvArena(const model::ModelSpec& spec, cpu::KvFormat format, uint64_t budget_bytes)
    : format_(format),
      page_bytes_(page_bytes_of(spec, format)),
      pages_(pages_in(budget_bytes, page_bytes_)),
      budget_(static_cast<uint64_t>(pages_) * page_bytes_) {}

// The engine hands out its lowest ids first.
void KvArena::warm(int64_t tokens) {
  const int64_t needed = (tokens + engine::kPageTokens - 1) / engine::kPageTokens;
  std::memset(budget_.data(), 0, static_cast<uint64_t>(std::min<int64_t>(needed, pages_)) * page_bytes_);
}

std::byte* KvArena::find(engine::PageId id) const {
  if (id < pages_) return budget_.data() + static_cast<uint64_t>(id) * page_bytes_;
  const auto page = overflow_.find(id);
  return page == overflow_.end() ? nullptr : page->second.data();
}

std::byte* KvArena::find_or_make(engine::PageId id) {
  std::byte* const page = find(id);
  return page != nullptr ? page : overflow_.emplace(id, AnonymousMemory(page_bytes_)).first->second.data();
}

uint64_t KvArena::missing_bytes(const engine::Batch& batch) const {
  std::unordered_set<engine::PageId> missing;
  for (const engine::PageId id : batch.pages) {
    if (find(id) == nullptr) missing.insert(id);
  }
  return missing.size() * page_bytes_;
}

void KvArena::copy(engine::PageCopy copy) {
  const std::byte* const from = find(copy.from);
  std::byte* const to = find(copy.to);
  if (from == nullptr || to == nullptr) {
    throw Error(ErrorCode::kInvalidArgument, "page " + std::to_string(copy.from) + " can't be copied to page " +
                                                 std::to_string(copy.to) + ": one of them does not exist");
  }
  if (from != to) std::memcpy(to, from, page_bytes_);
}

void KvArena::bind(const engine::Batch& batch) {
  addresses_.clear();
  for (const engine::PageId id : batch.pages) addresses_.push_back(find_or_make(id));
  for (const engine::PageCopy& each : batch.copies) copy(each);
  current_ = {.pages = addresses_.data(),
              .page_offsets = batch.page_offsets.data(),
              .row_offsets = batch.row_offsets.data(),
              .row_starts = batch.row_starts.data(),
              .rows = batch.rows(),
              .format = format_};
}

}  // namespace saferoute::ort
