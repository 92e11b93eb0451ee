// A whole file mapped for reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/file_descriptor.h"

namespace saferoute::model {

// Immutable, so usable from any thread. Bytes read as they were when the file was opened only while nobody truncates
// it: touching a page past a new end of file kills the process, so mappings live no longer than a load.
class MappedFile {
 public:
  // Throws Error(kCheckpoint) where the path is missing, not a regular file, or empty.
  explicit MappedFile(std::string path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  const std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }
  const FileDescriptor& descriptor() const { return descriptor_; }

  // Asks for the pages of [offset, offset + bytes), which will be read in any order, more than once.
  void prefetch(uint64_t offset, uint64_t bytes) const;

  // Drops the pages that lie wholly inside [offset, offset + bytes); reading them again fetches them again.
  void release(uint64_t offset, uint64_t bytes) const;

 private:
  std::string path_;
  FileDescriptor descriptor_;
  uint64_t size_ = 0;
  std::byte* data_ = nullptr;  // (size_)
};

}  // namespace saferoute::model
