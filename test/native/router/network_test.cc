#include "router/network.h"

#include <cmath>

#include "model/checkpoint_file.h"
#include "random_floats.h"

namespace saferoute::router {
namespace {

using model::CheckpointFile;
using model::expect_error;
using model::TemporaryFolder;

LayerNames plain(const std::string& name, Activation activation) {
  return {.weight = name + ".weight",
          .bias = name + ".bias",
          .layer_norm = std::nullopt,
          .batch_norm = std::nullopt,
          .activation = activation};
}

LayerNames with_batch_norm(const std::string& name, const std::string& norm) {
  LayerNames names = plain(name, Activation::kGelu);
  names.batch_norm = BatchNormNames{norm + ".weight", norm + ".bias", norm + ".running_mean", norm + ".running_var"};
  return names;
}

LayerNames with_layer_norm(const std::string& name, const std::string& norm) {
  LayerNames names = plain(name, Activation::kRelu);
  names.layer_norm = NormNames{norm + ".weight", norm + ".bias"};
  return names;
}

void add_linear(CheckpointFile& file, const std::string& name, int64_t inputs, int64_t outputs, unsigned seed) {
  file.add(name + ".weight", {outputs, inputs}, random_floats(static_cast<size_t>(outputs * inputs), seed));
  file.add(name + ".bias", {outputs}, random_floats(static_cast<size_t>(outputs), seed + 1));
}

void add_norm(CheckpointFile& file, const std::string& name, int64_t size, unsigned seed, bool batch) {
  file.add(name + ".weight", {size}, random_floats(static_cast<size_t>(size), seed));
  file.add(name + ".bias", {size}, random_floats(static_cast<size_t>(size), seed + 1));
  if (!batch) return;
  auto variance = random_floats(static_cast<size_t>(size), seed + 3);
  for (float& value : variance) value = value * value;
  variance[0] = 0;  // a unit that never fires: the epsilon alone keeps it finite
  file.add(name + ".running_mean", {size}, random_floats(static_cast<size_t>(size), seed + 2));
  file.add(name + ".running_var", {size}, variance);
}

// 6 -> 5 -> 4 -> 1, batch norm after the first layer and layer norm after the second.
class RouterNetwork : public testing::Test {
 protected:
  RouterNetwork() {
    add_linear(file_, "cls.0", 6, 5, 10);
    add_norm(file_, "cls.1", 5, 20, true);
    add_linear(file_, "cls.4", 5, 4, 30);
    add_norm(file_, "cls.5", 4, 40, false);
    add_linear(file_, "cls.8", 4, 1, 50);
  }

  Network load() { return load_network(file_.open(folder_), names_); }

  std::vector<float> values(const std::string& name) {
    const auto& entry = file_.entry(name);
    std::vector<float> out(entry.bytes / sizeof(float));
    std::memcpy(out.data(), file_.bytes.data() + entry.offset, entry.bytes);
    return out;
  }
  void set(const std::string& name, size_t element, float value) {
    std::memcpy(file_.bytes.data() + file_.entry(name).offset + element * sizeof(float), &value, sizeof(value));
  }

