#include <algorithm>
#include <array>

#include "engine/error.h"
#include "model/checksum.h"
#include "model/file_descriptor.h"
#include "model/weight_cache.h"
#include "model/weight_cache_layout.h"

namespace saferoute::model {
namespace {

// A piece is summed up while it is still in the second-level cache.
constexpr size_t kPieceBytes = 256 * 1024;
static_assert(kPieceBytes % Checksum::kBlockBytes == 0);

}  // namespace

// Read, never mapped: a file that becomes shorter meanwhile is an error and not the end of the process.
class WeightCacheReader::Impl {
 public:
  explicit Impl(const WeightCachePlan& plan) : layout_(plan), file_(FileDescriptor::open(plan.path)) {
    const uint64_t bytes = file_.size(plan.path);
    if (bytes != plan.file_bytes) {
      refuse("has " + std::to_string(bytes) + " bytes, expected " + std::to_string(plan.file_bytes));
    }
    std::string header(plan.header.size(), '\0');
    file_.read(0, header.size(), header.data(), plan.path);
    if (header != plan.header) refuse("has another header than the weights that are asked for");
    checksums_.resize(layout_.tensors());
    file_.read(layout_.checksums().offset, layout_.checksums().bytes, checksums_.data(), plan.path);
  }

  Int8LayerWeights read_layer(int32_t index) const {
    Int8LayerWeights layer;
    layout_.for_each_tensor(index, layer, [&](size_t tensor, auto& data) {
      data.resize(layout_.entry(tensor).bytes / sizeof(data[0]));
      read(tensor, std::as_writable_bytes(std::span(data)));
    });
    return layer;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kCheckpoint, layout_.plan().path + ": " + what);
  }

  void read(size_t tensor, std::span<std::byte> out) const {
    uint64_t offset = layout_.entry(tensor).offset;
    Checksum sum;
    while (!out.empty()) {
      const std::span<std::byte> piece = out.first(std::min(kPieceBytes, out.size()));
      file_.read(offset, piece.size(), piece.data(), layout_.plan().path);
      sum.add(piece);
      offset += piece.size();
      out = out.subspan(piece.size());
    }
    if (sum.value() != checksums_[tensor]) {
      refuse("tensor '" + layout_.entry(tensor).name + "': does not fit its checksum");
    }
  }

  WeightCacheLayout layout_;
  FileDescriptor file_;
  std::vector<uint64_t> checksums_;  // (tensors)
};

WeightCacheReader::WeightCacheReader(const WeightCachePlan& plan) : impl_(std::make_unique<Impl>(plan)) {}
WeightCacheReader::~WeightCacheReader() = default;

Int8LayerWeights WeightCacheReader::read_layer(int32_t index) const { return impl_->read_layer(index); }

}  // namespace saferoute::model
