// ONNX Runtime's matrix products for training.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cpu/parallel_for.h"
#include "train/gemm.h"

namespace saferoute::ort {

// Products that spread over `threads` of `parallel_for`; an element of a product is the same whatever their number.
// Used by one thread at a time. The library at `library_path` is loaded if it is not loaded yet; it and every product
// may throw Error(kBackend).
std::unique_ptr<train::Gemm> make_gemm(const std::string& library_path, cpu::ParallelFor parallel_for, int32_t threads);

}  // namespace saferoute::ort
