#include "cuda/cublas_lt.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

// The environment of this process while a test runs.
class NamedLibrary {
 public:
  explicit NamedLibrary(const char* file) {
    if (const char* before = std::getenv(kName)) before_ = before;
    setenv(kName, file, /*overwrite=*/1);
  }
  ~NamedLibrary() {
    if (before_.empty()) {
      unsetenv(kName);
    } else {
      setenv(kName, before_.c_str(), /*overwrite=*/1);
    }
  }

 private:
  static constexpr const char* kName = "SAFEROUTE_CUBLASLT";
  std::string before_;
};

TEST(CublasLt, AFileThatIsNotThereIsNamed) {
  const NamedLibrary named("/nowhere/libcublasLt.so.13");
  test::expect_error(ErrorCode::kUnsupported, {"/nowhere/libcublasLt.so.13"}, [] { CublasLt::load(); });
}

TEST(CublasLt, ALibraryThatIsAnotherIsRefused) {
  const NamedLibrary named("libc.so.6");
  test::expect_error(ErrorCode::kUnsupported, {"libc.so.6", "cublasLtGetVersion"}, [] { CublasLt::load(); });
}

}  // namespace
}  // namespace saferoute::cuda
