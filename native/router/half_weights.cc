#include "router/half_weights.h"

#include <bit>
#include <cmath>
#include <span>

#include "model/conversion.h"

namespace saferoute::router {
namespace {

// To nearest even; infinite beyond the range of halves.
uint16_t half_of(float value) {
  constexpr float kBeyond = 65520.0f;  // from here on the nearest half would be 65536, which there is not
  constexpr uint16_t kInfinity = 0x7c00;
  const auto sign = static_cast<uint16_t>((std::bit_cast<uint32_t>(value) >> 16) & 0x8000u);
  const float size = std::abs(value);
  if (size >= kBeyond) return sign | kInfinity;
  if (size < 0x1p-14f) {  // subnormal: multiples of 2^-24
    return sign | static_cast<uint16_t>(std::nearbyint(size * 0x1p24f));
  }
  constexpr uint32_t kRebias = (127u - 15u) << 23;
  const uint32_t bits = std::bit_cast<uint32_t>(size) - kRebias;
  return sign | static_cast<uint16_t>((bits + 0xfffu + ((bits >> 13) & 1u)) >> 13);
}

// Root mean square of what rounding changes, over that of the weights.
double error_of(const std::vector<uint16_t>& halves, const std::vector<float>& weight) {
  std::vector<float> rounded(halves.size());
  const auto source = std::as_bytes(std::span(halves));
  model::convert_elements(model::DType::kF16, source.data(), rounded.data(), static_cast<int64_t>(halves.size()));
  double error = 0, whole = 0;
  for (size_t i = 0; i < weight.size(); ++i) {
    const double difference = static_cast<double>(rounded[i]) - weight[i];
    error += difference * difference;
    whole += static_cast<double>(weight[i]) * weight[i];
  }
  return error == 0 ? 0 : std::sqrt(error / whole);
}

}  // namespace

void store_in_halves(Network& network) {
  for (Layer& layer : network.layers) {
    std::vector<uint16_t> halves(layer.weight.size());
    for (size_t i = 0; i < halves.size(); ++i) halves[i] = half_of(layer.weight[i]);
    if (error_of(halves, layer.weight) > kMaxHalfError) continue;
    layer.half_weight = std::move(halves);
    layer.weight = {};
  }
}

}  // namespace saferoute::router
