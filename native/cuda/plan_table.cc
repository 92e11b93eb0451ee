#include "cuda/plan_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace saferoute::cuda {
namespace {

struct Line {
  std::string guard;
  std::string part;
  std::string size;
  std::string what;
};

std::string count_text(int64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string layers_text(const GuardPlan& guard) {
  const char* format = guard.demand.precision == Precision::kFp8 ? "FP8" : "bf16";
  const int32_t standing = guard.demand.spec.layers - guard.streamed_layers;
  return count_text(standing, "layer") + " of " + size_text(guard.layer.bytes) + " in " + format;
}

std::string slots_text(const GuardPlan& guard) {
  return count_text(guard.stream_slots, "slot") + ", through which " + count_text(guard.streamed_layers, "layer") +
         " of host memory pass";
}

std::string pages_text(const GuardPlan& guard) {
  return count_text(guard.kv_pages, "page") + " of " + size_text(guard.page_bytes) + ": prompts of up to " +
         std::to_string(guard.longest_prompt()) + " tokens";
}

std::string what_text(const GuardPlan& guard, Purpose purpose) {
  switch (purpose) {
    case Purpose::kLayers:
      return layers_text(guard);
    case Purpose::kSlots:
      return slots_text(guard);
    case Purpose::kHead:
      return "final norm, " + count_text(guard.demand.verdict_tokens, "verdict row") +
             (guard.demand.router.bytes > 0 ? ", router" : "");
    case Purpose::kEmbedding:
      return count_text(guard.demand.spec.vocab_size, "row") + " in bf16";
    case Purpose::kKvPages:
      return pages_text(guard);
    case Purpose::kPass:
      return "up to " + std::to_string(guard.demand.batch_tokens) + " tokens in " +
             std::to_string(guard.demand.batch_rows) + " rows";
    case Purpose::kWorkspace:
      return "of cuBLASLt";
  }
  return "";
}

void add_guard(const GuardPlan& guard, std::vector<Line>& lines) {
  const std::string& name = guard.demand.name;
  for (size_t i = 0; i < kPurposes; ++i) {
    const auto purpose = static_cast<Purpose>(i);
    const Region& region = guard.region(purpose);
    if (region.bytes == 0) continue;
    lines.push_back({name, purpose_name(purpose), size_text(region.bytes), what_text(guard, purpose)});
  }
  lines.push_back({name, "graphs", size_text(kGraphBytes), "left to the driver"});
  if (guard.pinned_bytes() > 0) {
    std::string what = "embedding";
    if (guard.streamed_layers > 0) what += ", " + count_text(guard.streamed_layers, "layer");
    lines.push_back({name, "host memory", size_text(guard.pinned_bytes()), what + "; pinned, not on the device"});
  }
}

std::string padded(const std::string& text, size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

std::string limit_text(const GpuBudget& budget) {
  if (budget.limit.bytes > 0) return "limited to " + size_text(budget.limit.bytes);
  char share[48];
  const double fraction = budget.limit.fraction > 0 ? budget.limit.fraction : kDefaultShare;
  std::snprintf(share, sizeof share, "at most %g of the device", fraction);
  return share;
}

}  // namespace

std::string size_text(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  size_t unit = 0;
  for (; size >= 1024.0 && unit + 1 < kUnits.size(); ++unit) size /= 1024.0;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", size, kUnits[unit]);
  return text;
}

std::string plan_table(const MemoryPlan& plan) {
  const GpuBudget& budget = plan.budget;
  std::string table =
      "device      " + size_text(budget.device.total_bytes) + ", " + size_text(budget.device.free_bytes) + " free";
  if (budget.promised_bytes > 0) table += ", " + size_text(budget.promised_bytes) + " promised to other loads";
  table += "\nbudget      " + size_text(budget.bytes) + " (" + limit_text(budget) + ")\n\n";

  std::vector<Line> lines = {{"guard", "part", "size", ""}};
  for (const GuardPlan& guard : plan.guards) add_guard(guard, lines);
  std::array<size_t, 3> widths{};
  for (const Line& line : lines) {
    widths = {std::max(widths[0], line.guard.size()), std::max(widths[1], line.part.size()),
              std::max(widths[2], line.size.size())};
  }
  for (const Line& line : lines) {
    table += padded(line.guard, widths[0]) + "  " + padded(line.part, widths[1]) + "  " +
             std::string(widths[2] - line.size.size(), ' ') + line.size + (line.what.empty() ? "" : "  " + line.what) +
             "\n";
  }
  table += "\nreserved    " + size_text(plan.arena_bytes) + ", and " + size_text(plan.graph_bytes) +
           " left for graphs: " + size_text(plan.device_bytes()) + " of the budget's " + size_text(budget.bytes);
  if (plan.pinned_bytes() > 0) {
    table +=
        "\nhost memory " + size_text(plan.pinned_bytes()) + " pinned, of " + size_text(plan.host_bytes) + " available";
  }
  table += plan.fits() ? "\nfits        yes" : "\nfits        no: " + plan.notice;
  if (plan.fits() && !plan.notice.empty()) table += ", but " + plan.notice;
  return table;
}

}  // namespace saferoute::cuda
