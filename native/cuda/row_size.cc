#include "cuda/row_size.h"

#include <string>

#include "engine/error.h"

namespace saferoute::cuda {

void check_row_size(const char* op, int size) {
  if (size > 0 && size % 8 == 0 && size <= kMaxRowSize) return;
  throw Error(ErrorCode::kUnsupported, std::string("CUDA: ") + op + ": rows of " + std::to_string(size) +
                                           " elements; they must be a multiple of 8 up to " +
                                           std::to_string(kMaxRowSize));
}

}  // namespace saferoute::cuda
