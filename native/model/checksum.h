// The checksum of a weight cache's tensors, taken while they pass by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace saferoute::model {

// 64 bits of a sequence of bytes, at the speed of the memory that they come from: words go in turn to eight lanes, each
// a chain of steps that map different lanes, and different words, to different lanes. So one changed word always shows.
class Checksum {
 public:
  static constexpr size_t kBlockBytes = 64;

  Checksum();

  // Of the pieces of a sequence all but the last must be whole blocks.
  void add(std::span<const std::byte> piece);
  uint64_t value() const;

 private:
  void add_block(const std::byte* block);  // (kBlockBytes)

  std::array<uint64_t, 8> lanes_;
  uint64_t bytes_ = 0;
};

}  // namespace saferoute::model
