#include "cpu/guard_head.h"

#include <limits>
#include <random>

#include "cpu/kernel_test.h"
#include "router/quantized_weights.h"

namespace saferoute::cpu {
namespace {

using router::Activation;

class GuardHead : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(Variants, GuardHead, every_variant_and_schedule(), variant_and_schedule);

router::Layer random_layer(int32_t inputs, int32_t outputs, bool layer_norm, Activation activation, unsigned seed) {
  router::Layer layer;
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.weight =
      random_floats(static_cast<size_t>(inputs) * outputs, seed, 1.0f / std::sqrt(static_cast<float>(inputs)));
  layer.bias = random_floats(outputs, seed + 1, 0.1f);
  if (layer_norm) {
    layer.norm_weight = random_floats(outputs, seed + 2);
    layer.norm_bias = random_floats(outputs, seed + 3);
  }
  layer.activation = activation;
  return layer;
}

// The shapes of the two published networks, narrower; 70 and 129 leave a rest in every block of outputs.
router::Network layer_norm_network(int32_t inputs) {
  return {{random_layer(inputs, 129, true, Activation::kRelu, 10), random_layer(129, 129, true, Activation::kRelu, 20),
           random_layer(129, 1, false, Activation::kNone, 30)}};
}
router::Network gelu_network(int32_t inputs) {
  return {{random_layer(inputs, 256, false, Activation::kGelu, 40), random_layer(256, 70, false, Activation::kGelu, 50),
           random_layer(70, 33, false, Activation::kGelu, 60), random_layer(33, 1, false, Activation::kNone, 70)}};
}

router::Network quantized(router::Network network) {
  router::quantize_weights(network);
  return network;
}

// The same weights back in f32, rounded as int8 is.
router::Network widened(router::Network network) {
  for (router::Layer& layer : network.layers) {
    if (layer.quantized.values.empty()) continue;
    const int64_t groups = router::groups_of(layer.inputs);
    for (int64_t o = 0; o < layer.outputs; ++o) {
      for (int64_t i = 0; i < layer.inputs; ++i) {
        const float scale = layer.quantized.scales[o * groups + i / router::kGroupInputs];
        layer.weight.push_back(layer.quantized.values[o * groups * router::kGroupInputs + i] * scale);
      }
    }
    layer.quantized = {};
  }
  return network;
}

double activate(double x, Activation activation) {
  if (activation == Activation::kRelu) return std::max(x, 0.0);
  if (activation == Activation::kGelu) return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
  return x;
}

double reference_hardness(const router::Network& network, std::vector<double> x) {
  for (const router::Layer& layer : network.layers) {
    std::vector<double> y(layer.bias.begin(), layer.bias.end());
    for (size_t o = 0; o < y.size(); ++o) {
      for (size_t i = 0; i < x.size(); ++i) y[o] += layer.weight[o * x.size() + i] * x[i];
    }
    if (!layer.norm_weight.empty()) {
      double mean = 0, variance = 0;
      for (const double value : y) mean += value / static_cast<double>(y.size());
      for (const double value : y) variance += (value - mean) * (value - mean) / static_cast<double>(y.size());
      for (size_t o = 0; o < y.size(); ++o) {
        y[o] = (y[o] - mean) / std::sqrt(variance + 1e-5) * layer.norm_weight[o] + layer.norm_bias[o];
      }
    }
    for (double& value : y) value = activate(value, layer.activation);
    x = y;
  }
  return 1.0 / (1.0 + std::exp(-x[0]));
}

struct Outcome {
  std::vector<float> feature, logits, hardness;
};

// A head over a batch of rows of the given lengths. Tokens that are not the last of their row are NaN: nothing may read
// them.
struct Head {
  int32_t hidden;
  std::vector<int32_t> offsets = {0};
  std::vector<float> x, delta, norm, verdict_rows;
  GuardHeadWeights weights;

  Head(int32_t hidden_size, int32_t verdict_tokens, const std::vector<int32_t>& lengths) : hidden(hidden_size) {
    for (const int32_t length : lengths) offsets.push_back(offsets.back() + length);
    x = random_floats(static_cast<size_t>(offsets.back()) * hidden, 1);
    delta = random_floats(x.size(), 2);
    for (size_t r = 0; r + 1 < offsets.size(); ++r) {
      for (int32_t i = offsets[r] * hidden; i < (offsets[r + 1] - 1) * hidden; ++i) x[i] = delta[i] = NAN;
    }
    norm = random_floats(hidden, 3);
    verdict_rows = random_floats(static_cast<size_t>(verdict_tokens) * hidden, 4, 0.1f);
    weights = {.final_norm = norm.data(),
               .verdict_rows = verdict_rows.data(),
               .network = nullptr,
               .verdict_tokens = verdict_tokens,
               .hidden = hidden,
               .eps = 1e-5f};
  }

