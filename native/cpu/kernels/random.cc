// Random bits and Gaussians. Number i of a turn is the same however the range around it is cut, and on every
// instruction set: blocks of kRandomBlock numbers take one counter for two of them, half a block apart.
#include "cpu/kernels/declarations.h"
#include "cpu/kernels/threefry.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {
namespace {

constexpr int kPairs = kRandomBlock / 2;

// Calls body(pair, bits) for all counters of the block, kLanes at a time.
template <typename F>
inline void for_block(const uint32_t* key, uint32_t turn, int64_t block, F&& body) {
  BitLanes offsets{};
  for (int lane = 0; lane < kLanes; ++lane) offsets[lane] = static_cast<uint32_t>(lane);
  for (int pair = 0; pair < kPairs; pair += kLanes) {
    const uint32_t counter = static_cast<uint32_t>(block * kPairs + pair);
    body(pair, threefry(key, {offsets + counter, BitLanes{} + turn}));
  }
}

// Writes blocks of T by fill(block, out (kRandomBlock)), the last perhaps in part.
template <typename T, typename F>
inline void for_blocks(int64_t first, int64_t count, T* out, F&& fill) {
  int64_t done = 0;
  for (; done + kRandomBlock <= count; done += kRandomBlock) fill((first + done) / kRandomBlock, out + done);
  if (done == count) return;
  T rest[kRandomBlock];
  fill((first + done) / kRandomBlock, rest);
  __builtin_memcpy(out + done, rest, static_cast<size_t>(count - done) * sizeof(T));
}

inline Lanes square_root(Lanes x) {
  float values[kLanes];
  store(x, values);
  for (int i = 0; i < kLanes; ++i) values[i] = __builtin_sqrtf(values[i]);
  return load(values);
}

// The upper 24 bits as a fraction of 1: exact.
inline Lanes fraction(BitLanes bits) { return to_float((IntLanes)(bits >> 8)) * 0x1p-24f; }

// ln(x) to about a unit in the last place, for normal x > 0.
inline Lanes log(Lanes x) {
  constexpr int32_t kRootHalf = 0x3f3504f3;  // sqrt(1/2): the mantissa is taken from there to twice that
  const IntLanes shifted = (IntLanes)x - kRootHalf;
  const Lanes exponent = to_float(shifted >> 23);
  const Lanes mantissa = (Lanes)((shifted & 0x7fffff) + kRootHalf);
  const Lanes s = (mantissa - 1.0f) / (mantissa + 1.0f);  // ln(m) = 2 artanh(s), |s| < 0.172
  const Lanes s2 = s * s;
  Lanes p = broadcast(2.0f / 9.0f);
  p = p * s2 + 2.0f / 7.0f;
  p = p * s2 + 2.0f / 5.0f;
  p = p * s2 + 2.0f / 3.0f;
  return exponent * 0x1.62e43p-1f + (exponent * -0x1.05c61p-29f + (s * (p * s2) + 2.0f * s));
}

struct Direction {
  Lanes cosine, sine;
};

// Of the angle 2 pi `turn`, for turn in [0, 1).
inline Direction direction(Lanes turn) {
  constexpr float kHalfPi = 0x1.921fb6p+0f;
  constexpr float kRound = 0x1.8p23f;
  const Lanes shifted = turn * 4.0f + kRound;
  const IntLanes quarter = (IntLanes)shifted & 3;
  const Lanes angle = (turn * 4.0f - (shifted - kRound)) * kHalfPi;  // at most pi / 4 off the axis
  const Lanes a2 = angle * angle;
  Lanes sine = broadcast(1.0f / 362880.0f);
  sine = sine * a2 - 1.0f / 5040.0f;
  sine = sine * a2 + 1.0f / 120.0f;
  sine = sine * a2 - 1.0f / 6.0f;
  sine = sine * a2 * angle + angle;
  Lanes cosine = broadcast(-1.0f / 3628800.0f);
  cosine = cosine * a2 + 1.0f / 40320.0f;
  cosine = cosine * a2 - 1.0f / 720.0f;
  cosine = cosine * a2 + 1.0f / 24.0f;
  cosine = cosine * a2 - 0.5f;
  cosine = cosine * a2 + 1.0f;
  const IntLanes odd = (quarter & 1) == 1;
  const Lanes x = odd ? sine : cosine;
  const Lanes y = odd ? cosine : sine;
  return {((quarter + 1) & 2) == 2 ? -x : x, (quarter & 2) == 2 ? -y : y};
}

}  // namespace

void random_bits(const uint32_t* key, uint32_t turn, int64_t first, int64_t count, uint32_t* out) {
  for_blocks(first, count, out, [&](int64_t block, uint32_t* to) {
    for_block(key, turn, block, [&](int pair, const BitPair& bits) {
      __builtin_memcpy(to + pair, &bits.first, sizeof bits.first);
      __builtin_memcpy(to + kPairs + pair, &bits.second, sizeof bits.second);
    });
  });
}

// Box and Muller's transform of the two words of a counter.
void gaussians(const uint32_t* key, uint32_t turn, int64_t first, int64_t count, float* out) {
  for_blocks(first, count, out, [&](int64_t block, float* to) {
    for_block(key, turn, block, [&](int pair, const BitPair& bits) {
      const Lanes radius = square_root(-2.0f * log(fraction(bits.first) + 0x1p-24f));
      const Direction at = direction(fraction(bits.second));
      store(radius * at.cosine, to + pair);
      store(radius * at.sine, to + kPairs + pair);
    });
  });
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
