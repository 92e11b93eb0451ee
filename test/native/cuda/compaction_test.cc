#include "cuda/compaction.h"

#include <optional>

#include "cuda/bf16_values.h"
#include "cuda/device_test.h"

namespace saferoute::cuda {
namespace {

// A batch on the host, and the same on the device.
struct HostBatch {
  std::vector<int32_t> tokens, token_row, positions, row_offsets = {0}, row_starts, pages, page_offsets = {0};

  void add_row(int32_t start, int32_t count, int32_t page_count) {
    const auto row = static_cast<int32_t>(row_starts.size());
    for (int32_t t = 0; t < count; ++t) {
      tokens.push_back(1000 * (row + 1) + t);
      token_row.push_back(row);
      positions.push_back(start + t);
    }
    for (int32_t p = 0; p < page_count; ++p) pages.push_back(100 * (row + 1) + p);
    row_starts.push_back(start);
    row_offsets.push_back(row_offsets.back() + count);
    page_offsets.push_back(page_offsets.back() + page_count);
  }

  friend bool operator==(const HostBatch&, const HostBatch&) = default;
};

struct Capacity {
  int32_t rows, tokens, pages;
};

class DeviceBatch {
 public:
  explicit DeviceBatch(const HostBatch& batch)
      : tokens_(batch.tokens),
        token_row_(batch.token_row),
        positions_(batch.positions),
        row_offsets_(batch.row_offsets),
        row_starts_(batch.row_starts),
        pages_(batch.pages),
        page_offsets_(batch.page_offsets),
        capacity_{static_cast<int32_t>(batch.row_starts.size()), static_cast<int32_t>(batch.tokens.size()),
                  static_cast<int32_t>(batch.pages.size())} {}
  explicit DeviceBatch(const Capacity& capacity)
      : tokens_(capacity.tokens),
        token_row_(capacity.tokens),
        positions_(capacity.tokens),
        row_offsets_(capacity.rows + 1),
        row_starts_(capacity.rows),
        pages_(capacity.pages),
        page_offsets_(capacity.rows + 1),
        capacity_(capacity) {}

  BatchView view() {
    return {.tokens = tokens_.data(),
            .token_row = token_row_.data(),
            .positions = positions_.data(),
            .row_offsets = row_offsets_.data(),
            .row_starts = row_starts_.data(),
            .pages = pages_.data(),
            .page_offsets = page_offsets_.data(),
            .token_count = capacity_.tokens,
            .row_count = capacity_.rows,
            .page_count = capacity_.pages};
  }
  HostBatch read() {
    return {tokens_.read(),     token_row_.read(), positions_.read(),   row_offsets_.read(),
            row_starts_.read(), pages_.read(),     page_offsets_.read()};
  }

