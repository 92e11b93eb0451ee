#include "model/weight_cache.h"

#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model/checkpoint_file.h"

namespace saferoute::model {
namespace {

// A plan as lib/checkpoint makes it: the longest elements first in the file.
WeightCachePlan plan_of(const ModelSpec& spec, std::string path) {
  WeightCachePlan plan{.path = std::move(path), .header = "a header of any sort----", .entries = {}, .file_bytes = 0};
  const int64_t hidden = spec.hidden_size;
  const int64_t intermediate = spec.intermediate_size;
  const auto add = [&](const std::string& name, DType dtype, std::vector<int64_t> shape) {
    uint64_t bytes = dtype_bytes(dtype);
    for (const int64_t size : shape) bytes *= static_cast<uint64_t>(size);
    plan.entries.push_back({.name = name, .dtype = dtype, .shape = std::move(shape), .file = 0, .bytes = bytes});
  };
  for (int32_t layer = 0; layer < spec.layers; ++layer) {
    const auto add_matrix = [&](const std::string& matrix, int64_t inputs, int64_t outputs) {
      const std::string name = "layers." + std::to_string(layer) + "." + matrix;
      add(name + ".values", DType::kI8, {inputs, outputs});
      add(name + ".scales", DType::kF32, {outputs});
    };
    add_matrix("qkv", hidden, spec.qkv_size());
    add_matrix("output", spec.query_size(), hidden);
    add_matrix("gate_up", hidden, 2 * intermediate);
    add_matrix("down", intermediate, hidden);
  }
  add("checksums", DType::kI64, {static_cast<int64_t>(plan.entries.size())});
  plan.file_bytes = plan.header.size();
  for (const size_t width : {8, 4, 1}) {
    for (TensorEntry& entry : plan.entries) {
      if (dtype_bytes(entry.dtype) != width) continue;
      entry.offset = plan.file_bytes;
      plan.file_bytes += entry.bytes;
    }
  }
  return plan;
}

Int8Matrix random_matrix(int64_t inputs, int64_t outputs, std::mt19937& generator) {
  Int8Matrix matrix;
  for (int64_t i = 0; i < inputs * outputs; ++i) matrix.values.push_back(static_cast<int8_t>(generator()));
  for (int64_t o = 0; o < outputs; ++o) matrix.scales.push_back(static_cast<float>(generator() % 1000) / 1000);
  return matrix;
}

Int8LayerWeights random_layer(const ModelSpec& spec, uint32_t seed) {
  std::mt19937 generator(seed);
  const int64_t hidden = spec.hidden_size;
  return {.input_norm = {},
          .qkv = random_matrix(hidden, spec.qkv_size(), generator),
          .q_norm = {},
          .k_norm = {},
          .output = random_matrix(spec.query_size(), hidden, generator),
          .post_norm = {},
          .gate_up = random_matrix(hidden, 2 * spec.intermediate_size, generator),
          .down = random_matrix(spec.intermediate_size, hidden, generator)};
}

void expect_equal(const Int8LayerWeights& found, const Int8LayerWeights& expected) {
  for (const auto matrix :
       {&Int8LayerWeights::qkv, &Int8LayerWeights::output, &Int8LayerWeights::gate_up, &Int8LayerWeights::down}) {
    EXPECT_EQ((found.*matrix).values, (expected.*matrix).values);
    EXPECT_EQ((found.*matrix).scales, (expected.*matrix).scales);
  }
}

class WeightCache : public testing::Test {
 protected:
  explicit WeightCache(int32_t hidden = 5) {
    spec_.hidden_size = hidden;
    plan_ = plan_of(spec_, folder_.path("guard.int8.safetensors"));
    for (int32_t index = 0; index < spec_.layers; ++index) layers_.push_back(random_layer(spec_, uint32_t(index)));
  }