  TemporaryFolder folder_;
  CheckpointFile file_;
  std::vector<LayerNames> names_ = {with_batch_norm("cls.0", "cls.1"), with_layer_norm("cls.4", "cls.5"),
                                    plain("cls.8", Activation::kNone)};
};

TEST_F(RouterNetwork, ReadsShapesNormsAndActivations) {
  const Network network = load();
  ASSERT_EQ(network.layers.size(), 3u);
  EXPECT_EQ(network.input_size(), 6);
  EXPECT_EQ(network.widest(), 5);
  EXPECT_EQ(network.layers[0].activation, Activation::kGelu);
  EXPECT_TRUE(network.layers[0].norm_weight.empty());
  EXPECT_EQ(network.layers[1].activation, Activation::kRelu);
  EXPECT_EQ(network.layers[1].weight, values("cls.4.weight"));
  EXPECT_EQ(network.layers[1].bias, values("cls.4.bias"));
  EXPECT_EQ(network.layers[1].norm_weight, values("cls.5.weight"));
  EXPECT_EQ(network.layers[1].norm_bias, values("cls.5.bias"));
  EXPECT_EQ(network.layers[2].activation, Activation::kNone);
  EXPECT_EQ(network.layers[2].outputs, 1);
}

TEST_F(RouterNetwork, FoldedBatchNormComputesTheUnfoldedFormula) {
  const Network network = load();
  const Layer& folded = network.layers[0];
  const auto weight = values("cls.0.weight"), bias = values("cls.0.bias");
  const auto gamma = values("cls.1.weight"), beta = values("cls.1.bias");
  const auto mean = values("cls.1.running_mean"), variance = values("cls.1.running_var");
  const auto x = random_floats(6, 99);
  for (size_t o = 0; o < 5; ++o) {
    double linear = bias[o], actual = folded.bias[o];
    for (size_t i = 0; i < 6; ++i) {
      linear += static_cast<double>(weight[o * 6 + i]) * x[i];
      actual += static_cast<double>(folded.weight[o * 6 + i]) * x[i];
    }
    const double expected = (linear - mean[o]) / std::sqrt(variance[o] + 1e-5) * gamma[o] + beta[o];
    EXPECT_NEAR(actual, expected, 1e-6 * std::max(1.0, std::abs(expected) * 10)) << o;
  }
}

TEST_F(RouterNetwork, HalfPrecisionFilesWork) {
  file_ = CheckpointFile();
  file_.add("w", {1, 3}, {1.0f, -2.0f, 0.5f}, model::DType::kBF16);
  file_.add("b", {1}, {0.25f}, model::DType::kBF16);
  names_ = {{.weight = "w", .bias = "b", .layer_norm = {}, .batch_norm = {}, .activation = Activation::kNone}};
  EXPECT_EQ(load().layers[0].weight, (std::vector<float>{1.0f, -2.0f, 0.5f}));
}

TEST_F(RouterNetwork, LayersMustChain) {
  std::swap(names_[0], names_[1]);
  expect_error(ErrorCode::kCheckpoint, "tensor 'cls.0.weight' takes 6 inputs, the layer before it has 4 outputs",
               [&] { load(); });
}

TEST_F(RouterNetwork, MustEndInOneOutput) {
  names_.pop_back();
  expect_error(ErrorCode::kCheckpoint, "its last layer, 'cls.4.weight', has 4 outputs, expected 1", [&] { load(); });
}

TEST_F(RouterNetwork, NeedsLayers) {
  names_.clear();
  expect_error(ErrorCode::kCheckpoint, "has no layers", [&] { load(); });
}

TEST_F(RouterNetwork, WeightIsAMatrix) {
  file_.entry("cls.4.weight").shape = {20};
  expect_error(ErrorCode::kCheckpoint, "tensor 'cls.4.weight' has 1 dimensions", [&] { load(); });
}

TEST_F(RouterNetwork, EveryVectorHasTheLayersWidth) {
  for (const char* name : {"cls.0.bias", "cls.1.weight", "cls.1.bias", "cls.1.running_mean", "cls.1.running_var"}) {
    const auto before = file_.entry(name);
    file_.entry(name).shape = {1, 5};
    expect_error(ErrorCode::kCheckpoint, "tensor '" + std::string(name) + "': has shape (1, 5), expected (5)",
                 [&] { load(); });
    file_.entry(name) = before;
  }
}

TEST_F(RouterNetwork, EveryTensorIsNeeded) {
  for (const model::TensorEntry& entry : CheckpointFile(file_).entries) {
    const CheckpointFile whole = file_;
    file_.remove(entry.name);
    expect_error(ErrorCode::kCheckpoint, "tensor '" + entry.name + "' is missing", [&] { load(); });
    file_ = whole;
  }
}

TEST_F(RouterNetwork, WidthIsBounded) {
  file_ = CheckpointFile();
  add_linear(file_, "wide", 1, kMaxOutputs + 1, 1);
  names_ = {plain("wide", Activation::kNone)};
  expect_error(ErrorCode::kCheckpoint, "tensor 'wide.weight' has 4097 outputs, it must have 1 to 4096",
               [&] { load(); });
  file_ = CheckpointFile();
  file_.add("empty.weight", {1, 0}, {});
  names_ = {plain("empty", Activation::kNone)};
  expect_error(ErrorCode::kCheckpoint, "tensor 'empty.weight' has 0 inputs", [&] { load(); });
}

TEST_F(RouterNetwork, TwoNormsAreRefused) {
  names_[0].layer_norm = NormNames{"cls.1.weight", "cls.1.bias"};
  expect_error(ErrorCode::kUnsupported, "has both a layer norm and a batch norm", [&] { load(); });
}

TEST_F(RouterNetwork, NotFiniteBeforeFolding) {
  for (const char* name : {"cls.0.weight", "cls.0.bias", "cls.1.running_var", "cls.5.bias", "cls.8.weight"}) {
    const CheckpointFile whole = file_;
    set(name, 0, NAN);
    expect_error(ErrorCode::kNotFinite, "tensor '" + std::string(name) + "': element 0 is NaN", [&] { load(); });
    file_ = whole;
  }
}

TEST_F(RouterNetwork, NotFiniteAfterFolding) {
  set("cls.1.running_var", 2, 1.0f);
  set("cls.1.weight", 2, 1e30f);
  set("cls.0.weight", 2 * 6 + 4, 1e30f);
  expect_error(ErrorCode::kNotFinite,
               "tensor 'cls.0.weight': element 16 is not finite once batch normalisation is folded in",
               [&] { load(); });
}

TEST_F(RouterNetwork, NegativeVariance) {
  set("cls.1.running_var", 3, -0.5f);
  expect_error(ErrorCode::kCheckpoint, "tensor 'cls.1.running_var': element 3 is a negative variance, -0.5",
               [&] { load(); });
}

}  // namespace
}  // namespace saferoute::router
