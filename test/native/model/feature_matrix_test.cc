#include "model/feature_matrix.h"

#include <limits>

#include "model/checkpoint_file.h"

namespace saferoute::model {
namespace {

// Eight bytes of something else, then 0, 1, 2, ….
std::string file_of(size_t floats) {
  std::string bytes = "a header";
  for (size_t i = 0; i < floats; ++i) {
    const float value = static_cast<float>(i);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}

TEST(FeatureMatrix, ShowsTheRowsOfItsRange) {
  const TemporaryFolder folder;
  const FeatureMatrix features({.path = folder.write("f", file_of(8)), .offset = 12, .rows = 3, .width = 2});
  EXPECT_EQ(features.rows(), 3);
  EXPECT_EQ(features.width(), 2);
  EXPECT_EQ(std::vector<float>(features.values().begin(), features.values().end()),
            (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(FeatureMatrix, TakesARangeThatEndsWithTheFile) {
  const TemporaryFolder folder;
  const FeatureMatrix features({.path = folder.write("f", file_of(6)), .offset = 8, .rows = 2, .width = 3});
  EXPECT_EQ(features.values().back(), 5);
}

TEST(FeatureMatrix, RefusesARangeThatIsNotInTheFile) {
  struct Case {
    uint64_t offset;
    int64_t rows;
    int32_t width;
    const char* problem;
  };
  const int64_t huge = std::numeric_limits<int64_t>::max() / 4;
  const Case cases[] = {
      {8, 2, 4, "they reach past the end of the file at 32"},
      {36, 1, 1, "they reach past the end of the file at 32"},
      {std::numeric_limits<uint64_t>::max() - 3, 1, 1, "they reach past the end of the file at 32"},
      {8, huge, 1 << 30, "they reach past the end of the file at 32"},
      {10, 1, 1, "the offset must be a multiple of 4"},
      {8, 0, 4, "there must be at least one row of at least one value"},
      {8, 1, 0, "there must be at least one row of at least one value"},
      {8, -1, -1, "there must be at least one row of at least one value"},
  };
  const TemporaryFolder folder;
  const std::string path = folder.write("f", file_of(6));
  for (const auto& [offset, rows, width, problem] : cases) {
    try {
      const FeatureMatrix features({.path = path, .offset = offset, .rows = rows, .width = width});
      ADD_FAILURE() << "took (" << rows << ", " << width << ") at " << offset;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCheckpoint);
      EXPECT_EQ(std::string(error.what()), path + ": features (" + std::to_string(rows) + ", " + std::to_string(width) +
                                               ") at offset " + std::to_string(offset) + ": " + problem);
    }
  }
}

TEST(FeatureMatrix, RefusesAFileThatIsNotThere) {
  EXPECT_THROW(FeatureMatrix({.path = "/nowhere/f", .offset = 0, .rows = 1, .width = 1}), Error);
}

}  // namespace
}  // namespace saferoute::model
