#include "model/tensor_table.h"

#include <algorithm>
#include <utility>

#include "engine/error.h"
#include "model/mapped_file.h"

namespace saferoute::model {
namespace {

[[noreturn]] void fail(const std::string& file, const std::string& tensor, const std::string& what) {
  throw Error(ErrorCode::kCheckpoint, file + ": tensor '" + tensor + "': " + what);
}

std::string shape_text(std::span<const int64_t> shape) {
  std::string text = "(";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + ")";
}

// dtype × shape in bytes; every intermediate product is held against 64 bits.
uint64_t expected_bytes(const TensorEntry& entry, const std::string& file) {
  uint64_t bytes = dtype_bytes(entry.dtype);
  bool overflow = false;
  for (const int64_t size : entry.shape) {
    if (size < 0) fail(file, entry.name, "shape " + shape_text(entry.shape) + " has a negative dimension");
    overflow |= __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes);
  }
  if (overflow) fail(file, entry.name, "shape " + shape_text(entry.shape) + " takes more than 2^64 bytes");
  return bytes;
}

void check_range(const TensorEntry& entry, const MappedFile& file) {
  const uint64_t expected = expected_bytes(entry, file.path());
  if (entry.bytes != expected) {
    fail(file.path(), entry.name,
         "shape " + shape_text(entry.shape) + " of " + std::to_string(dtype_bytes(entry.dtype)) +
             "-byte elements takes " + std::to_string(expected) + " bytes, the table says " +
             std::to_string(entry.bytes));
  }
  if (entry.offset > file.size()) {
    fail(file.path(), entry.name,
         "offset " + std::to_string(entry.offset) + " lies past the end of the file at " + std::to_string(file.size()));
  }
  if (entry.bytes > file.size() - entry.offset) {
    fail(file.path(), entry.name,
         std::to_string(entry.bytes) + " bytes at offset " + std::to_string(entry.offset) +
             " reach past the end of the file at " + std::to_string(file.size()));
  }
}

// Two tensors that share bytes are a file that lies about one of them.
void check_disjoint(const std::vector<TensorEntry>& entries, const std::vector<std::unique_ptr<MappedFile>>& files) {
  std::vector<size_t> order;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].bytes > 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(entries[a].file, entries[a].offset) < std::pair(entries[b].file, entries[b].offset);
  });
  for (size_t i = 1; i < order.size(); ++i) {
    const TensorEntry& before = entries[order[i - 1]];
    const TensorEntry& after = entries[order[i]];
    if (before.file == after.file && before.offset + before.bytes > after.offset) {
      fail(files[after.file]->path(), after.name,
           "starts at offset " + std::to_string(after.offset) + ", inside tensor '" + before.name +
               "', which ends at " + std::to_string(before.offset + before.bytes));
    }
  }
}

}  // namespace

size_t dtype_bytes(DType dtype) {
  switch (dtype) {
    case DType::kI8:
      return 1;
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kF32:
      return 4;
    case DType::kI64:
      return 8;
  }
  throw Error(ErrorCode::kInvalidArgument, "no element type has the number " + std::to_string(static_cast<int>(dtype)));
}

int64_t TensorView::elements() const { return static_cast<int64_t>(entry->bytes / dtype_bytes(entry->dtype)); }

TensorTable::TensorTable(std::vector<std::string> paths, std::vector<TensorEntry> entries)
    : entries_(std::move(entries)) {
  files_.reserve(paths.size());
  for (std::string& path : paths) files_.push_back(std::make_unique<MappedFile>(std::move(path)));
  by_name_.reserve(entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    const TensorEntry& entry = entries_[i];
    if (entry.file >= files_.size()) {
      throw Error(ErrorCode::kCheckpoint, "tensor '" + entry.name + "': file " + std::to_string(entry.file) +
                                              " of a checkpoint that has " + std::to_string(files_.size()));
    }
    check_range(entry, *files_[entry.file]);
    const auto [known, inserted] = by_name_.emplace(entry.name, i);
    if (!inserted) {
      fail(files_[entry.file]->path(), entry.name, "is there twice, first in " + path(entries_[known->second].file));
    }
  }
  check_disjoint(entries_, files_);
}

TensorTable::~TensorTable() = default;
TensorTable::TensorTable(TensorTable&&) noexcept = default;
TensorTable& TensorTable::operator=(TensorTable&&) noexcept = default;

bool TensorTable::contains(std::string_view name) const { return by_name_.contains(name); }

TensorView TensorTable::require(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    std::string where = files_.empty() ? "a checkpoint without files" : path(0);
    if (files_.size() > 1) where += " and " + std::to_string(files_.size() - 1) + " more";
    throw Error(ErrorCode::kCheckpoint, where + ": tensor '" + std::string(name) + "' is missing");
  }
  const TensorEntry& entry = entries_[found->second];
  return {.entry = &entry, .data = files_[entry.file]->data() + entry.offset};
}

TensorView TensorTable::require(std::string_view name, std::span<const int64_t> shape) const {
  const TensorView view = require(name);
  if (!std::equal(shape.begin(), shape.end(), view.entry->shape.begin(), view.entry->shape.end())) {
    fail(path(view.entry->file), view.entry->name,
         "has shape " + shape_text(view.entry->shape) + ", expected " + shape_text(shape));
  }
  return view;
}

const std::string& TensorTable::path(uint32_t file) const { return files_.at(file)->path(); }

FileDescriptor TensorTable::descriptor(uint32_t file) const {
  return files_.at(file)->descriptor().duplicate(path(file));
}

void TensorTable::release(const TensorView& view) const {
  files_[view.entry->file]->release(view.entry->offset, view.entry->bytes);
}

}  // namespace saferoute::model
