#include "model/checksum.h"

#include <cstring>

#include "model/weight_cache.h"

namespace saferoute::model {
namespace {

// Fractional parts of the golden ratio and of the square root of two, made odd: a product with an odd number loses
// nothing.
constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
constexpr uint64_t kRoot = 0x6a09e667f3bcc909;

// A product carries a difference only towards the high bits, so these are brought down: otherwise the highest bit would
// stay alone, and another change of one bit would undo it.
constexpr uint64_t mixed(uint64_t lane, uint64_t word) {
  const uint64_t product = (lane ^ word) * kGolden;
  return product ^ product >> 32;
}

}  // namespace

Checksum::Checksum() {
  for (size_t lane = 0; lane < lanes_.size(); ++lane) lanes_[lane] = kRoot * (lane + 1);
}

void Checksum::add_block(const std::byte* block) {
  uint64_t words[8];
  std::memcpy(words, block, sizeof words);
  for (size_t lane = 0; lane < lanes_.size(); ++lane) lanes_[lane] = mixed(lanes_[lane], words[lane]);
}

void Checksum::add(std::span<const std::byte> piece) {
  bytes_ += piece.size();
  while (piece.size() >= kBlockBytes) {
    add_block(piece.data());
    piece = piece.subspan(kBlockBytes);
  }
  if (piece.empty()) return;
  std::array<std::byte, kBlockBytes> padded{};
  std::memcpy(padded.data(), piece.data(), piece.size());
  add_block(padded.data());
}

uint64_t Checksum::value() const {
  uint64_t value = mixed(kRoot, bytes_);
  for (const uint64_t lane : lanes_) value = mixed(value, lane);
  return value;
}

uint64_t checksum(std::span<const std::byte> data) {
  Checksum sum;
  sum.add(data);
  return sum.value();
}

}  // namespace saferoute::model
