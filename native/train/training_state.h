// The file that an interrupted training goes on from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/trainer.h"

namespace saferoute::train {

// Where training stands, beside its tensors.
struct Progress {
  int64_t epochs = 0;  // done
  int64_t steps = 0;   // done
  int64_t kept_epoch = 0;
  double kept_auprc = -1;
};

// A number that another plan or other data have differently. Reads all features.
uint64_t training_fingerprint(const TrainingData& data, const TrainingPlan& plan);

// Writes and reads one training's file; `buffers` are all its tensors, in a fixed order, and stay the caller's.
// Empty `path`: does nothing.
class TrainingState {
 public:
  TrainingState(std::string path, uint64_t fingerprint, std::vector<std::span<float>> buffers);

  // Replaces the file as a whole. Throws Error(kBackend) with the path and the reason.
  void save(const Progress& progress) const;

  // False where there is no file. Throws Error(kCheckpoint) for a damaged file, Error(kInvalidArgument) for that of
  // another training; then nothing was changed.
  bool load(Progress& progress) const;

 private:
  size_t bytes() const;

  std::string path_;
  uint64_t fingerprint_;
  std::vector<std::span<float>> buffers_;
};

}  // namespace saferoute::train
