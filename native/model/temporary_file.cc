#include "model/temporary_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/error.h"

namespace saferoute::model {
namespace {

constexpr const char* kSuffix = ".tmp";

// Different in every process of every machine that shares the folder.
std::string unique_name(const std::string& final_path) {
  std::random_device random;
  char digits[32];
  std::snprintf(digits, sizeof digits, ".%08x%08x", random(), random());
  return final_path + digits + kSuffix;
}

// Nobody holds the lock of a file whose process has ended. Trouble here is nobody's: what can't be looked at stays.
void remove_if_abandoned(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return;
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  ::close(fd);
}

void remove_abandoned(const std::filesystem::path& final_path) {
  const std::string prefix = final_path.filename().string() + ".";
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(final_path.parent_path(), ignored), end; entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(kSuffix)) remove_if_abandoned(entry->path());
  }
}

// Writing beyond this limit is not an error but a signal that ends the process.
void check_size_limit(const std::string& path, uint64_t bytes) {
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur) return;
  throw Error(ErrorCode::kBackend, path + ": needs " + std::to_string(bytes) + " bytes, but this process may write " +
                                       std::to_string(limit.rlim_cur) + " to a file");
}

}  // namespace

TemporaryFile::TemporaryFile(std::string path, uint64_t bytes) : final_path_(std::move(path)) {
  check_size_limit(final_path_, bytes);
  remove_abandoned(final_path_);
  while (!create()) {
  }
}

// False where another process took the file for abandoned, and removed it, before it was locked.
bool TemporaryFile::create() {
  path_ = unique_name(final_path_);
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) fail("can't be created", errno);
  // Where a file system knows no locks, nobody takes the file for abandoned either.
  while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
  }
  struct stat status{};
  if (::fstat(fd_, &status) != 0 || status.st_nlink > 0) return true;
  ::close(std::exchange(fd_, -1));
  return false;
}

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

void TemporaryFile::write(uint64_t offset, std::span<const std::byte> data) const {
  while (!data.empty()) {
    const ssize_t written = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("can't be written", written < 0 ? errno : ENOSPC);
    offset += static_cast<uint64_t>(written);
    data = data.subspan(static_cast<size_t>(written));
  }
}

void TemporaryFile::put() {
  if (::rename(path_.c_str(), final_path_.c_str()) != 0) fail("can't be put in its place", errno);
  path_.clear();
  // Some file systems tell only now that they had no room; the reader will see what is missing.
  if (::close(std::exchange(fd_, -1)) != 0) fail("can't be closed", errno);
}

void TemporaryFile::fail(const std::string& what, int error) const {
  throw Error(ErrorCode::kBackend, final_path_ + ": " + what + ": " + std::strerror(error));
}

}  // namespace saferoute::model
