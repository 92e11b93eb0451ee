// Every layer against PyTorch, and against differences of its own outputs.
#include <functional>
#include <memory>

#include "train/activations.h"
#include "train/batch_norm.h"
#include "train/bayesian_linear.h"
#include "train/dropout.h"
#include "train/goldens.h"
#include "train/layer_norm.h"
#include "train/linear.h"
#include "train/plain_gemm.h"
#include "train/worker_threads.h"

namespace saferoute::train {
namespace {

using test::expect_near;
using test::Goldens;

constexpr uint64_t kSeed = 0x123456789abcdef0;
constexpr uint32_t kStep = 17;
constexpr int32_t kRows = 13;
constexpr int32_t kInputs = 37;
constexpr int32_t kOutputs = 21;
constexpr double kTolerance = 1e-5;  // of the largest element; asked for are 1e-4

class Layers : public testing::Test {
 protected:
  Layers() : threads_(3) {}

  Pass pass(bool training) {
    return {.gemm = gemm_,
            .parallel_for = threads_.parallel_for(),
            .kernels = *kernels_,
            .training = training,
            .step = kStep};
  }

  std::vector<float> forward(Layer& layer, const std::vector<float>& x, bool training) {
    std::vector<float> y(static_cast<size_t>(kRows) * static_cast<size_t>(layer.outputs()));
    layer.forward(x.data(), y.data(), kRows, pass(training));
    return y;
  }

  // Gives the layer the golden parameters and holds its outputs, gradients and penalty against the golden ones.
  // "cls.7.weight" is "weight" there.
  void check(const std::string& name, Layer& layer) {
    for (Parameter* parameter : layer.parameters())
      parameter->tensor.values = goldens_.floats(golden(name, "", *parameter));
    const std::vector<float> x = goldens_.floats(name + ".x");
    expect_near(forward(layer, x, true), goldens_[name + ".y"], kTolerance, name + ".y");
    const std::vector<float> dy = goldens_.floats(name + ".dy");
    std::vector<float> dx(x.size());
    layer.backward(x.data(), dy.data(), dx.data(), kRows, pass(true));
    expect_near(dx, goldens_[name + ".dx"], kTolerance, name + ".dx");
    for (Parameter* parameter : layer.parameters()) {
      expect_near(parameter->gradient, goldens_[golden(name, "d_", *parameter)], kTolerance, parameter->tensor.name);
    }
  }

  static std::string golden(const std::string& name, const std::string& prefix, const Parameter& parameter) {
    return name + "." + prefix + parameter.tensor.name.substr(parameter.tensor.name.rfind('.') + 1);
  }

