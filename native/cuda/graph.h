// A captured pass: launches recorded once and replayed with one call.
#pragma once

#include <functional>
#include <utility>

#include <cuda_runtime_api.h>

namespace saferoute::cuda {

// Move-only. What its launches refer to outlives it.
class Graph {
 public:
  // Records what `launches` launches on `stream`, of which nothing runs. Other threads may go on calling CUDA
  // meanwhile. An exception of `launches` passes through and leaves the stream as it was.
  static Graph capture(cudaStream_t stream, const std::function<void()>& launches);

  ~Graph();
  Graph(Graph&& other) noexcept : exec_(std::exchange(other.exec_, nullptr)) {}
  Graph& operator=(Graph&&) = delete;

  void launch(cudaStream_t stream) const;

 private:
  explicit Graph(cudaGraphExec_t exec) : exec_(exec) {}

  cudaGraphExec_t exec_;
};

// Records into `graph`, such as the body of a conditional node, as capture() does.
void capture_into(cudaGraph_t graph, cudaStream_t stream, const std::function<void()>& launches);

}  // namespace saferoute::cuda
