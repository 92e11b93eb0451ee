// Whichever way a row comes to the large guard, in the small one's pass or by the queue, its caller hears the same.
#include <algorithm>
#include <future>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// What the two ways have in common of an event: not its times, nor how its tokens came to be known.
struct Heard {
  Event::Kind kind;
  ErrorCode error_code;
  std::string error_message;
  Escalation escalation;
  std::optional<double> hardness, small, large;
  std::vector<float> small_feature, large_feature;
  int32_t prompt_tokens;
  int32_t tokens;  // of all prompts read, cached or computed

  bool operator==(const Heard&) const = default;
};

Heard heard_of(const Event& event) {
  const auto score = [](const auto& reading) { return reading ? std::optional(reading->safe) : std::nullopt; };
  const auto feature = [](const auto& reading) { return reading ? reading->feature : std::vector<float>(); };
  const bool is_done = event.kind == Event::Kind::kDone;
  return {.kind = event.kind,
          .error_code = event.error_code,
          .error_message = event.error_message,
          .escalation = event.escalation,
          .hardness = event.hardness,
          .small = score(event.small),
          .large = score(event.large),
          .small_feature = feature(event.small),
          .large_feature = feature(event.large),
          .prompt_tokens = event.prompt_tokens,
          .tokens = is_done ? event.cached_tokens + event.computed_tokens : 0};
}

struct House {
  EngineOptions options;
  int32_t small_pages, large_pages;
  std::vector<std::vector<Request>> rounds;
  std::vector<std::vector<size_t>> cancelled;  // of each round
};

std::vector<int32_t> random_ids(std::mt19937& random) {
  // Heads in common, so that prompts share pages; the first token says what becomes of the row.
  std::vector<int32_t> ids(1 + random() % 60, 1);
  ids.front() = static_cast<int32_t>(random() % 20) * 50;
  ids.back() = ids.size() > 1 ? static_cast<int32_t>(random() % 4) : ids.back();
  return ids;
}

Request random_request(std::mt19937& random) {
  Request request;
  request.target = random() % 8 == 0 ? static_cast<Target>(random() % 3) : Target::kCascade;
  if (request.target != Target::kLarge) request.small_ids = random_ids(random);
  if (request.target == Target::kLarge || (request.target == Target::kCascade && random() % 2 == 0)) {
    request.large_ids = random_ids(random);
  }
  request.want_feature = random() % 4 == 0;
  if (random() % 3 == 0) request.priority = Priority::kBulk;
  if (random() % 8 == 0) request.deadline_ms = random() % 2 == 0 ? 0 : 1e9;  // passed at once, or never
  return request;
}

House random_house(std::mt19937& random) {
  House house;
  const Kind kinds[] = {Kind::kRouter, Kind::kRouter, Kind::kRouter, Kind::kRandom, Kind::kAlways, Kind::kNever};
  house.options.escalation = {.kind = kinds[random() % 6], .threshold = 0.1 + 0.1 * (random() % 9), .seed = random()};
  if (random() % 2 == 0) house.options.valves.audit_rate = 0.3;
  house.options.valves.audit_seed = random();
  house.options.batch_tokens = static_cast<int32_t>(8 + random() % 200);
  house.options.batch_rows = static_cast<int32_t>(1 + random() % 12);
  house.options.max_wait_ms = random() % 2 == 0 ? 0 : 1;
  house.small_pages = static_cast<int32_t>(3 + random() % 30);
  house.large_pages = static_cast<int32_t>(3 + random() % 30);
  for (int round = 0; round < 8; ++round) {
    std::vector<Request>& requests = house.rounds.emplace_back();
    std::vector<size_t>& cancelled = house.cancelled.emplace_back();
    for (size_t count = 1 + random() % 16; count > 0; --count) {
      requests.push_back(random_request(random));
      // Only those that surely wait: the small guard is busy.
      if (requests.back().target != Target::kLarge && random() % 8 == 0) cancelled.push_back(requests.size() - 1);
    }
  }
  return house;
}

