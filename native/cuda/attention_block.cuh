// A block of threads' way through its keys: copies run ahead of the tensor cores, block of keys by block of keys.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/attention_rows.cuh"
#include "cuda/attention_tile.cuh"
#include "cuda/kv_layer.h"

namespace saferoute::cuda {

// How a block of threads is made up for heads of up to kDim dimensions.
template <int kDim>
struct AttentionBlock {
  static constexpr int kWarpDims = kDim < 128 ? kDim : 128;  // of the outcome that a warp keeps in registers
  static constexpr int kWarps = kAttentionQueries / 16 * (kDim / kWarpDims);
  static constexpr int kThreads = 32 * kWarps;
  static constexpr int kKeys = kDim <= 128 ? 64 : 32;  // that are worked on at a time
  static constexpr int kStages = kDim <= 64 ? 3 : 2;   // blocks of keys that shared memory holds
  static constexpr int kBlocksPerChunk = kAttentionChunk / kKeys;
  static constexpr int kPagesPerChunk = kAttentionChunk / kKvPageTokens;
  static constexpr int kVectors = kDim / 8;  // of 16 bytes, to a row of a tile
  static constexpr int kQueryBytes = kAttentionQueries * kDim * 2;
  static constexpr int kKeyBytes = kKeys * kDim * 2;
  static constexpr int kSharedBytes = kQueryBytes + kStages * 2 * kKeyBytes;  // queries; of each stage keys, values
  static_assert(kPagesPerChunk == 16, "half a warp holds the page ids of a chunk");
  static_assert(kSharedBytes <= 99 << 10, "what a block may have where it may have least: compute capability 8.6");
};

// Copies blocks of keys and values into shared memory. A lane holds one page id of the chunk that is being copied and
// one of the next, so that no copy waits for its page id.
template <int kDim>
class KeyCopies {
  using Block = AttentionBlock<kDim>;

 public:
  __device__ KeyCopies(const AttentionArguments& arguments, const QueryTile& tile, int32_t kv_head,
                       SharedAddress stages,  // (kStages, keys then values, kKeys, kDim)
                       int32_t first_chunk)
      : keys_(arguments.keys + static_cast<int64_t>(kv_head) * kKvPageTokens * arguments.head_dim * 2),
        values_after_(static_cast<uint32_t>(arguments.kv_heads * kKvPageTokens * arguments.head_dim * 2)),
        page_vectors_(static_cast<uint32_t>(arguments.page_bytes / 16)),
        pages_(arguments.pages + arguments.page_offsets[tile.row]),
        key_count_(static_cast<uint32_t>(tile.keys())),
        head_dim_(static_cast<uint32_t>(arguments.head_dim)),
        stages_(stages),
        next_page_(page_of_lane(static_cast<uint32_t>(first_chunk))) {}

  // Starts the copies of a block. Blocks come in order, from the first of the first chunk on; what lies behind the
  // tile's last key becomes zeros: weights of 0 would not hide what an unwritten page may hold.
  __device__ void start(uint32_t block, uint32_t stage) {
    const uint32_t block_of_chunk = block % Block::kBlocksPerChunk;
    if (block_of_chunk == 0) {
      page_ = next_page_;
      next_page_ = page_of_lane(block / Block::kBlocksPerChunk + 1);
    }
    const SharedAddress keys = stages_ + stage * 2 * Block::kKeyBytes;
    const uint32_t vector = threadIdx.x % Block::kVectors;
    const bool in_head = vector * 8 < head_dim_;
#pragma unroll
    for (uint32_t pass = 0; pass < Block::kKeys / kRowsPerPass; ++pass) {
      const uint32_t row = pass * kRowsPerPass + threadIdx.x / Block::kVectors;
      const uint32_t page =
          __shfl_sync(0xffffffff, page_, static_cast<int>(block_of_chunk * kPagesPerBlock + row / kKvPageTokens));
      // 32 bits by 32, and no other address for what is not read: a good part of what threads compute is this.
      const std::byte* const from = keys_ + ((static_cast<uint64_t>(page) * page_vectors_) << 4) +
                                    (row % kKvPageTokens * head_dim_ + vector * 8) * 2;
      const bool wanted = in_head && block * Block::kKeys + row < key_count_;
      const SharedAddress to = keys + vector_offset<kDim>(static_cast<int>(row), static_cast<int>(vector));
      copy_async(to, from, wanted);
      copy_async(to + Block::kKeyBytes, from + values_after_, wanted);
    }
  }

 private:
  static constexpr uint32_t kRowsPerPass = Block::kThreads / Block::kVectors;
  static constexpr uint32_t kPagesPerBlock = Block::kKeys / kKvPageTokens;

