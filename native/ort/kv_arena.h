// Keys and values of a guard's prompts: the pages that the engine hands out by id, and where those of the pass in
// progress lie.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "cpu/kv_pages.h"
#include "engine/backend.h"
#include "model/model_spec.h"
#include "ort/anonymous_memory.h"

namespace saferoute::ort {

// Used only on the thread of its backend; operators read current() while that thread runs the session.
class KvArena {
 public:
  // Address space for as many pages as `budget_bytes` holds, at least one; a page takes memory once it is touched.
  KvArena(const model::ModelSpec& spec, cpu::KvFormat format, uint64_t budget_bytes);

  int32_t pages() const { return pages_; }
  uint64_t page_bytes() const { return page_bytes_; }

  // Touches the pages that a prompt of `tokens` takes first, as far as the budget holds them: the system clears memory
  // when it is touched, which otherwise costs the first passes a tenth of their time. No other call may be under way.
  void warm(int64_t tokens);

  // Bytes of the pages beyond the budget that `batch` names and that do not exist yet.
  uint64_t missing_bytes(const engine::Batch& batch) const;

  // Makes those pages, does the batch's copies, and lets current() be the batch's pages; `batch` must stay as it is
  // until the next bind. Throws Error(kInvalidArgument) for a copy from a page that does not exist, Error(kMemory)
  // where the system refuses.
  void bind(const engine::Batch& batch);

  // The pages of the batch that was bound last.
  const cpu::KvPages& current() const { return current_; }

  // Bytes of the pages beyond the budget that exist.
  uint64_t overflow_bytes() const { return overflow_.size() * page_bytes_; }

  // Frees them.
  void release_overflow() { overflow_.clear(); }

 private:
  std::byte* find(engine::PageId id) const;  // null where it does not exist
  std::byte* find_or_make(engine::PageId id);
  void copy(engine::PageCopy copy);

  cpu::KvFormat format_;
  uint64_t page_bytes_;
  int32_t pages_;
  AnonymousMemory budget_;  // (pages, page_bytes); a page is (layers, 2, kv_heads, kv_head_elements)
  std::unordered_map<engine::PageId, AnonymousMemory> overflow_;
  std::vector<std::byte*> addresses_;  // of the bound batch's pages, in its order
  cpu::KvPages current_;               // of the bound batch, whose buffers it refers to
};

}  // namespace saferoute::ort