  size_t rows() const { return offsets.size() - 1; }

  Outcome run(ParallelFor parallel_for, const Kernels& kernels) const {
    Outcome outcome{std::vector<float>(rows() * hidden), std::vector<float>(rows() * weights.verdict_tokens),
                    std::vector<float>(rows())};
    guard_head(x.data(), delta.data(), offsets.data(), weights, outcome.feature.data(), outcome.logits.data(),
               outcome.hardness.data(), static_cast<int64_t>(rows()), parallel_for, kernels);
    return outcome;
  }

  std::vector<double> reference_feature(size_t row) const {
    const size_t at = static_cast<size_t>(offsets[row + 1] - 1) * hidden;
    std::vector<double> feature(hidden);
    double squares = 0;
    for (int32_t i = 0; i < hidden; ++i) {
      feature[i] = static_cast<double>(x[at + i]) + delta[at + i];
      squares += feature[i] * feature[i];
    }
    for (int32_t i = 0; i < hidden; ++i) feature[i] *= norm[i] / std::sqrt(squares / hidden + 1e-5);
    return feature;
  }
};

const std::vector<int32_t> kBatches[] = {{1}, {17, 1}, {1, 2, 3, 4}, {5, 1, 1, 16, 2}, {1, 1, 1, 1, 1, 1, 1, 1, 3}};

TEST_P(GuardHead, MatchesItsFormulaForBothNetworks) {
  for (const int32_t hidden : {20, 128, 300}) {
    for (const router::Network& network : {layer_norm_network(hidden), gelu_network(hidden)}) {
      for (const auto& lengths : kBatches) {
        for (const int32_t verdict_tokens : {2, 3, 8}) {
          Head head(hidden, verdict_tokens, lengths);
          head.weights.network = &network;
          const Outcome outcome = head.run(parallel_for(), kernels());
          std::vector<double> features, logits, hardness;
          for (size_t r = 0; r < head.rows(); ++r) {
            const auto feature = head.reference_feature(r);
            features.insert(features.end(), feature.begin(), feature.end());
            for (int32_t v = 0; v < verdict_tokens; ++v) {
              logits.push_back(0);
              for (int32_t i = 0; i < hidden; ++i) logits.back() += head.verdict_rows[v * hidden + i] * feature[i];
            }
            hardness.push_back(reference_hardness(network, feature));
          }
          expect_close(outcome.feature, features, 2e-6);
          expect_close(outcome.logits, logits, 5e-6);
          expect_close(outcome.hardness, hardness, 2e-6);
        }
      }
    }
  }
}

TEST_P(GuardHead, WithoutARouterHardnessIsNaN) {
  const Head head(64, 2, {3, 1, 4, 1, 5});
  for (const float hardness : head.run(parallel_for(), kernels()).hardness) EXPECT_TRUE(std::isnan(hardness));
}

TEST_P(GuardHead, ARowIsTheSameInEveryBatch) {
  const router::Network network = quantized(gelu_network(64));
  Head together(64, 3, {2, 7, 1, 1, 3, 1, 1});
  together.weights.network = &network;
  const Outcome all = together.run(parallel_for(), kernels());
  for (size_t r = 0; r < together.rows(); ++r) {
    Head alone = together;
    alone.weights.final_norm = alone.norm.data();
    alone.weights.verdict_rows = alone.verdict_rows.data();
    alone.offsets = {0, together.offsets[r + 1]};
    const Outcome one = alone.run(parallel_for(), kernels());
    EXPECT_EQ(one.hardness[0], all.hardness[r]);
    for (size_t v = 0; v < 3; ++v) EXPECT_EQ(one.logits[v], all.logits[r * 3 + v]);
    for (size_t i = 0; i < 64; ++i) ASSERT_EQ(one.feature[i], all.feature[r * 64 + i]);
  }
}

TEST_P(GuardHead, RouteGivesTheHardnessOfAFeature) {
  const router::Network network = layer_norm_network(64);
  Head head(64, 2, {1, 5, 2});
  head.weights.network = &network;
  const Outcome outcome = head.run(parallel_for(), kernels());
  for (size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(route(network, outcome.feature.data() + r * 64, serial(), kernels()), outcome.hardness[r]);
  }
}

TEST_P(GuardHead, RouteOfManyFeaturesGivesTheHardnessOfEach) {
  for (const router::Network& network : {gelu_network(40), quantized(gelu_network(40))}) {
    for (const int64_t rows : {1, 4, 9, 30}) {
      const std::vector<float> features = random_floats(static_cast<size_t>(rows) * 40, 11);
      std::vector<float> hardness(rows);
      route(network, features.data(), hardness.data(), rows, parallel_for(), kernels());
      for (int64_t r = 0; r < rows; ++r)
        EXPECT_EQ(hardness[r], route(network, features.data() + r * 40, serial(), kernels()));
    }
  }
}

TEST_P(GuardHead, RouteIsTheSameInWhateverOrder) {
  for (const router::Network& network : {layer_norm_network(300), quantized(gelu_network(300))}) {
    const std::vector<float> feature = random_floats(300, 13);
    const float forwards = route(network, feature.data(), serial(), kernels());
    EXPECT_EQ(route(network, feature.data(), serial_backwards(), kernels()), forwards);
    EXPECT_EQ(route(network, feature.data(), parallel_for(), kernels()), forwards);
  }
}

TEST_P(GuardHead, AQuantizedRouterIsThatOfTheRoundedWeights) {
  for (const int32_t hidden : {64, 300, 2048}) {
    for (const router::Network& network : {layer_norm_network(hidden), gelu_network(hidden)}) {
      const router::Network int8 = quantized(network);
      ASSERT_TRUE(int8.layers[0].weight.empty());
      const router::Network rounded = widened(int8);
      const std::vector<float> feature = random_floats(hidden, 12);
      const float hardness = route(int8, feature.data(), serial(), kernels());
      EXPECT_NEAR(hardness, route(rounded, feature.data(), serial(), kernels()), 3e-5);
      EXPECT_NEAR(hardness, route(network, feature.data(), serial(), kernels()), 1e-2);
    }
  }
}

// Integer values and scales of one: every product and sum is exact.
TEST_P(GuardHead, ProductsOfInt8WeightsAreExact) {
  constexpr int64_t kGroup = router::kGroupInputs;
  std::mt19937 random(3);
  std::uniform_int_distribution<int> weights(-127, 127), inputs(-255, 255);
  for (const int64_t size : {64, 192}) {
    for (const int64_t outputs : {1, 3, 4, 9}) {
      constexpr int64_t kRows = 3;
      std::vector<int8_t> weight(outputs * size);
      std::vector<int16_t> x(kRows * size);
      for (int8_t& value : weight) value = static_cast<int8_t>(weights(random));
      for (int16_t& value : x) value = static_cast<int16_t>(inputs(random));
      const std::vector<float> scale(outputs * size / kGroup, 1.0f), bias(outputs, 0.25f), x_scale = {1.0f, 2.0f, 0.5f};
      std::vector<float> y(kRows * outputs, NAN);
      kernels().dense_int8(weight.data(), scale.data(), bias.data(), x.data(), x_scale.data(), y.data(), kRows, outputs,
                           size, outputs);
      for (int64_t r = 0; r < kRows; ++r) {
        for (int64_t o = 0; o < outputs; ++o) {
          int64_t expected = 0;
          for (int64_t i = 0; i < size; ++i) expected += weight[o * size + i] * x[r * size + i];
          EXPECT_EQ(y[r * outputs + o], static_cast<float>(expected) * x_scale[r] + 0.25f) << r << ", " << o;
        }
      }
    }
  }
}

TEST_P(GuardHead, TheLargestSumOfAGroupIsExact) {
  constexpr int64_t kGroup = router::kGroupInputs;
  const std::vector<int8_t> weight(kGroup, -127);
  const std::vector<int16_t> x(kGroup, 32767);
  const float one = 1.0f, zero = 0.0f;
  float y = NAN;
  kernels().dense_int8(weight.data(), &one, &zero, x.data(), &one, &y, 1, 1, kGroup, 1);
  EXPECT_EQ(y, -127.0f * 32767.0f * kGroup);
}

TEST_P(GuardHead, InputsOfInt8WeightsAreTheNearestIntegers) {
  for (const int64_t size : {1, 37, 64, 100}) {
    std::vector<float> x = random_floats(size, 21);
    x[size / 2] = -3.2767f;  // the largest
    std::vector<int16_t> out(router::groups_of(size) * router::kGroupInputs, int16_t{-1});
    const float scale = kernels().quantize_to_int16(x.data(), out.data(), size);
    EXPECT_FLOAT_EQ(scale, 1e-4f);
    for (int64_t i = 0; i < std::ssize(out); ++i) {
      if (i < size) {
        EXPECT_NEAR(out[i], x[i] / 1e-4, 0.502) << i;
      } else {
        EXPECT_EQ(out[i], 0) << i;
      }
    }
  }
}

TEST_P(GuardHead, InputsThatAreZeroOrNotFiniteAreNotLost) {
  std::vector<int16_t> out(router::kGroupInputs, int16_t{-1});
  std::vector<float> x(40);
  EXPECT_EQ(kernels().quantize_to_int16(x.data(), out.data(), 40), 0.0f);
  EXPECT_EQ(out, std::vector<int16_t>(router::kGroupInputs));
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    x[33] = value;
    EXPECT_TRUE(std::isnan(kernels().quantize_to_int16(x.data(), out.data(), 40)));
  }
}

TEST_P(GuardHead, NaNReachesTheHardnessOfAQuantizedRouter) {
  const router::Network network = quantized(gelu_network(300));
  std::vector<float> feature = random_floats(300, 14);
  feature[299] = NAN;
  EXPECT_TRUE(std::isnan(route(network, feature.data(), serial(), kernels())));
}

TEST_P(GuardHead, NaNInARowStaysInThatRow) {
  const router::Network network = layer_norm_network(32);
  Head head(32, 2, {1, 1, 1, 1, 1, 1});
  head.weights.network = &network;
  head.x[2 * 32 + 5] = NAN;
  const Outcome outcome = head.run(parallel_for(), kernels());
  for (size_t r = 0; r < 6; ++r) {
    EXPECT_EQ(std::isnan(outcome.hardness[r]), r == 2) << r;
    EXPECT_EQ(std::isnan(outcome.logits[r * 2]), r == 2) << r;
  }
}

// hardness of a router that is one activation: sigmoid(activation(x)).
float through(Activation activation, float x, const Kernels& kernels) {
  router::Layer first, last;
  first.inputs = first.outputs = last.inputs = last.outputs = 1;
  first.weight = last.weight = {1.0f};
  first.bias = last.bias = {0.0f};
  first.activation = activation;
  return route({{first, last}}, &x, serial(), kernels);
}

TEST_P(GuardHead, GeluIsTheErfForm) {
  double worst_of_tanh_form = 0;
  for (float x = -6.0f; x <= 6.0f; x += 0.01f) {
    const auto sigmoid = [](double value) { return 1.0 / (1.0 + std::exp(-value)); };
    ASSERT_NEAR(through(Activation::kGelu, x, kernels()), sigmoid(activate(x, Activation::kGelu)), 2e-7) << x;
    const double tanh_form = 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * std::pow(x, 3))));
    worst_of_tanh_form =
        std::max(worst_of_tanh_form, std::abs(sigmoid(tanh_form) - sigmoid(activate(x, Activation::kGelu))));
  }
  EXPECT_GT(worst_of_tanh_form, 2e-5);  // the bound above tells the two apart
}

