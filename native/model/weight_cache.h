// A guard's int8 weights on disk, so that the next load need not convert them: a safetensors file that lib/checkpoint
// plans (key, header, offsets) and that is filled and checked here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/int8_weights.h"
#include "model/tensor_table.h"

namespace saferoute::model {

// Tensors are named "layers.<i>.<qkv|output|gate_up|down>.<values|scales>", and last "checksums", I64, one per tensor
// before it in order.
struct WeightCachePlan {
  std::string path;                  // of the file, whether it is there or not
  std::string header;                // its bytes before the first tensor
  std::vector<TensorEntry> entries;  // offsets from the start of the file
  uint64_t file_bytes = 0;
};

// 64 bits that change when the data does; no defence against intent.
uint64_t checksum(std::span<const std::byte> data);

// Reads layers from a file that is whole, of the planned size and header, and whose checksums fit. Everything wrong
// with it is Error(kCheckpoint): the caller converts again.
class WeightCacheReader {
 public:
  explicit WeightCacheReader(const WeightCachePlan& plan);
  ~WeightCacheReader();
  // The four matrices; norms stay empty, they are the checkpoint's.
  Int8LayerWeights read_layer(int32_t index) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes beside the final place and renames at the end, so that readers, and other writers of the same file, never see
// a part. Errors of the disk are Error(kBackend): a load goes on without the file. Destroyed before `commit`, it leaves
// nothing behind.
class WeightCacheWriter {
 public:
  explicit WeightCacheWriter(const WeightCachePlan& plan);
  ~WeightCacheWriter();
  void write_layer(int32_t index, const Int8LayerWeights& layer);
  void commit();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saferoute::model