 private:
  DeviceVector<int32_t> tokens_, token_row_, positions_, row_offsets_, row_starts_, pages_, page_offsets_;
  Capacity capacity_;
};

constexpr int32_t kUnwritten = -1;  // what a DeviceVector holds until it is written

struct Expected {
  HostBatch batch;
  std::vector<int32_t> taken;
  CompactionCounts counts;
};

Expected reference(const std::vector<uint8_t>& hard, const HostBatch& all, const Capacity& capacity) {
  Expected expected;
  HostBatch& out = expected.batch;
  bool full = false;
  for (size_t row = 0; row < hard.size(); ++row) {
    const int32_t first = all.row_offsets[row], count = all.row_offsets[row + 1] - first;
    if (!hard[row] || count == 0) continue;
    const int32_t first_page = all.page_offsets[row], pages = all.page_offsets[row + 1] - first_page;
    const auto rows = static_cast<int32_t>(expected.taken.size());
    full = full || rows + 1 > capacity.rows || out.row_offsets.back() + count > capacity.tokens ||
           out.page_offsets.back() + pages > capacity.pages;
    if (full) {
      ++expected.counts.left_out;
      continue;
    }
    for (int32_t t = first; t < first + count; ++t) {
      out.tokens.push_back(all.tokens[t]);
      out.token_row.push_back(rows);
      out.positions.push_back(all.positions[t]);
    }
    out.pages.insert(out.pages.end(), all.pages.begin() + first_page, all.pages.begin() + first_page + pages);
    out.row_starts.push_back(all.row_starts[row]);
    out.row_offsets.push_back(out.row_offsets.back() + count);
    out.page_offsets.push_back(out.page_offsets.back() + pages);
    expected.taken.push_back(static_cast<int32_t>(row));
  }
  expected.counts.rows = static_cast<int32_t>(expected.taken.size());
  expected.counts.tokens = out.row_offsets.back();
  expected.counts.pages = out.page_offsets.back();
  out.tokens.resize(capacity.tokens, 0);
  out.token_row.resize(capacity.tokens, kNoRow);
  out.positions.resize(capacity.tokens, 0);
  out.pages.resize(capacity.pages, kUnwritten);
  out.row_starts.resize(capacity.rows, 0);
  out.row_offsets.resize(capacity.rows + 1, out.row_offsets.back());
  out.page_offsets.resize(capacity.rows + 1, out.page_offsets.back());
  expected.taken.resize(capacity.rows, kNoRow);
  return expected;
}

class Compaction : public DeviceTest {
 protected:
  void expect_reference(const std::vector<uint8_t>& hard, const HostBatch& all, const Capacity& capacity) {
    DeviceVector<uint8_t> on_hard(hard);
    DeviceVector<int32_t> taken(capacity.rows);
    DeviceVector<CompactionCounts> counts(1);
    DeviceBatch from(all), to(capacity);
    compact_hard_rows(on_hard.data(), from.view(), to.view(), taken.data(), counts.data(), stream_);
    const Expected expected = reference(hard, all, capacity);
    EXPECT_EQ(to.read(), expected.batch);
    EXPECT_EQ(taken.read(), expected.taken);
    const CompactionCounts got = counts.read()[0];
    EXPECT_EQ(got.rows, expected.counts.rows);
    EXPECT_EQ(got.tokens, expected.counts.tokens);
    EXPECT_EQ(got.pages, expected.counts.pages);
    EXPECT_EQ(got.left_out, expected.counts.left_out);
  }

  static HostBatch batch_of(size_t rows) {
    HostBatch batch;
    for (size_t row = 0; row < rows; ++row) {
      const auto r = static_cast<int32_t>(row);
      const int32_t start = 16 * (r % 3), count = 1 + 7 * r % 19;
      batch.add_row(start, count, (start + count + 15) / 16);
    }
    return batch;
  }
};

TEST_F(Compaction, TakesEveryHardRowInItsOrder) {
  for (const size_t rows : {size_t{1}, size_t{31}, size_t{33}, size_t{100}}) {
    const HostBatch batch = batch_of(rows);
    std::vector<uint8_t> hard(rows);
    for (size_t row = 0; row < rows; ++row) hard[row] = row % 3 == 0 || row + 1 == rows;
    expect_reference(hard, batch, {128, 2048, 512});
  }
}

TEST_F(Compaction, NoneAndAll) {
  const HostBatch batch = batch_of(40);
  expect_reference(std::vector<uint8_t>(40, 0), batch, {40, 500, 100});
  expect_reference(std::vector<uint8_t>(40, 1), batch, {40, 500, 100});
}

TEST_F(Compaction, LeavesOutAllFromTheFirstThatDoesNotFit) {
  const HostBatch batch = batch_of(40);
  const std::vector<uint8_t> all(40, 1);
  expect_reference(all, batch, {7, 500, 100});
  expect_reference(all, batch, {40, 90, 100});
  expect_reference(all, batch, {40, 500, 11});
  // The first needs one token; the second 8 and a page of its own.
  expect_reference(all, batch, {40, 8, 100});
}

TEST_F(Compaction, RowsWithoutTokensArePassedOver) {
  HostBatch batch;
  batch.add_row(0, 3, 1);
  batch.add_row(0, 0, 0);
  batch.add_row(32, 5, 3);
  batch.add_row(0, 0, 0);
  expect_reference({1, 1, 1, 1}, batch, {4, 16, 8});
  expect_reference({0, 1, 0, 0}, batch, {4, 16, 8});
}

TEST_F(Compaction, AsManyRowsAsThereMayBe) {
  HostBatch batch;
  for (int row = 0; row < kMaxCompactedRows; ++row) batch.add_row(0, 2, 1);
  expect_reference(std::vector<uint8_t>(kMaxCompactedRows, 1), batch, {kMaxCompactedRows, 2100, kMaxCompactedRows});
}

}  // namespace
}  // namespace saferoute::cuda