TEST_P(GuardHead, SigmoidSaturatesAndKeepsNaN) {
  EXPECT_EQ(through(Activation::kNone, 1000.0f, kernels()), 1.0f);
  EXPECT_EQ(through(Activation::kNone, -1000.0f, kernels()), 0.0f);
  EXPECT_NEAR(through(Activation::kNone, -80.0f, kernels()), std::exp(-80.0), 1e-38);
  EXPECT_EQ(through(Activation::kRelu, -3.0f, kernels()), 0.5f);
  for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kGelu}) {
    EXPECT_TRUE(std::isnan(through(activation, NAN, kernels())));
  }
}

// A layer whose outputs differ by about the epsilon's root: with another epsilon this misses by far.
TEST_P(GuardHead, LayerNormTakesPyTorchsEpsilon) {
  std::vector<float> x = {1.000f, 1.002f, 1.004f, 1.006f, 1.008f};
  const std::vector<float> ones(5, 1.0f), zeros(5, 0.0f);
  kernels().layer_norm(x.data(), ones.data(), zeros.data(), 5, router::kNormEps);
  const double factor = 1.0 / std::sqrt(8e-6 + 1e-5);
  expect_close(x, {-0.004 * factor, -0.002 * factor, 0, 0.002 * factor, 0.004 * factor}, 1e-4);
}

// Subtracting the mean before squaring: the naive mean square would lose every digit here.
TEST_P(GuardHead, LayerNormSurvivesALargeMean) {
  for (const size_t size : {1u, 2u, 15u, 16u, 17u, 129u}) {
    std::vector<float> x(size);
    for (size_t i = 0; i < size; ++i) x[i] = 4096.0f + static_cast<float>(i % 2);
    std::vector<double> expected(size);
    double mean = 0, variance = 0;
    for (const float value : x) mean += value / static_cast<double>(size);
    for (const float value : x) variance += (value - mean) * (value - mean) / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i) expected[i] = (x[i] - mean) / std::sqrt(variance + 1e-5);
    const std::vector<float> ones(size, 1.0f), zeros(size, 0.0f);
    kernels().layer_norm(x.data(), ones.data(), zeros.data(), static_cast<int64_t>(size), 1e-5f);
    expect_close(x, expected, 2e-3);
  }
}

}  // namespace
}  // namespace saferoute::cpu
