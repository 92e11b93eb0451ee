// Which layers of a guard stand on the device and which are copied there while a pass runs, and through which slot.
// Plain C++, no header of CUDA.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace saferoute::cuda {

// Copied layers are spread evenly between those that stand, so that each copy has as much computing to hide behind. The
// slots take turns; one that a pass needs no more is filled for the next pass, which so finds its first layers in
// place. A layer has the same slot in every pass.
class StreamSchedule {
 public:
  // Throws Error(kInvalidArgument) unless 0 <= streamed <= layers and 1 <= slots <= streamed (none are none).
  StreamSchedule(int32_t layers, int32_t streamed, int32_t slots);

  int32_t layers() const { return static_cast<int32_t>(places_.size()); }
  int32_t streamed() const { return static_cast<int32_t>(order_.size()); }
  int32_t slots() const { return slots_; }

  bool is_streamed(int32_t layer) const { return places_[static_cast<size_t>(layer)].streamed; }

  // Of a standing layer: its place among those that stand. Of a streamed one: its place among those that are copied.
  int32_t index(int32_t layer) const { return places_[static_cast<size_t>(layer)].index; }

  int32_t slot(int32_t streamed_index) const { return streamed_index % slots_; }

  // The layer whose place among the streamed ones is `streamed_index`.
  int32_t layer_at(int32_t streamed_index) const { return order_[static_cast<size_t>(streamed_index)]; }

  // The streamed layer that is copied into the slot of `streamed_index` once that one has been computed.
  int32_t refill(int32_t streamed_index) const;

 private:
  struct Place {
    bool streamed = false;
    int32_t index = 0;
  };

  std::vector<Place> places_;   // (layers)
  std::vector<int32_t> order_;  // (streamed): layers
  int32_t slots_;
};

}  // namespace saferoute::cuda
