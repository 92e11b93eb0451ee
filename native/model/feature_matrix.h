// Features of many examples in a file, mapped: what a router learns from and is judged by.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/mapped_file.h"

namespace saferoute::model {

// Where F32 features lie in a file, row-major, (rows, width).
struct FeatureRange {
  std::string path;
  uint64_t offset = 0;  // bytes from the start of the file
  int64_t rows = 0;
  int32_t width = 0;
};

// Immutable, so usable from any thread. What MappedFile says of files that are truncated while they are mapped holds
// here too.
class FeatureMatrix {
 public:
  // Throws Error(kCheckpoint) naming the file, the value and the limit where the range is empty, leaves the file, or
  // begins where no float may.
  explicit FeatureMatrix(FeatureRange range);

  std::span<const float> values() const { return values_; }  // (rows, width)
  int64_t rows() const { return range_.rows; }
  int32_t width() const { return range_.width; }
  const std::string& path() const { return range_.path; }

 private:
  FeatureRange range_;
  MappedFile file_;
  std::span<const float> values_;
};

}  // namespace saferoute::model
