// The longest row that the kernels which hold one in registers take.
#pragma once

namespace saferoute::cuda {

// Elements: 1024 threads of four 16-byte vectors each, twice the widest MLP of any guard known.
inline constexpr int kMaxRowSize = 32768;

// Throws Error(kUnsupported) that names `op`, `size` and the limit unless rows of `size` elements can be taken.
void check_row_size(const char* op, int size);

}  // namespace saferoute::cuda
