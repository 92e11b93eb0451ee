// Named, typed tensors inside files on disk. The table is parsed elsewhere (lib/checkpoint); here every range is held
// against its file, mapped, and handed out as a view. A view lives as long as its table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/file_descriptor.h"

namespace saferoute::model {

// kI8 and kI64 occur in weight caches only.
enum class DType { kF32, kF16, kBF16, kI8, kI64 };

size_t dtype_bytes(DType dtype);

struct TensorEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  uint32_t file = 0;    // index into the table's files
  uint64_t offset = 0;  // bytes from the start of the file
  uint64_t bytes = 0;
};

struct TensorView {
  const TensorEntry* entry = nullptr;
  const std::byte* data = nullptr;  // `entry->bytes` long; no alignment is promised

  int64_t elements() const;
};

class MappedFile;

class TensorTable {
 public:
  // Opens every file and checks every entry: dtype × shape == bytes, range inside the file, names unique, ranges
  // disjoint. Throws Error(kCheckpoint) naming the file, the tensor, the value and the limit.
  TensorTable(std::vector<std::string> paths, std::vector<TensorEntry> entries);
  ~TensorTable();
  TensorTable(TensorTable&&) noexcept;
  TensorTable& operator=(TensorTable&&) noexcept;

  bool contains(std::string_view name) const;

  // Throws Error(kCheckpoint) where the tensor is missing or has another shape.
  TensorView require(std::string_view name, std::span<const int64_t> shape) const;

  // Shape unknown to the caller (router files): throws only where the tensor is missing.
  TensorView require(std::string_view name) const;

  const std::string& path(uint32_t file) const;

  // A descriptor of the very file that was checked, for reads that outlive the table.
  FileDescriptor descriptor(uint32_t file) const;

  // Tells the kernel that the pages behind a view are not needed again.
  void release(const TensorView& view) const;

 private:
  std::vector<TensorEntry> entries_;
  std::unordered_map<std::string_view, size_t> by_name_;
  std::vector<std::unique_ptr<MappedFile>> files_;
};

}  // namespace saferoute::model
