#include <string>

#include "engine/error.h"
#include "model/temporary_file.h"
#include "model/weight_cache.h"
#include "model/weight_cache_layout.h"

namespace saferoute::model {

class WeightCacheWriter::Impl {
 public:
  explicit Impl(const WeightCachePlan& plan)
      : layout_(plan), file_(plan.path, plan.file_bytes), checksums_(layout_.tensors()), written_(layout_.tensors()) {
    file_.write(0, std::as_bytes(std::span(layout_.plan().header)));
  }

  void write_layer(int32_t index, const Int8LayerWeights& layer) {
    layout_.for_each_tensor(index, layer,
                            [&](size_t tensor, const auto& data) { write(tensor, std::as_bytes(std::span(data))); });
  }

  void commit() {
    for (size_t tensor = 0; tensor < written_.size(); ++tensor) {
      if (!written_[tensor]) refuse(tensor, "was not written");
    }
    file_.write(layout_.checksums().offset, std::as_bytes(std::span(checksums_)));
    file_.put();
  }

 private:
  [[noreturn]] void refuse(size_t tensor, const std::string& what) const {
    throw Error(ErrorCode::kInvalidArgument,
                layout_.plan().path + ": tensor '" + layout_.entry(tensor).name + "': " + what);
  }

  void write(size_t tensor, std::span<const std::byte> data) {
    const TensorEntry& entry = layout_.entry(tensor);
    if (data.size() != entry.bytes) {
      refuse(tensor, "has " + std::to_string(data.size()) + " bytes, planned " + std::to_string(entry.bytes));
    }
    file_.write(entry.offset, data);
    checksums_[tensor] = checksum(data);
    written_[tensor] = true;
  }

  WeightCacheLayout layout_;
  TemporaryFile file_;
  std::vector<uint64_t> checksums_;  // (tensors)
  std::vector<bool> written_;        // (tensors)
};

WeightCacheWriter::WeightCacheWriter(const WeightCachePlan& plan) : impl_(std::make_unique<Impl>(plan)) {}
WeightCacheWriter::~WeightCacheWriter() = default;

void WeightCacheWriter::write_layer(int32_t index, const Int8LayerWeights& layer) { impl_->write_layer(index, layer); }

void WeightCacheWriter::commit() { impl_->commit(); }

}  // namespace saferoute::model
