#include "cuda/memory_plan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "cuda/plan_table.h"
#include "engine/backend.h"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

// Streamed layers on the device at a time: one is computed with while the next arrives.
constexpr int32_t kMostSlots = 2;

int32_t pages_for(int64_t tokens) {
  return static_cast<int32_t>((tokens + engine::kPageTokens - 1) / engine::kPageTokens);
}

// Pages of keys and values of a guard.
struct PageWishes {
  int32_t least = 1;
  int32_t asked = 1;
  int32_t longest = 1;  // at least what was asked
};

PageWishes page_wishes(const GuardDemand& demand) {
  constexpr uint64_t kMost = std::numeric_limits<int32_t>::max() / 2;
  const uint64_t asked = std::clamp<uint64_t>(demand.kv_bytes / kv_page_bytes(demand.spec), 1, kMost);
  PageWishes wishes;
  wishes.asked = static_cast<int32_t>(asked);
  wishes.longest = std::max(wishes.asked, pages_for(demand.spec.max_positions));
  // Every row of a pass begins a page of its own.
  const int64_t pass_pages = static_cast<int64_t>(pages_for(demand.batch_tokens)) + demand.batch_rows;
  wishes.least = static_cast<int32_t>(std::min<int64_t>(pass_pages, wishes.asked));
  return wishes;
}

// Lets the driver hold what does not fit: the embedding table, and `streamed` layers. So few that each has a slot of
// its own save nothing.
void stream(GuardPlan& guard, int32_t streamed) {
  guard.embedding_on_host = true;
  guard.streamed_layers = streamed;
  guard.stream_slots = std::min(streamed, kMostSlots);
}

uint64_t bytes_for(const GuardPlan& guard, Purpose purpose) {
  const auto layers = static_cast<uint64_t>(guard.demand.spec.layers - guard.streamed_layers);
  switch (purpose) {
    case Purpose::kLayers:
      return layers * guard.layer.bytes;
    case Purpose::kSlots:
      return static_cast<uint64_t>(guard.stream_slots) * guard.layer.bytes;
    case Purpose::kHead:
      return guard.head.bytes;
    case Purpose::kEmbedding:
      return guard.embedding_on_host ? 0 : embedding_bytes(guard.demand.spec);
    case Purpose::kKvPages:
      return static_cast<uint64_t>(guard.kv_pages) * guard.page_bytes;
    case Purpose::kPass:
      return guard.pass.bytes;
    case Purpose::kWorkspace:
      return kWorkspaceBytes;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "no part of a guard's memory has the number " + std::to_string(static_cast<int>(purpose)));
}

// Puts all regions one behind another.
void place(MemoryPlan& plan) {
  plan.arena_bytes = 0;
  for (GuardPlan& guard : plan.guards) {
    for (size_t i = 0; i < kPurposes; ++i) {
      guard.regions[i] = {.offset = plan.arena_bytes, .bytes = aligned(bytes_for(guard, static_cast<Purpose>(i)))};
      plan.arena_bytes += guard.regions[i].bytes;
    }
  }
}

// Gives the guards pages up to `targets`, each as large a part of what it lacks as the others, out of `spare_bytes`.
void grow_pages(MemoryPlan& plan, const std::vector<int32_t>& targets, uint64_t spare_bytes) {
  std::vector<double> lacking;  // bytes
  double total = 0;
  for (size_t i = 0; i < plan.guards.size(); ++i) {
    const GuardPlan& guard = plan.guards[i];
    lacking.push_back(static_cast<double>(targets[i] - guard.kv_pages) * static_cast<double>(guard.page_bytes));
    total += lacking[i];
  }
  if (total <= 0) return;
  for (size_t i = 0; i < plan.guards.size(); ++i) {
    GuardPlan& guard = plan.guards[i];
    if (total <= static_cast<double>(spare_bytes)) {
      guard.kv_pages = targets[i];
      continue;
    }
    const double share = static_cast<double>(spare_bytes) * (lacking[i] / total);
    guard.kv_pages += static_cast<int32_t>(share / static_cast<double>(guard.page_bytes));
  }
  place(plan);
}

uint64_t spare_bytes(const MemoryPlan& plan) {
  // Pages are not multiples of the alignment everywhere, so a region may end up to one alignment later.
  const uint64_t taken = plan.device_bytes() + plan.guards.size() * kDeviceAlignment;
  return plan.budget.bytes > taken ? plan.budget.bytes - taken : 0;
}

bool fits_device(const MemoryPlan& plan) { return plan.device_bytes() <= plan.budget.bytes; }

// The last guard gives up its embedding table, then as few layers as it takes.
void stream_until_fits(MemoryPlan& plan) {
  GuardPlan& last = plan.guards.back();
  if (fits_device(plan)) return;
  stream(last, 0);
  place(plan);
  for (int32_t streamed = kMostSlots + 1; streamed <= last.demand.spec.layers && !fits_device(plan); ++streamed) {
    stream(last, streamed);
    place(plan);
  }
}

