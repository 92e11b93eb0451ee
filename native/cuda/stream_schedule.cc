#include "cuda/stream_schedule.h"

#include <string>

#include "engine/error.h"

namespace saferoute::cuda {

StreamSchedule::StreamSchedule(int32_t layers, int32_t streamed, int32_t slots) : slots_(slots) {
  const bool fits = streamed == 0 ? slots == 0 : slots >= 1 && slots <= streamed;
  if (streamed < 0 || streamed > layers || !fits) {
    throw Error(ErrorCode::kInvalidArgument, std::to_string(streamed) + " streamed layers of " +
                                                 std::to_string(layers) + " can't go through " + std::to_string(slots) +
                                                 " slots");
  }
  int32_t standing = 0;
  for (int32_t layer = 0; layer < layers; ++layer) {
    const auto copied_up_to = [&](int64_t count) { return count * streamed / layers; };
    const bool is_streamed = copied_up_to(layer + 1) > copied_up_to(layer);
    places_.push_back({.streamed = is_streamed, .index = is_streamed ? this->streamed() : standing});
    if (is_streamed) {
      order_.push_back(layer);
    } else {
      ++standing;
    }
  }
}

int32_t StreamSchedule::refill(int32_t streamed_index) const {
  const int32_t next = streamed_index + slots_;
  return next < streamed() ? next : streamed_index % slots_;
}

}  // namespace saferoute::cuda
