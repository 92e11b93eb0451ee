// An engine over two fake guards that can be run as one.
#pragma once

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {

class DeviceCascadeTest : public EngineTest {
 protected:
  DeviceCascadeTest() { small_.cascade_into(large_); }
  ~DeviceCascadeTest() override {
    engine_.reset();
    EXPECT_FALSE(small_.used_twice_at_once);
    EXPECT_FALSE(large_.used_twice_at_once);
  }

  // Submits prompts of these first tokens, of which the large guard reads `large_length` tokens, so that they share a
  // flight, and waits for what becomes of them.
  std::vector<Event> check_together(const std::vector<int32_t>& tags, size_t large_length = 1) {
    small_.pass_gate.shut();
    const size_t passes = small_.batches().size();
    submit(1, 1, Target::kSmall);
    small_.pass_gate.wait_for_arrivals(passes + 1);  // the small guard is busy
    std::vector<Ticket> tickets;
    for (const int32_t tag : tags) {
      tickets.push_back(engine_->submit({.small_ids = prompt(tag), .large_ids = prompt(tag, large_length)}));
    }
    small_.pass_gate.open();
    std::vector<Event> events;
    for (const Ticket ticket : tickets) events.push_back(log_.wait_for(ticket));
    return events;
  }
};

}  // namespace saferoute::engine
