// How a kernel spreads its work: a view of whatever thread pool the caller has, or none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace saferoute::cpu {

// Calls body(index) for index in [0, count), in any order, possibly at once; returns when all are done.
// Non-owning: lives no longer than the pool behind `context`.
struct ParallelFor {
  using Body = void (*)(void* user, size_t index);
  void (*run)(void* context, Body body, size_t count, void* user);
  void* context;

  template <typename F>
  void operator()(size_t count, F&& body) const {
    run(context, [](void* user, size_t index) { (*static_cast<F*>(user))(index); }, count, &body);
  }
};

// Cuts [0, count) into ranges of `grain` and calls body(first, last) for each.
template <typename F>
void for_ranges(ParallelFor parallel_for, int64_t count, int64_t grain, F&& body) {
  const int64_t ranges = (count + grain - 1) / grain;
  parallel_for(static_cast<size_t>(ranges), [&](size_t range) {
    const int64_t first = static_cast<int64_t>(range) * grain;
    body(first, std::min(first + grain, count));
  });
}

// Vectors of `size` floats that make a piece of work worth handing to another thread.
inline int64_t grain_of(int64_t size) { return std::max<int64_t>(1, (1 << 14) / size); }

// Runs on the calling thread.
inline ParallelFor serial() {
  return {[](void*, ParallelFor::Body body, size_t count, void* user) {
            for (size_t index = 0; index < count; ++index) body(user, index);
          },
          nullptr};
}

// The same from the last index to the first.
inline ParallelFor serial_backwards() {
  return {[](void*, ParallelFor::Body body, size_t count, void* user) {
            while (count > 0) body(user, --count);
          },
          nullptr};
}

}  // namespace saferoute::cpu