struct Told {
  std::vector<std::vector<Heard>> tickets;
  std::vector<uint64_t> counts;
  int cascades = 0;
};

// Each round waits together in the small guard's queue.
class Caller {
 public:
  Caller(const House& house, bool cascades) : house_(house) {
    if (cascades) small_.cascade_into(large_);
    small_.info.kv_pages = house.small_pages;
    large_.info.kv_pages = house.large_pages;
    large_.info.has_router = false;
    small_.answer = [](int32_t tag) {
      return Answer{.logits = {tag == 350 ? kNan : static_cast<float>(tag), 0}, .hardness = tag / 1000.0f};
    };
    large_.answer = [](int32_t tag) { return Answer{.logits = {tag == 600 ? kNan : tag + 0.5f, 0}}; };
  }

  Told call() {
    std::promise<bool> ready;
    Engine engine(
        small_.factory(), large_.factory(), house_.options, [this](Event&& event) { log_.add(std::move(event)); },
        [&](const Error* failure) { ready.set_value(failure == nullptr); });
    EXPECT_TRUE(ready.get_future().get());
    Told told;
    for (size_t round = 0; round < house_.rounds.size(); ++round) {
      for (const Ticket ticket : submit_round(engine, round)) {
        std::vector<Heard>& heard = told.tickets.emplace_back();
        for (const Event& event : log_.of(ticket)) heard.push_back(heard_of(event));
      }
    }
    engine.close();
    const EngineStats stats = engine.stats();
    told.counts = {stats.submitted,   stats.completed,    stats.escalated,
                   stats.failed,      stats.cancelled,    stats.valves.decided,
                   stats.valves.rule, stats.valves.audit, stats.valves.audits_agreed};
    told.cascades = small_.cascades;
    EXPECT_FALSE(small_.used_twice_at_once || large_.used_twice_at_once);
    return told;
  }

 private:
  // Returns once all but the cancelled are settled.
  std::vector<Ticket> submit_round(Engine& engine, size_t round) {
    small_.pass_gate.shut();
    Request first;
    first.target = Target::kSmall;
    first.small_ids = prompt(1);
    std::vector<Ticket> tickets = {engine.submit(std::move(first))};
    small_.pass_gate.wait_for_arrivals(static_cast<size_t>(small_passes_) + 1);
    for (const Request& request : house_.rounds[round]) tickets.push_back(engine.submit(request));
    for (const size_t index : house_.cancelled[round]) EXPECT_TRUE(engine.cancel(tickets[index + 1]));
    small_.pass_gate.open();
    for (size_t index = 0; index < tickets.size(); ++index) {
      const auto& cancelled = house_.cancelled[round];
      const bool is_wanted = index == 0 || std::find(cancelled.begin(), cancelled.end(), index - 1) == cancelled.end();
      if (is_wanted) log_.wait_for(tickets[index]);
    }
    small_passes_ = static_cast<int>(small_.batches().size());
    return tickets;
  }

  const House& house_;
  FakeGuard small_, large_;
  EventLog log_;
  int small_passes_ = 0;
};

TEST(DeviceCascadeProperty, TheCallerHearsTheSameEitherWay) {
  constexpr uint32_t kSeeds = 60;
  int cascades = 0;
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const House house = random_house(random);
    const Told by_queues = Caller(house, false).call();
    const Told on_device = Caller(house, true).call();
    ASSERT_EQ(by_queues.tickets.size(), on_device.tickets.size());
    for (size_t ticket = 0; ticket < by_queues.tickets.size(); ++ticket) {
      EXPECT_EQ(by_queues.tickets[ticket], on_device.tickets[ticket]) << "ticket " << ticket + 1;
    }
    EXPECT_EQ(by_queues.counts, on_device.counts);
    EXPECT_EQ(by_queues.cascades, 0);
    cascades += on_device.cascades;
  }
  EXPECT_GT(cascades, 2 * static_cast<int>(kSeeds));
}

}  // namespace
}  // namespace saferoute::engine
