#include "model/mapped_file.h"

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "engine/error.h"

namespace saferoute::model {

MappedFile::MappedFile(std::string path) : path_(std::move(path)), descriptor_(FileDescriptor::open(path_)) {
  size_ = descriptor_.size(path_);
  if (size_ == 0) throw Error(ErrorCode::kCheckpoint, path_ + ": is empty");
  if (size_ > std::numeric_limits<size_t>::max()) {
    throw Error(ErrorCode::kCheckpoint,
                path_ + ": " + std::to_string(size_) + " bytes are more than this machine can map");
  }
  void* mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor_.get(), 0);
  if (mapping == MAP_FAILED) {
    throw Error(ErrorCode::kCheckpoint,
                path_ + ": " + std::to_string(size_) + " bytes can't be mapped: " + std::strerror(errno));
  }
  data_ = static_cast<std::byte*>(mapping);
  ::madvise(mapping, size_, MADV_SEQUENTIAL);  // a hint: its failure changes nothing
}

MappedFile::~MappedFile() { ::munmap(data_, size_); }

void MappedFile::prefetch(uint64_t offset, uint64_t bytes) const {
  const uint64_t first = offset - offset % static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  // Hints: their failure changes nothing.
  ::madvise(data_ + first, offset + bytes - first, MADV_NORMAL);
  ::madvise(data_ + first, offset + bytes - first, MADV_WILLNEED);
}

void MappedFile::release(uint64_t offset, uint64_t bytes) const {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t first = (offset + page - 1) / page * page;
  const uint64_t last = (offset + bytes) / page * page;
  if (first < last) ::madvise(data_ + first, last - first, MADV_DONTNEED);
}

}  // namespace saferoute::model
