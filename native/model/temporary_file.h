// A file in the making: nobody meets it under its name before it is whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace saferoute::model {

// Lies beside its final place under a name of its own, locked, and is gone unless it was put there. Used by one thread.
// Every failure is Error(kBackend) with the path and the reason.
class TemporaryFile {
 public:
  // For a file of `bytes` at `path`. Removes what processes that ended in the middle have left of the same file.
  TemporaryFile(std::string path, uint64_t bytes);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(uint64_t offset, std::span<const std::byte> data) const;

  // Puts the file in its place, over one that is there. It is not flushed to the disk first: whoever reads it must be
  // able to tell that a part is missing.
  void put();

 private:
  bool create();
  [[noreturn]] void fail(const std::string& what, int error) const;

  std::string final_path_;
  std::string path_;  // empty once it is gone from there
  int fd_ = -1;
};

}  // namespace saferoute::model
