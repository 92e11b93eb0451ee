#include "train/row_sampler.h"

#include <utility>

namespace saferoute::train {

RowSampler::RowSampler(const TrainingData& data, const TrainingPlan& plan)
    : balanced_(plan.balanced),
      random_(plan.seed, RandomUse::kRows, 0),
      bits_(2 * data.train_rows.size()),
      drawn_(data.train_rows.size()) {
  for (const int32_t row : data.train_rows) {
    const bool hard = data.targets[static_cast<size_t>(row)] > 0.5f;
    (balanced_ && hard ? hard_ : easy_).push_back(row);
  }
}

std::span<const int32_t> RowSampler::draw(int32_t epoch) {
  random_.bits(static_cast<uint32_t>(epoch), 0, bits_);
  if (balanced_) {
    for (size_t i = 0; i < drawn_.size(); ++i) {
      const std::vector<int32_t>& rows = bits_[2 * i] >> 31 ? hard_ : easy_;
      drawn_[i] = rows[below(bits_[2 * i + 1], static_cast<uint32_t>(rows.size()))];
    }
  } else {
    drawn_ = easy_;
    for (size_t left = drawn_.size(); left > 1; --left) {
      std::swap(drawn_[left - 1], drawn_[below(bits_[left - 1], static_cast<uint32_t>(left))]);
    }
  }
  return drawn_;
}

}  // namespace saferoute::train
