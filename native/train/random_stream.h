// Random numbers that are a function of the seed and of what they are for: not of how many others were drawn before.
#pragma once

#include <cstdint>
#include <span>

namespace saferoute::train {

enum class RandomUse : uint32_t { kWeights, kNoise, kDropout, kRows };

// Immutable, so usable from any thread.
class RandomStream {
 public:
  // `part` tells the streams of one use apart.
  RandomStream(uint64_t seed, RandomUse use, uint32_t part);

  // Numbers [first, first + out.size()) of `turn`; `first` is a multiple of cpu::kRandomBlock.
  void bits(uint32_t turn, int64_t first, std::span<uint32_t> out) const;
  void gaussians(uint32_t turn, int64_t first, std::span<float> out) const;

 private:
  uint32_t key_[2];
};

// A number below `bound`, from 32 random bits.
inline uint32_t below(uint32_t bits, uint32_t bound) {
  return static_cast<uint32_t>(static_cast<uint64_t>(bits) * bound >> 32);
}

}  // namespace saferoute::train
