// The lengths of the OpenAI moderation set's 1,680 messages, out of the histogram in bench/prompts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace saferoute::bench {

// Tokens of each message, shuffled the same way every time; within a bin the lengths are spread evenly.
// Throws std::runtime_error where `path` is not that histogram.
std::vector<int32_t> message_lengths(const std::string& path);

}  // namespace saferoute::bench
