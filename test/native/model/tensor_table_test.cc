#include "model/tensor_table.h"

#include <limits>

#include <sys/stat.h>

#include "model/checkpoint_file.h"

namespace saferoute::model {
namespace {

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

// Each test tells one lie about this file: "a" at 8, "b" at 32, the end at 40.
class TensorTableTest : public testing::Test {
 protected:
  TensorTableTest() {
    file_.add("a", {2, 3}, {1, 2, 3, 4, 5, 6});
    file_.add("b", {4}, {7, 8, 9, 10}, DType::kBF16);
  }

  void expect_refused(const std::string& text) {
    expect_error(ErrorCode::kCheckpoint, text, [&] { file_.open(folder_); });
  }

  TemporaryFolder folder_;
  CheckpointFile file_;
};

TEST_F(TensorTableTest, HandsOutWhatTheFileHolds) {
  const TensorTable table = file_.open(folder_);
  EXPECT_TRUE(table.contains("a"));
  EXPECT_FALSE(table.contains("c"));
  const TensorView view = table.require("a", std::array<int64_t, 2>{2, 3});
  EXPECT_EQ(view.elements(), 6);
  float values[6];
  std::memcpy(values, view.data, sizeof(values));
  EXPECT_EQ(values[5], 6.0f);
  EXPECT_EQ(table.require("b").elements(), 4);
  EXPECT_EQ(table.path(0), folder_.path("model.safetensors"));
}

TEST_F(TensorTableTest, KnowsTheSizeOfEveryElementType) {
  const std::pair<DType, uint64_t> sizes[] = {
      {DType::kI8, 1}, {DType::kF16, 2}, {DType::kBF16, 2}, {DType::kF32, 4}, {DType::kI64, 8}};
  for (const auto& [dtype, bytes] : sizes) {
    EXPECT_EQ(dtype_bytes(dtype), bytes);
    file_.entry("b") = {.name = "b", .dtype = dtype, .shape = {1}, .file = 0, .offset = 32, .bytes = bytes};
    EXPECT_EQ(file_.open(folder_).require("b").elements(), 1);
    file_.entry("b").bytes = bytes - 1;
    expect_refused(std::to_string(bytes) + "-byte elements takes " + std::to_string(bytes) + " bytes, the table says " +
                   std::to_string(bytes - 1));
  }
}

TEST_F(TensorTableTest, IsStillWholeAfterAMove) {
  TensorTable table = file_.open(folder_);
  TensorTable moved = std::move(table);
  EXPECT_EQ(moved.require("b").elements(), 4);
  CheckpointFile other;
  other.add("c", {1}, {1});
  TemporaryFolder elsewhere;
  moved = other.open(elsewhere);
  EXPECT_TRUE(moved.contains("c"));
  EXPECT_FALSE(moved.contains("b"));
}

TEST_F(TensorTableTest, ReleasedPagesCanBeReadAgain) {
  CheckpointFile large;
  large.add("x", {20000}, std::vector<float>(20000, 2.5f));
  const TensorTable table = large.open(folder_);
  const TensorView view = table.require("x");
  table.release(view);
  float last;
  std::memcpy(&last, view.data + 19999 * sizeof(float), sizeof(last));
  EXPECT_EQ(last, 2.5f);
}

TEST_F(TensorTableTest, TakesUnalignedOffsetsAndEmptyTensors) {
  file_.bytes += "x";
  file_.add("odd", {2}, {1.0f, 2.0f});
  file_.add("scalar", {}, {3.0f});
  file_.add("empty", {0, 5}, {});
  const TensorTable table = file_.open(folder_);
  EXPECT_EQ(table.require("odd").entry->offset % 4, 1u);
  EXPECT_EQ(table.require("scalar").elements(), 1);
  EXPECT_EQ(table.require("empty").elements(), 0);
}

TEST_F(TensorTableTest, MissingTensor) {
  const TensorTable table = file_.open(folder_);
  expect_error(ErrorCode::kCheckpoint, "model.safetensors: tensor 'c' is missing", [&] { table.require("c"); });
}

TEST_F(TensorTableTest, WrongShape) {
  const TensorTable table = file_.open(folder_);
  expect_error(ErrorCode::kCheckpoint, "tensor 'a': has shape (2, 3), expected (3, 2)",
               [&] { table.require("a", std::array<int64_t, 2>{3, 2}); });
  expect_error(ErrorCode::kCheckpoint, "expected (6)", [&] { table.require("a", std::array<int64_t, 1>{6}); });
}

TEST_F(TensorTableTest, OffsetPastTheEnd) {
  file_.entry("b").offset = 41;
  expect_refused("tensor 'b': offset 41 lies past the end of the file at 40");
}

TEST_F(TensorTableTest, RangeReachesPastTheEnd) {
  file_.entry("b").offset = 33;
  expect_refused("tensor 'b': 8 bytes at offset 33 reach past the end of the file at 40");
}

TEST_F(TensorTableTest, OffsetPlusBytesOverflows) {
  file_.entry("b").offset = kHuge - 3;
  expect_refused("lies past the end of the file at 40");
}

TEST_F(TensorTableTest, ByteCountIsNotTheShapes) {
  file_.entry("b").bytes = 6;
  expect_refused("tensor 'b': shape (4) of 2-byte elements takes 8 bytes, the table says 6");
}

TEST_F(TensorTableTest, ByteCountIsHuge) {
  file_.entry("b").bytes = kHuge;
  expect_refused("the table says 18446744073709551615");
}

TEST_F(TensorTableTest, DtypeIsNotTheByteCounts) {
  file_.entry("b").dtype = DType::kF32;
  expect_refused("takes 16 bytes, the table says 8");
}

TEST_F(TensorTableTest, ShapeOverflows) {
  file_.entry("a").shape = {int64_t{1} << 40, int64_t{1} << 40};
  expect_refused("tensor 'a': shape (1099511627776, 1099511627776) takes more than 2^64 bytes");
  file_.entry("a").shape = {int64_t{1} << 62, 1};  // elements fit, bytes do not
  expect_refused("takes more than 2^64 bytes");
}

TEST_F(TensorTableTest, NegativeDimension) {
  file_.entry("a").shape = {-2, -3};
  expect_refused("tensor 'a': shape (-2, -3) has a negative dimension");
}

TEST_F(TensorTableTest, TensorsOverlap) {
  file_.entry("b").offset = 31;
  expect_refused("tensor 'b': starts at offset 31, inside tensor 'a', which ends at 32");
}

TEST_F(TensorTableTest, TensorsCoincide) {
  file_.entry("b").offset = 8;
  expect_refused("inside tensor");
}

TEST_F(TensorTableTest, OverlapIsFoundWhateverTheOrder) {
  std::swap(file_.entries[0], file_.entries[1]);
  file_.entry("b").offset = 31;
  expect_refused("starts at offset 31");
}

TEST_F(TensorTableTest, SameRangeOfTwoFilesIsNoOverlap) {
  const std::string first = folder_.write("1", file_.bytes), second = folder_.write("2", file_.bytes);
  file_.entry("b").file = 1;
  file_.entry("b").offset = 8;
  const TensorTable table({first, second}, file_.entries);
  EXPECT_EQ(table.path(table.require("b").entry->file), second);
  expect_error(ErrorCode::kCheckpoint, first + " and 1 more: tensor 'c' is missing", [&] { table.require("c"); });
}

TEST_F(TensorTableTest, DuplicateName) {
  file_.entry("b").name = "a";
  expect_refused("tensor 'a': is there twice");
}

TEST_F(TensorTableTest, FileIndexOutOfRange) {
  file_.entry("b").file = 1;
  expect_refused("tensor 'b': file 1 of a checkpoint that has 1");
}

TEST_F(TensorTableTest, FileIsMissing) {
  expect_error(ErrorCode::kCheckpoint, "nowhere.safetensors: can't be opened: No such file",
               [&] { TensorTable({folder_.path("nowhere.safetensors")}, {}); });
}

TEST_F(TensorTableTest, FileIsADirectory) {
  expect_error(ErrorCode::kCheckpoint, "is not a regular file", [&] { TensorTable({folder_.path("")}, {}); });
}

TEST_F(TensorTableTest, FileIsAPipe) {
  ASSERT_EQ(::mkfifo(folder_.path("pipe").c_str(), 0600), 0);
  expect_error(ErrorCode::kCheckpoint, "is not a regular file", [&] { TensorTable({folder_.path("pipe")}, {}); });
}

TEST_F(TensorTableTest, FileIsEmpty) {
  expect_error(ErrorCode::kCheckpoint, "model.safetensors: is empty",
               [&] { TensorTable({folder_.write("model.safetensors", "")}, file_.entries); });
}

}  // namespace
}  // namespace saferoute::model
