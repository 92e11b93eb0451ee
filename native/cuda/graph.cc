#include "cuda/graph.h"

#include <exception>

#include "cuda/check.h"

namespace saferoute::cuda {
namespace {

// A kernel that is launched for the first time is loaded then, and loading may allocate: in a stricter mode that would
// end a capture on the machines where it does. No launch of ours allocates by itself.
constexpr cudaStreamCaptureMode kCaptureMode = cudaStreamCaptureModeRelaxed;

struct Recording {
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() {
    if (graph != nullptr) cudaGraphDestroy(graph);
  }

  cudaGraph_t graph = nullptr;
};

// Ends the capture whatever `launches` throws, which is thrown once that is done: a stream left capturing takes no work
// any more. What was recorded is in `graph` even then.
void record(cudaStream_t stream, const std::function<void()>& launches, cudaGraph_t& graph) {
  std::exception_ptr failure;
  try {
    launches();
  } catch (...) {
    failure = std::current_exception();
  }
  const cudaError_t status = cudaStreamEndCapture(stream, &graph);
  if (failure) {
    cudaGetLastError();  // of the capture that the exception made invalid
    std::rethrow_exception(failure);
  }
  check(status, "ending the capture of a graph");
}

}  // namespace

Graph Graph::capture(cudaStream_t stream, const std::function<void()>& launches) {
  check(cudaStreamBeginCapture(stream, kCaptureMode), "capturing a graph");
  Recording recording;
  record(stream, launches, recording.graph);
  cudaGraphExec_t exec = nullptr;
  check(cudaGraphInstantiate(&exec, recording.graph, 0), "instantiating a graph");
  Graph captured(exec);
  check(cudaGraphUpload(exec, stream), "uploading a graph");
  return captured;
}

Graph::~Graph() {
  if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
}

void Graph::launch(cudaStream_t stream) const { check(cudaGraphLaunch(exec_, stream), "launching a graph"); }

void capture_into(cudaGraph_t graph, cudaStream_t stream, const std::function<void()>& launches) {
  check(cudaStreamBeginCaptureToGraph(stream, graph, nullptr, nullptr, 0, kCaptureMode),
        "capturing the body of a graph");
  record(stream, launches, graph);
}

}  // namespace saferoute::cuda
