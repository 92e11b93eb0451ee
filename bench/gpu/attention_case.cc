#include "gpu/attention_case.h"

#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>

#include "cuda/paged_attention.h"
#include "gpu/launch_times.h"

namespace saferoute::bench {
namespace {

constexpr int32_t kHeads = 32;
constexpr int32_t kKvHeads = 8;

struct Shape {
  const char* name;
  int32_t head_dim;
  int32_t rows;
  int32_t before;  // tokens of each row whose keys stand in pages
  int32_t tokens;  // new ones of each row
  cuda::AttentionQueries which = cuda::AttentionQueries::kAll;
};

constexpr Shape kShapes[] = {
    {"1B, one check, cached head", 64, 1, 640, 60},
    {"1B, one check's last token", 64, 1, 640, 60, cuda::AttentionQueries::kLastOfRow},
    {"1B, 64 checks, cached head", 64, 64, 400, 120},
    {"1B, 8 prompts of 1024", 64, 8, 0, 1024},
    {"8B, one check, cached head", 128, 1, 640, 60},
    {"8B, 16 checks, cached head", 128, 16, 400, 240},
    {"8B, 8 prompts of 1024", 128, 8, 0, 1024},
};

double gflop(const Shape& shape) {
  const double queries = shape.which == cuda::AttentionQueries::kAll ? shape.tokens : 1;
  const double keys = shape.before + shape.tokens - (queries - 1) / 2;  // that a query sees on average
  return 4e-9 * shape.head_dim * kHeads * shape.rows * queries * keys;
}

Figure time_shape(const Shape& shape) {
  const int32_t tokens = shape.rows * shape.tokens, keys = shape.before + shape.tokens;
  const int32_t row_pages = (keys + cuda::kKvPageTokens - 1) / cuda::kKvPageTokens;
  const int32_t width = (kHeads + 2 * kKvHeads) * shape.head_dim;
  std::vector<int32_t> row_offsets, page_offsets;
  for (int32_t row = 0; row <= shape.rows; ++row) {
    row_offsets.push_back(row * shape.tokens);
    page_offsets.push_back(row * row_pages);
  }
  std::vector<int32_t> pages(static_cast<size_t>(shape.rows * row_pages));
  std::iota(pages.rbegin(), pages.rend(), 0);

  const int64_t page_bytes = cuda::kv_layer_bytes(kKvHeads, shape.head_dim);
  const auto kv_elements = static_cast<size_t>(page_bytes / 2) * pages.size();
  const cuda::KvLayer kv{.base = reinterpret_cast<std::byte*>(device_copy(bf16_noise(kv_elements, 1, 11))),
                         .page_bytes = page_bytes,
                         .kv_heads = kKvHeads,
                         .head_dim = shape.head_dim};
  cuda::BatchView batch;
  batch.row_offsets = device_copy(row_offsets);
  batch.row_starts = device_copy(std::vector<int32_t>(static_cast<size_t>(shape.rows), shape.before));
  batch.pages = device_copy(pages);
  batch.page_offsets = device_copy(page_offsets);
  batch.token_count = tokens;
  batch.row_count = shape.rows;
  batch.page_count = static_cast<int32_t>(pages.size());
  const cuda::AttentionParameters parameters{.heads = kHeads,
                                             .scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim)),
                                             .max_keys = keys,
                                             .which = shape.which};
  const cuda::Bf16* const qkv =
      device_copy(bf16_noise(static_cast<size_t>(tokens) * static_cast<size_t>(width), 1, 12));
  const auto scratch_floats = static_cast<size_t>(cuda::attention_scratch_bytes(shape.head_dim)) / sizeof(float);
  float* const scratch = device_copy(std::vector<float>(scratch_floats));
  cuda::Bf16* const out =
      device_copy(std::vector<cuda::Bf16>(static_cast<size_t>(tokens) * kHeads * static_cast<size_t>(shape.head_dim)));
  char amount[32];
  std::snprintf(amount, sizeof(amount), ", %.3f GFLOP", gflop(shape));
  return figure_of(std::string("attention, ") + shape.name + amount, "us", launch_times([&](cudaStream_t stream) {
                     cuda::paged_attention(qkv, kv, batch, parameters, scratch, out, stream);
                   }));
}

}  // namespace

std::vector<Figure> run_attention_case() {
  std::vector<Figure> figures;
  for (const Shape& shape : kShapes) figures.push_back(time_shape(shape));
  return figures;
}

}  // namespace saferoute::bench