std::string shortfall(const MemoryPlan& plan) {
  if (!fits_device(plan)) {
    return "at least " + size_text(plan.device_bytes()) +
           " of the device's memory are needed, with the weights of the " + plan.guards.back().demand.name +
           " guard streamed from host memory; the budget is " + size_text(plan.budget.bytes);
  }
  return size_text(plan.pinned_bytes()) + " of host memory would have to be pinned for the weights of the " +
         plan.guards.back().demand.name + " guard, " + size_text(plan.host_bytes) + " are available";
}

std::string notice_of(const MemoryPlan& plan, const std::vector<PageWishes>& wishes) {
  if (!plan.fits()) return shortfall(plan);
  std::string notice;
  const auto add = [&](const std::string& sentence) { notice += (notice.empty() ? "" : "; ") + sentence; };
  const GuardPlan& last = plan.guards.back();
  if (last.streamed_layers > 0) {
    add(std::to_string(last.streamed_layers) + " of the " + std::to_string(last.demand.spec.layers) +
        " layers of the " + last.demand.name + " guard do not fit on the device: " +
        size_text(static_cast<uint64_t>(last.streamed_layers) * last.layer.bytes) +
        " are copied there from host memory in every pass");
  } else if (last.embedding_on_host) {
    add("the embedding table of the " + last.demand.name + " guard lies in host memory");
  }
  for (size_t i = 0; i < plan.guards.size(); ++i) {
    const GuardPlan& guard = plan.guards[i];
    if (guard.kv_pages >= wishes[i].asked) continue;
    add("keys and values of the " + guard.demand.name + " guard get " +
        size_text(static_cast<uint64_t>(guard.kv_pages) * guard.page_bytes) + " of the " +
        size_text(guard.demand.kv_bytes) + " asked for");
  }
  return notice;
}

}  // namespace

const char* purpose_name(Purpose purpose) {
  switch (purpose) {
    case Purpose::kLayers:
      return "layers";
    case Purpose::kSlots:
      return "stream slots";
    case Purpose::kHead:
      return "head";
    case Purpose::kEmbedding:
      return "embedding";
    case Purpose::kKvPages:
      return "keys and values";
    case Purpose::kPass:
      return "pass";
    case Purpose::kWorkspace:
      return "workspace";
  }
  return "unknown";
}

uint64_t GuardPlan::device_bytes() const {
  uint64_t bytes = 0;
  for (const Region& region : regions) bytes += region.bytes;
  return bytes;
}

uint64_t GuardPlan::pinned_bytes() const {
  return static_cast<uint64_t>(streamed_layers) * layer.bytes + (embedding_on_host ? embedding_bytes(demand.spec) : 0);
}

int64_t GuardPlan::longest_prompt() const {
  return std::min<int64_t>(static_cast<int64_t>(kv_pages) * engine::kPageTokens, demand.spec.max_positions);
}

uint64_t MemoryPlan::pinned_bytes() const {
  uint64_t bytes = 0;
  for (const GuardPlan& guard : guards) bytes += guard.pinned_bytes();
  return bytes;
}

MemoryPlan plan_memory(const MemoryRequest& request) {
  if (request.guards.empty() || request.guards.size() > 2) {
    throw Error(ErrorCode::kInvalidArgument,
                "a load has one guard or two, not " + std::to_string(request.guards.size()));
  }
  MemoryPlan plan{.guards = {},
                  .budget = request.budget,
                  .host_bytes = request.host_bytes,
                  .arena_bytes = 0,
                  .graph_bytes = request.guards.size() * kGraphBytes,
                  .notice = {}};
  std::vector<PageWishes> wishes;
  std::vector<int32_t> asked, longest;
  for (const GuardDemand& demand : request.guards) {
    wishes.push_back(page_wishes(demand));
    asked.push_back(wishes.back().asked);
    longest.push_back(wishes.back().longest);
    GuardPlan& guard = plan.guards.emplace_back();
    guard.demand = demand;
    guard.layer = layer_layout(demand.spec, demand.precision);
    guard.head = head_layout(demand.spec, demand.verdict_tokens, demand.router.bytes);
    guard.pass = pass_buffers(demand);
    guard.kv_pages = wishes.back().least;
    guard.page_bytes = kv_page_bytes(demand.spec);
  }
  place(plan);
  stream_until_fits(plan);
  if (plan.fits()) {
    grow_pages(plan, asked, spare_bytes(plan));
    grow_pages(plan, longest, spare_bytes(plan) / 2);
  }
  plan.notice = notice_of(plan, wishes);
  return plan;
}

void require_fits(const MemoryPlan& plan) {
  if (!plan.fits()) throw Error(ErrorCode::kMemory, plan.notice + "\n" + plan_table(plan));
}

}  // namespace saferoute::cuda