  Goldens goldens_{"layers"};
  test::PlainGemm gemm_;
  WorkerThreads threads_;
  const cpu::Kernels* kernels_ = &cpu::best_kernels();
};

TEST_F(Layers, LinearIsPyTorchs) {
  Linear layer("cls.4", {kInputs, kOutputs}, kSeed, 4);
  check("linear", layer);
}

TEST_F(Layers, LinearNeedsNoGradientOfItsInputs) {
  Linear layer("cls.4", {kInputs, kOutputs}, kSeed, 4);
  check("linear", layer);
  const std::vector<float> gradient = layer.parameters()[0]->gradient;
  layer.parameters()[0]->gradient.assign(gradient.size(), -1);
  layer.backward(goldens_.floats("linear.x").data(), goldens_.floats("linear.dy").data(), nullptr, kRows, pass(true));
  EXPECT_EQ(layer.parameters()[0]->gradient, gradient);
}

TEST_F(Layers, BayesianLinearIsPyTorchs) {
  const double elements = kInputs * kOutputs + kOutputs;
  for (const cpu::Kernels* kernels : cpu::supported_kernels()) {
    SCOPED_TRACE(kernels->name);
    kernels_ = kernels;
    BayesianLinear layer("cls.3", {kInputs, kOutputs}, {.sigma = 0.1, .kl_weight = 0.37 / elements}, kSeed, 3);
    check("bayesian", layer);
    EXPECT_NEAR(layer.penalty(), goldens_.one("bayesian.penalty"), 1e-5 * goldens_.one("bayesian.penalty"));
    const auto mean_y = forward(layer, goldens_.floats("bayesian.x"), false);
    expect_near(mean_y, goldens_["bayesian.mean_y"], kTolerance, "y of the posterior's mean");
  }
}

TEST_F(Layers, LayerNormIsPyTorchs) {
  LayerNorm layer("cls.1", kInputs);
  check("layer_norm", layer);
}

TEST_F(Layers, BatchNormIsPyTorchs) {
  BatchNorm layer("cls.1", kInputs);
  forward(layer, goldens_.floats("layer_norm.x"), true);
  check("batch_norm", layer);
  expect_near(layer.statistics()[0]->values, goldens_["batch_norm.running_mean"], kTolerance, "running mean");
  expect_near(layer.statistics()[1]->values, goldens_["batch_norm.running_var"], kTolerance, "running variance");
  const auto x = goldens_.floats("batch_norm.x");
  expect_near(forward(layer, x, false), goldens_["batch_norm.eval_y"], kTolerance, "y outside training");
  expect_near(layer.statistics()[0]->values, goldens_["batch_norm.running_mean"], kTolerance, "which moves nothing");
}

TEST_F(Layers, ActivationsArePyTorchs) {
  Relu relu(kInputs);
  check("relu", relu);
  Gelu gelu(kInputs);
  check("gelu", gelu);
}

TEST_F(Layers, DropoutIsPyTorchsOfTheSameMask) {
  Dropout layer(kInputs, 0.3, kSeed, 7);
  check("dropout", layer);
  const auto x = goldens_.floats("dropout.x");
  EXPECT_EQ(forward(layer, x, false), x);
}

TEST_F(Layers, DropoutDropsItsShare) {
  constexpr int32_t kSize = 20000;
  Dropout layer(kSize, 0.2, kSeed, 7);
  const std::vector<float> x(static_cast<size_t>(kRows) * kSize, 1.0f);
  const auto y = forward(layer, x, true);
  const auto dropped = std::count(y.begin(), y.end(), 0.0f);
  EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(y.size()), 0.2, 5 * std::sqrt(0.16 / 260000));
}

// dL/dx and dL/dp of L = sum(y * dy) + penalty by central differences, in a place or two of every buffer.
TEST_F(Layers, GradientsAreThoseOfDifferences) {
  constexpr float kDelta = 1e-2f;
  const Prior prior{.sigma = 0.3, .kl_weight = 1e-2};
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(std::make_unique<Linear>("a", AffineShape{kInputs, kInputs}, 3, 0));
  layers.push_back(std::make_unique<BayesianLinear>("b", AffineShape{kInputs, kInputs}, prior, 3, 1));
  layers.push_back(std::make_unique<LayerNorm>("c", kInputs));
  layers.push_back(std::make_unique<BatchNorm>("d", kInputs));
  layers.push_back(std::make_unique<Gelu>(kInputs));
  layers.push_back(std::make_unique<Dropout>(kInputs, 0.4, 3, 5));
  std::vector<float> x = goldens_.floats("layer_norm.x");
  const std::vector<float> dy = goldens_.floats("layer_norm.dy");
  for (const auto& layer : layers) {
    const auto loss = [&] {
      const auto y = forward(*layer, x, true);
      std::vector<float> unused(x.size());
      layer->backward(x.data(), dy.data(), unused.data(), kRows, pass(true));
      double total = layer->penalty();
      for (size_t i = 0; i < y.size(); ++i) total += static_cast<double>(y[i]) * dy[i];
      return total;
    };
    std::vector<float> dx(x.size());
    forward(*layer, x, true);
    layer->backward(x.data(), dy.data(), dx.data(), kRows, pass(true));
    std::vector<std::pair<std::vector<float>*, std::vector<float>>> buffers{{&x, dx}};
    for (Parameter* parameter : layer->parameters())
      buffers.push_back({&parameter->tensor.values, parameter->gradient});
    for (auto& [values, gradient] : buffers) {
      for (const size_t place : {size_t{0}, values->size() / 2 + 3}) {
        float& value = (*values)[place];
        const float before = value;
        value = before + kDelta;
        const double above = loss();
        value = before - kDelta;
        const double below = loss();
        value = before;
        EXPECT_NEAR((above - below) / (2 * kDelta), gradient[place], 5e-3 * std::max(1.0f, std::abs(gradient[place])))
            << typeid(*layer).name() << " " << place;
      }
    }
  }
}

}  // namespace
}  // namespace saferoute::train
