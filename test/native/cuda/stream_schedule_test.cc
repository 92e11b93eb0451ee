// Layers that pass through slots: whatever the numbers, each is where the pass looks for it.
#include "cuda/stream_schedule.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

using test::expect_error;

constexpr int32_t kMostLayers = 13;

template <typename Visit>
void for_each_schedule(Visit visit) {
  for (int32_t layers = 1; layers <= kMostLayers; ++layers) {
    for (int32_t streamed = 1; streamed <= layers; ++streamed) {
      for (int32_t slots = 1; slots <= streamed; ++slots) {
        SCOPED_TRACE(testing::Message() << streamed << " of " << layers << " through " << slots);
        visit(StreamSchedule(layers, streamed, slots));
      }
    }
  }
}

TEST(StreamSchedule, EveryPassFindsEachLayerInItsSlot) {
  for_each_schedule([](const StreamSchedule& schedule) {
    std::vector<int32_t> slots(static_cast<size_t>(schedule.slots()));
    for (int32_t index = 0; index < schedule.slots(); ++index) slots[static_cast<size_t>(schedule.slot(index))] = index;
    for (int pass = 0; pass < 3; ++pass) {
      for (int32_t index = 0; index < schedule.streamed(); ++index) {
        ASSERT_EQ(slots[static_cast<size_t>(schedule.slot(index))], index) << "pass " << pass;
        const int32_t next = schedule.refill(index);
        ASSERT_EQ(schedule.slot(next), schedule.slot(index));
        slots[static_cast<size_t>(schedule.slot(index))] = next;
      }
    }
  });
}

TEST(StreamSchedule, CountsStandingAndStreamedLayersEachFromZero) {
  for_each_schedule([](const StreamSchedule& schedule) {
    int32_t standing = 0;
    int32_t streamed = 0;
    for (int32_t layer = 0; layer < schedule.layers(); ++layer) {
      if (schedule.is_streamed(layer)) {
        ASSERT_EQ(schedule.layer_at(streamed), layer);
        ASSERT_EQ(schedule.index(layer), streamed++);
      } else {
        ASSERT_EQ(schedule.index(layer), standing++);
      }
    }
    ASSERT_EQ(streamed, schedule.streamed());
    ASSERT_EQ(standing + streamed, schedule.layers());
  });
}

TEST(StreamSchedule, SpreadsStreamedLayersEvenly) {
  for_each_schedule([](const StreamSchedule& schedule) {
    int32_t nearest = schedule.layers();
    int32_t farthest = 0;
    for (int32_t index = 1; index < schedule.streamed(); ++index) {
      const int32_t gap = schedule.layer_at(index) - schedule.layer_at(index - 1);
      nearest = std::min(nearest, gap);
      farthest = std::max(farthest, gap);
    }
    if (schedule.streamed() > 1) {
      ASSERT_LE(farthest - nearest, 1);
    }
  });
}

TEST(StreamSchedule, WithoutStreamedLayersAllStand) {
  const StreamSchedule schedule(3, 0, 0);
  EXPECT_EQ(schedule.streamed(), 0);
  for (int32_t layer = 0; layer < 3; ++layer) {
    EXPECT_FALSE(schedule.is_streamed(layer));
    EXPECT_EQ(schedule.index(layer), layer);
  }
}

TEST(StreamSchedule, RefusesWhatCannotBe) {
  struct Case {
    int32_t layers, streamed, slots;
  };
  for (const Case& wrong : {Case{4, 5, 1}, Case{4, -1, 0}, Case{4, 2, 3}, Case{4, 2, 0}, Case{4, 0, 1}}) {
    expect_error(ErrorCode::kInvalidArgument,
                 {std::to_string(wrong.streamed) + " streamed", std::to_string(wrong.slots) + " slots"},
                 [&] { StreamSchedule(wrong.layers, wrong.streamed, wrong.slots); });
  }
}

}  // namespace
}  // namespace saferoute::cuda
