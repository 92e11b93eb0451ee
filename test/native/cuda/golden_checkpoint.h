// The checkpoints of test/fixtures with what transformers says of their prompts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/guard_source.h"

namespace saferoute::test {

struct GoldenCheckpoint {
  cuda::GuardSource source;  // with the official router of its width
  std::vector<std::vector<int32_t>> prompts;
  std::vector<float> features;  // (prompts, hidden)
  std::vector<float> logits;    // (prompts, verdict_tokens)
  std::vector<float> hardness;  // (prompts)
};

// "llama-tied-f16", "llama-untied-f32", "qwen3-tied-bf16" or "qwen3-untied-bf16-sharded". Throws std::runtime_error
// where a file is not as expected.
GoldenCheckpoint golden_checkpoint(const std::string& name);

}  // namespace saferoute::test
