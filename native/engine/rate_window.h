// How many of the last so many rows were picked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace saferoute::engine {

class RateWindow {
 public:
  // `size` rows, at least 1.
  explicit RateWindow(int32_t size) : picked_(static_cast<size_t>(size)) {}

  // Forgets the oldest row once there are `size`.
  void push(bool picked) {
    count_ += (picked ? 1 : 0) - (picked_[next_] ? 1 : 0);
    picked_[next_] = picked;
    next_ = (next_ + 1) % picked_.size();
    if (rows_ < picked_.size()) rows_ += 1;
  }

  bool is_full() const { return rows_ == picked_.size(); }
  int32_t size() const { return static_cast<int32_t>(picked_.size()); }
  int32_t count() const { return count_; }
  // Of those that will still be in the window when one more is.
  int32_t count_beside_next() const { return count_ - (picked_[next_] ? 1 : 0); }

 private:
  std::vector<bool> picked_;  // (size), a ring; false where no row has been
  size_t next_ = 0;
  size_t rows_ = 0;
  int32_t count_ = 0;
};

}  // namespace saferoute::engine
