#include "cuda/check.h"

#include <gtest/gtest.h>

#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

TEST(Check, SuccessIsSilent) { EXPECT_NO_THROW(check(cudaSuccess, "anything")); }

TEST(Check, NamesTheCallAndTheStatus) {
  test::expect_error(ErrorCode::kBackend, {"rms_norm", "cudaErrorInvalidValue"},
                     [] { check(cudaErrorInvalidValue, "rms_norm"); });
}

TEST(Check, OutOfMemoryIsAnErrorOfMemory) {
  test::expect_error(ErrorCode::kMemory, {"reserve", "out of memory"},
                     [] { check(cudaErrorMemoryAllocation, "reserve"); });
}

}  // namespace
}  // namespace saferoute::cuda
