#include <array>
#include <cstdint>
#include <vector>

#include "cuda/cascade_graph.h"
#include "cuda/check.h"
#include "cuda/compaction.h"

namespace saferoute::cuda {
namespace {

constexpr int kMaxBranches = 4;

// By value: a kernel's arguments are kept in the graph.
struct BranchSizes {
  int32_t tokens[kMaxBranches];
  int32_t rows[kMaxBranches];
  int32_t count;
};

// The first branch that holds the hard rows; `count`, of which there is none, without hard rows. One thread.
__global__ void choose_branch_kernel(const CompactionCounts* counts, BranchSizes sizes,
                                     cudaGraphConditionalHandle branch) {
  unsigned chosen = sizes.count;
  if (counts->rows > 0) {
    for (int i = sizes.count - 1; i >= 0; --i) {
      if (counts->tokens <= sizes.tokens[i] && counts->rows <= sizes.rows[i]) chosen = i;
    }
  }
  cudaGraphSetConditional(branch, chosen);
}

// Where a stream's capture has come to.
struct CapturePoint {
  cudaGraph_t graph = nullptr;
  const cudaGraphNode_t* nodes = nullptr;  // (count): what the next node depends on
  const cudaGraphEdgeData* edges = nullptr;
  size_t count = 0;
};

CapturePoint capture_point(cudaStream_t stream) {
  CapturePoint point;
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamGetCaptureInfo(stream, &status, nullptr, &point.graph, &point.nodes, &point.edges, &point.count),
        "asking for the capture of a cascade");
  return point;
}

// Adds a node that runs one of `count` graphs, or none, as `handle` is set when it is reached; the stream's next work
// comes after it. Returns the graphs, empty as yet.
cudaGraph_t* add_switch(cudaStream_t stream, cudaGraphConditionalHandle handle, unsigned count) {
  cudaGraphNodeParams parameters = {};
  parameters.type = cudaGraphNodeTypeConditional;
  parameters.conditional.handle = handle;
  parameters.conditional.type = cudaGraphCondTypeSwitch;
  parameters.conditional.size = count;
  const CapturePoint point = capture_point(stream);
  cudaGraphNode_t node = nullptr;
  check(cudaGraphAddNode(&node, point.graph, point.nodes, point.edges, point.count, &parameters),
        "adding the large guard to a cascade's graph");
  check(cudaStreamUpdateCaptureDependencies(stream, &node, nullptr, 1, cudaStreamSetCaptureDependencies),
        "adding the large guard to a cascade's graph");
  return parameters.conditional.phGraph_out;
}

void choose_branch(const CompactionCounts* counts, const std::vector<PassShape>& branches,
                   cudaGraphConditionalHandle handle, cudaStream_t stream) {
  BranchSizes sizes = {};
  for (const PassShape& branch : branches) {
    sizes.tokens[sizes.count] = branch.tokens;
    sizes.rows[sizes.count] = branch.rows;
    sizes.count += 1;
  }
  choose_branch_kernel<<<1, 1, 0, stream>>>(counts, sizes, handle);
  check(cudaGetLastError(), "choose_branch");
}

}  // namespace

bool can_cascade(const GuardPlan& small, const GuardPlan& large) {
  return small.streamed_layers == 0 && large.streamed_layers == 0 && !small.demand.router.layers.empty() &&
         small.demand.batch_rows <= kMaxCompactedRows && large.demand.batch_rows <= kMaxCompactedRows;
}

Graph capture_cascade(LoadedGuard& small, LoadedGuard& large, const CascadeShape& shape, cudaStream_t stream,
                      cudaStream_t body_stream) {
  const std::vector<PassShape> branches = cascade_branches(shape.large, large.limits());
  return Graph::capture(stream, [&] {
    small.launch(small.view(shape.small), shape.small.keys, small.rule(), {}, stream);
    small.download(stream);
    compact_hard_rows(small.decoder().at<uint8_t>(small.decoder().buffers().hard), large.view(shape.large),
                      large.compacted_view(branches.back()), large.taken_on_device(), large.counts_on_device(), stream);
    cudaGraphConditionalHandle handle = {};
    check(cudaGraphConditionalHandleCreate(&handle, capture_point(stream).graph, static_cast<unsigned>(branches.size()),
                                           cudaGraphCondAssignDefault),
          "making the condition of a cascade's graph");
    choose_branch(large.counts_on_device(), branches, handle, stream);
    cudaGraph_t* const bodies = add_switch(stream, handle, static_cast<unsigned>(branches.size()));
    for (size_t i = 0; i < branches.size(); ++i) {
      // All branches read the arrays where the compaction left them: laid out for the largest.
      BatchView view = large.compacted_view(branches.back());
      view.token_count = branches[i].tokens;
      view.row_count = branches[i].rows;
      capture_into(bodies[i], body_stream, [&] { large.launch(view, branches[i].keys, HardRule(), {}, body_stream); });
    }
    large.download(stream);
  });
}

}  // namespace saferoute::cuda