  void write() const {
    WeightCacheWriter writer(plan_);
    write_layers(writer);
    writer.commit();
  }
  void write_layers(WeightCacheWriter& writer) const {
    for (int32_t index = 0; index < spec_.layers; ++index) writer.write_layer(index, layers_[size_t(index)]);
  }
  void read() const {
    const WeightCacheReader reader(plan_);
    for (int32_t index = 0; index < spec_.layers; ++index)
      expect_equal(reader.read_layer(index), layers_[size_t(index)]);
  }
  void expect_refused(const std::string& text) const {
    expect_error(ErrorCode::kCheckpoint, text, [&] { read(); });
  }
  std::string bytes() const {
    std::ifstream file(plan_.path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void overwrite(size_t place, char byte) const {
    std::fstream file(plan_.path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(place));
    file.put(byte);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path(""))) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  TemporaryFolder folder_;
  ModelSpec spec_ = tiny_spec();
  WeightCachePlan plan_;
  std::vector<Int8LayerWeights> layers_;
};

TEST_F(WeightCache, ReadsWhatWasWritten) {
  write();
  read();
  EXPECT_EQ(bytes().size(), plan_.file_bytes);
  EXPECT_TRUE(bytes().starts_with(plan_.header));
  EXPECT_EQ(files(), std::vector<std::string>{"guard.int8.safetensors"});
}

// Tensors of more than one piece, with a rest.
class LargeWeightCache : public WeightCache {
 protected:
  LargeWeightCache() : WeightCache(40'009) {}
};

TEST_F(LargeWeightCache, ReadsWhatWasWritten) {
  write();
  read();
}

TEST_F(LargeWeightCache, AFlippedBitAnywhereInAPieceIsSeen) {
  write();
  const std::string sound = bytes();
  const TensorEntry& entry = plan_.entries[8];  // the second layer's first
  ASSERT_GT(entry.bytes, 600'000u);
  for (const uint64_t place : {uint64_t{0}, uint64_t{262'143}, uint64_t{262'144}, entry.bytes - 1}) {
    overwrite(entry.offset + place, static_cast<char>(sound[entry.offset + place] ^ 0x40));
    expect_refused("tensor 'layers.1.qkv.values': does not fit its checksum");
    overwrite(entry.offset + place, sound[entry.offset + place]);
  }
}

TEST_F(WeightCache, IsMissing) { expect_refused("guard.int8.safetensors: can't be opened"); }

TEST_F(WeightCache, AFlippedBitInEveryByteIsSeen) {
  write();
  const std::string sound = bytes();
  for (size_t place = 0; place < sound.size(); ++place) {
    overwrite(place, static_cast<char>(sound[place] ^ 1 << place % 8));
    expect_refused(place < plan_.header.size() ? "has another header" : "does not fit its checksum");
    overwrite(place, sound[place]);
  }
  read();
}

TEST_F(WeightCache, EveryOtherLengthIsSeen) {
  write();
  const std::string expected = " bytes, expected " + std::to_string(plan_.file_bytes);
  for (uint64_t size = plan_.file_bytes; size-- > 0;) {
    std::filesystem::resize_file(plan_.path, size);
    expect_refused("has " + std::to_string(size) + expected);
  }
  std::filesystem::resize_file(plan_.path, plan_.file_bytes + 1);
  expect_refused("has " + std::to_string(plan_.file_bytes + 1) + expected);
}

TEST_F(WeightCache, BecomesShorterWhileItIsRead) {
  write();
  const WeightCacheReader reader(plan_);
  std::filesystem::resize_file(plan_.path, plan_.file_bytes / 2);
  expect_error(ErrorCode::kCheckpoint, "has become shorter", [&] { reader.read_layer(1); });
}

TEST_F(WeightCache, ReplacesADamagedOne) {
  folder_.write("guard.int8.safetensors", "rubbish");
  write();
  read();
}

TEST_F(WeightCache, StaysTheOldOneUntilTheNewOneIsWhole) {
  write();
  const WeightCacheReader reader(plan_);
  {
    WeightCacheWriter writer(plan_);
    writer.write_layer(0, layers_[1]);
    read();
  }
  read();
  EXPECT_EQ(files().size(), 1u);
  write();
  expect_equal(reader.read_layer(0), layers_[0]);  // of a file that nobody else can open any more
}

TEST_F(WeightCache, GivenUpLeavesNothing) {
  {
    WeightCacheWriter writer(plan_);
    writer.write_layer(0, layers_[0]);
    EXPECT_EQ(files().size(), 1u);
  }
  EXPECT_TRUE(files().empty());
}

TEST_F(WeightCache, ManyWritersAtOnceAllSucceed) {
  std::vector<std::jthread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        write();
        read();
      }
    });
  }
  writers.clear();
  read();
  EXPECT_EQ(files().size(), 1u);
}

TEST_F(WeightCache, RemovesWhatAnEndedProcessLeft) {
  folder_.write("guard.int8.safetensors.0123456789abcdef.tmp", "half a file");
  folder_.write("other.int8.safetensors.0123456789abcdef.tmp", "another's");
  folder_.write("guard.int8.safetensors.old", "the user's");
  write();
  EXPECT_EQ(files().size(), 3u);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("guard.int8.safetensors.0123456789abcdef.tmp")));
}

TEST_F(WeightCache, LeavesTheFileOfAWriterAtWork) {
  const WeightCacheWriter at_work(plan_);
  write();
  EXPECT_EQ(files().size(), 2u);
}

