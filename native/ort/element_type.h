// ONNX Runtime's name for each C++ type that a tensor of ours holds; the argument only chooses the overload.
#pragma once

#include <cstdint>

#include "ort/abi.h"

namespace saferoute::ort {

constexpr ElementType element_type(const float*) { return ElementType::kFloat; }
constexpr ElementType element_type(const uint8_t*) { return ElementType::kUint8; }
constexpr ElementType element_type(const int8_t*) { return ElementType::kInt8; }
constexpr ElementType element_type(const int32_t*) { return ElementType::kInt32; }

}  // namespace saferoute::ort
