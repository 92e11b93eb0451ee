#include "model/feature_matrix.h"

#include <utility>

#include "engine/error.h"

namespace saferoute::model {
namespace {

[[noreturn]] void fail(const FeatureRange& range, const std::string& problem) {
  throw Error(ErrorCode::kCheckpoint, range.path + ": features (" + std::to_string(range.rows) + ", " +
                                          std::to_string(range.width) + ") at offset " + std::to_string(range.offset) +
                                          ": " + problem);
}

// The number of floats in the range, once it is sure that all of them are in the file.
size_t checked_size(const FeatureRange& range, uint64_t file_bytes) {
  if (range.rows < 1 || range.width < 1) fail(range, "there must be at least one row of at least one value");
  if (range.offset % alignof(float) != 0) {
    fail(range, "the offset must be a multiple of " + std::to_string(alignof(float)));
  }
  uint64_t bytes = sizeof(float);
  const bool overflow = __builtin_mul_overflow(bytes, static_cast<uint64_t>(range.rows), &bytes) ||
                        __builtin_mul_overflow(bytes, static_cast<uint64_t>(range.width), &bytes);
  if (overflow || range.offset > file_bytes || bytes > file_bytes - range.offset) {
    fail(range, "they reach past the end of the file at " + std::to_string(file_bytes));
  }
  return bytes / sizeof(float);
}

}  // namespace

FeatureMatrix::FeatureMatrix(FeatureRange range) : range_(std::move(range)), file_(range_.path) {
  const size_t size = checked_size(range_, file_.size());
  // A mapping begins at a page, so what is aligned in the file is aligned in memory.
  values_ = {reinterpret_cast<const float*>(file_.data() + range_.offset), size};
  file_.prefetch(range_.offset, size * sizeof(float));
}

}  // namespace saferoute::model