TEST_F(WeightCache, FolderThatTakesNoFile) {
  plan_.path = folder_.path("missing/guard.int8.safetensors");
  expect_error(ErrorCode::kBackend, "missing/guard.int8.safetensors: can't be created: No such file or directory",
               [&] { write(); });
  folder_.write("file", "");
  plan_.path = folder_.path("file/guard.int8.safetensors");
  expect_error(ErrorCode::kBackend, "can't be created: Not a directory", [&] { write(); });
}

TEST_F(WeightCache, PlaceThatIsTaken) {
  std::filesystem::create_directories(plan_.path);
  expect_error(ErrorCode::kBackend, "can't be put in its place", [&] { write(); });
  EXPECT_EQ(files().size(), 1u);
}

// A limit on file sizes stands for a full disk: both end a write in the middle.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const struct rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_{};
  void (*handler_)(int);
};

TEST_F(WeightCache, DiskThatFillsUp) {
  WeightCacheWriter writer(plan_);
  const FileSizeLimit limit(plan_.file_bytes / 2);
  expect_error(ErrorCode::kBackend, "guard.int8.safetensors: can't be written", [&] { write_layers(writer); });
}

TEST_F(WeightCache, FilesMayNotBeSoLarge) {
  const FileSizeLimit limit(plan_.file_bytes - 1);
  expect_error(ErrorCode::kBackend,
               "needs " + std::to_string(plan_.file_bytes) + " bytes, but this process may write " +
                   std::to_string(plan_.file_bytes - 1) + " to a file",
               [&] { write(); });
  EXPECT_TRUE(files().empty());
}

TEST_F(WeightCache, IncompleteIsNotPutInItsPlace) {
  WeightCacheWriter writer(plan_);
  writer.write_layer(0, layers_[0]);
  expect_error(ErrorCode::kInvalidArgument, "tensor 'layers.1.qkv.values': was not written", [&] { writer.commit(); });
  EXPECT_FALSE(std::filesystem::exists(plan_.path));
}

TEST_F(WeightCache, LayerOfAnotherSizeOrNumber) {
  WeightCacheWriter writer(plan_);
  layers_[0].down.scales.pop_back();
  expect_error(ErrorCode::kInvalidArgument, "tensor 'layers.0.down.scales': has 16 bytes, planned 20",
               [&] { writer.write_layer(0, layers_[0]); });
  for (const int32_t index : {-1, 2}) {
    expect_error(ErrorCode::kInvalidArgument, "has no layer " + std::to_string(index) + ", it has 2",
                 [&] { writer.write_layer(index, layers_[1]); });
  }
}

class WeightCachePlanTest : public WeightCache {
 protected:
  void expect_refused(const std::string& text) const {
    expect_error(ErrorCode::kInvalidArgument, text, [&] { WeightCacheWriter writer(plan_); });
    expect_error(ErrorCode::kInvalidArgument, text, [&] { WeightCacheReader reader(plan_); });
  }
};

TEST_F(WeightCachePlanTest, OfNoWholeLayer) {
  plan_.entries.erase(plan_.entries.begin());
  expect_refused("16 tensors are no whole number of layers and the checksums");
  plan_.entries.clear();
  expect_refused("0 tensors");
}

TEST_F(WeightCachePlanTest, InAnotherOrder) {
  std::swap(plan_.entries[0], plan_.entries[2]);
  expect_refused("has 'layers.0.output.values' in the place of 'layers.0.qkv.values'");
}

TEST_F(WeightCachePlanTest, OfAnotherTypeOrSize) {
  plan_.entries[1].dtype = DType::kI8;
  expect_refused("'layers.0.qkv.scales' has another type or size than its shape");
  plan_ = plan_of(spec_, plan_.path);
  plan_.entries[3].bytes += 4;
  expect_refused("'layers.0.output.scales' has another type or size than its shape");
}

TEST_F(WeightCachePlanTest, OutsideItsFile) {
  const uint64_t end = plan_.file_bytes;
  for (const uint64_t offset : {uint64_t{0}, end - 1, end + 1, ~uint64_t{0}}) {
    plan_.entries[5].offset = offset;
    expect_refused("'layers.0.gate_up.scales' lies outside the file");
  }
}

TEST_F(WeightCachePlanTest, WithChecksumsOfOtherTensors) {
  plan_.entries.back().shape = {15};
  plan_.entries.back().bytes = 120;
  expect_refused("there are 16 tensors, not 15, to be checked");
}

}  // namespace
}  // namespace saferoute::model
