#include "train/random_stream.h"

#include "cpu/kernels.h"

namespace saferoute::train {

RandomStream::RandomStream(uint64_t seed, RandomUse use, uint32_t part) {
  const uint32_t seed_key[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  cpu::best_kernels().random_bits(seed_key, static_cast<uint32_t>(use), int64_t{part} * cpu::kRandomBlock, 2, key_);
}

void RandomStream::bits(uint32_t turn, int64_t first, std::span<uint32_t> out) const {
  cpu::best_kernels().random_bits(key_, turn, first, static_cast<int64_t>(out.size()), out.data());
}

void RandomStream::gaussians(uint32_t turn, int64_t first, std::span<float> out) const {
  cpu::best_kernels().gaussians(key_, turn, first, static_cast<int64_t>(out.size()), out.data());
}

}  // namespace saferoute::train