  // Page lane % 16 of a chunk, or the last that the tile needs.
  __device__ uint32_t page_of_lane(uint32_t chunk) const {
    const uint32_t page = chunk * Block::kPagesPerChunk + threadIdx.x % Block::kPagesPerChunk;
    return static_cast<uint32_t>(pages_[min(page, (key_count_ - 1) / kKvPageTokens)]);
  }

  const std::byte* keys_;  // the kv head's part of page 0
  uint32_t values_after_;  // bytes from a key to its value
  uint32_t page_vectors_;  // of 16 bytes, from a page to the next
  const int32_t* pages_;   // of the row
  uint32_t key_count_;
  uint32_t head_dim_;
  SharedAddress stages_;
  uint32_t next_page_;
  uint32_t page_ = 0;
};

// Starts the copies of a tile's queries; those behind the row's last become zeros.
template <int kDim>
__device__ inline void start_query_copies(const AttentionArguments& arguments, const QueryTile& tile, int32_t kv_head,
                                          SharedAddress queries) {
  using Block = AttentionBlock<kDim>;
  for (int i = static_cast<int>(threadIdx.x); i < kAttentionQueries * Block::kVectors; i += Block::kThreads) {
    const int query = i / Block::kVectors, vector = i % Block::kVectors;
    const bool wanted = tile.first + query < tile.count && vector * 8 < arguments.head_dim;
    const int64_t at = query_element(tile, query, kv_head, tile.token, arguments.query_stride, arguments.head_dim);
    copy_async(queries + vector_offset<kDim>(query, vector), arguments.queries + (wanted ? at + vector * 8 : 0),
               wanted);
  }
}

// The sums of a warp's queries over the keys of chunks [first_chunk, last_chunk), each chunk summed up on its own and
// joined to those before it.
template <int kDim>
__device__ inline auto sums_of_chunks(const AttentionArguments& arguments, const QueryTile& tile, int32_t kv_head,
                                      SharedAddress shared, int32_t first_chunk, int32_t last_chunk) {
  using Block = AttentionBlock<kDim>;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int warp_query = warp % (kAttentionQueries / 16) * 16;
  const int first_vector = warp / (kAttentionQueries / 16) * (Block::kWarpDims / 8);
  const int32_t positions[2] = {tile.position_of(warp_query + lane / 4), tile.position_of(warp_query + lane / 4 + 8)};
  const int32_t first_position = tile.position_of(warp_query);
  const int32_t last_position = tile.first + warp_query < tile.count ? tile.position_of(warp_query + 15) : -1;
  const int32_t blocks = (tile.keys() + Block::kKeys - 1) / Block::kKeys;
  const int32_t first = first_chunk * Block::kBlocksPerChunk;
  const int32_t last = min(last_chunk * Block::kBlocksPerChunk, blocks);

  const SharedAddress stages = shared + Block::kQueryBytes;
  KeyCopies<kDim> copies(arguments, tile, kv_head, stages, first_chunk);
  start_query_copies<kDim>(arguments, tile, kv_head, shared);
  for (int32_t ahead = 0; ahead < Block::kStages - 1; ++ahead) {
    if (first + ahead < last) copies.start(static_cast<uint32_t>(first + ahead), static_cast<uint32_t>(ahead));
    commit_copies();
  }

  AttentionSums<Block::kWarpDims> whole = no_sums<Block::kWarpDims>(), chunk = whole;
  for (int32_t block = first; block < last; ++block) {
    wait_for_copies<Block::kStages - 2>();
    __syncthreads();  // everybody's copies of this block are there, and nobody reads the one before it any more
    const int32_t ahead = block + Block::kStages - 1;
    if (ahead < last) copies.start(static_cast<uint32_t>(ahead), static_cast<uint32_t>(ahead - first) % Block::kStages);
    commit_copies();

    const int32_t first_key = block * Block::kKeys;
    if (first_key <= last_position) {
      const SharedAddress keys =
          stages + static_cast<uint32_t>((block - first) % Block::kStages * 2 * Block::kKeyBytes);
      float scores[Block::kKeys / 8][4];
      score<kDim, Block::kKeys>(shared + static_cast<uint32_t>(warp_query * kDim * 2), keys, lane, scores);
      const int32_t visible[2] = {positions[0] + 1 - first_key, positions[1] + 1 - first_key};
      if (first_key + Block::kKeys - 1 <= first_position) {
        soften<false, Block::kKeys>(scores, chunk, visible, lane, arguments.scale_log2);
      } else {
        soften<true, Block::kKeys>(scores, chunk, visible, lane, arguments.scale_log2);
      }
      accumulate<kDim, Block::kKeys>(scores, keys + Block::kKeyBytes, first_vector, lane, chunk);
    }
    if ((block + 1) % Block::kBlocksPerChunk == 0 || block + 1 == last) {
      join_sums(whole, chunk, arguments.scale_log2);
      chunk = no_sums<Block::kWarpDims>();
    }
  }
  return whole;
}

}  // namespace saferoute::cuda
