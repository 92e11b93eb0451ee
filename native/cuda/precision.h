// The number format of a guard's matrices on the device, and of what they are multiplied by.
#pragma once

namespace saferoute::cuda {

enum class Precision {
  kBf16,
  kFp8,  // e4m3, a scale to each output channel of a weight and each token of an activation; compute capability 8.9 on
};

}  // namespace saferoute::cuda
