#include "ort/gemm.h"

#include <algorithm>
#include <vector>

#include "ort/decoder_ops.h"
#include "ort/graph_builder.h"
#include "ort/session.h"

namespace saferoute::ort {
namespace {

// Rows of a product that are worth a run of their own, and whose number a piece is a multiple of. ONNX Runtime adds up
// an element in an order that depends on the number of columns, and on that of rows only where there is just one. So
// rows may be cut anywhere else; columns, which it would cut by itself, may not.
constexpr int64_t kRowGrain = 16;

// Multiplications and additions below which a second thread costs more than it computes.
constexpr int64_t kLeastSharedWork = 1 << 20;

// to (columns, rows) = from (rows, columns), transposed
void transpose(const float* from, float* to, int64_t rows, int64_t columns, cpu::ParallelFor parallel_for) {
  constexpr int64_t kTile = 16;  // a cache line of either
  cpu::for_ranges(parallel_for, columns, kTile * 8, [&](int64_t first, int64_t last) {
    for (int64_t column = first; column < last; column += kTile) {
      const int64_t column_end = std::min(column + kTile, last);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = column; c < column_end; ++c) to[c * rows + r] = from[r * columns + c];
      }
    }
  });
}

class OrtGemm final : public train::Gemm {
 public:
  OrtGemm(const std::string& library_path, cpu::ParallelFor parallel_for, int32_t threads)
      : runtime_(Runtime::acquire({.library_path = library_path})),
        parallel_for_(parallel_for),
        threads_(threads),
        no_ops_(runtime_->api(), kOpDomain),
        no_weights_(runtime_->api()),
        plain_(session(false)),
        transposed_(session(true)) {}

  void multiply(const float* a, bool transpose_a, const float* b, bool transpose_b, float* c, int32_t m, int32_t n,
                int32_t k) override {
    if (transpose_a) {
      rows_of_a_.resize(static_cast<size_t>(m) * static_cast<size_t>(k));
      transpose(a, rows_of_a_.data(), k, m, parallel_for_);
      a = rows_of_a_.data();
    }
    const bool shared = static_cast<int64_t>(m) * n * k >= kLeastSharedWork;
    const int64_t wanted = shared ? std::clamp<int64_t>(m / kRowGrain, 1, threads_) : 1;
    const int64_t piece_rows = (m + wanted * kRowGrain - 1) / (wanted * kRowGrain) * kRowGrain;
    // A last piece of one row joins the one before it.
    const int64_t pieces = std::max<int64_t>(1, (m - 1 + piece_rows - 1) / piece_rows);
    Session& session = transpose_b ? transposed_ : plain_;
    parallel_for_(static_cast<size_t>(pieces), [&](size_t piece) {
      const int64_t first = static_cast<int64_t>(piece) * piece_rows;
      const int64_t last = static_cast<int64_t>(piece) + 1 == pieces ? m : first + piece_rows;
      // Inputs are read only, though the type of a tensor does not say so.
      const TensorRef inputs[] = {matrix("a", const_cast<float*>(a) + first * k, last - first, k),
                                  matrix("b", const_cast<float*>(b), transpose_b ? n : k, transpose_b ? k : n)};
      const TensorRef outputs[] = {matrix("c", c + first * n, last - first, n)};
      session.run(inputs, outputs, {});
    });
  }

 private:
  Session session(bool transpose_b) {
    GraphBuilder graph(runtime_->api(), no_weights_, kOpDomain);
    graph.input("a", ElementType::kFloat, {-1, -1});
    graph.input("b", ElementType::kFloat, {-1, -1});
    graph.output("c", ElementType::kFloat, {-1, -1});
    if (transpose_b) {
      graph.linear("product", "a", "b", "c");
    } else {
      graph.matmul("product", "a", "b", "c");
    }
    return Session(runtime_, no_ops_, graph.finish(), {}, RunThreads::kCaller);
  }

  std::shared_ptr<Runtime> runtime_;
  cpu::ParallelFor parallel_for_;
  int32_t threads_;
  CustomOps no_ops_;
  WeightStore no_weights_;
  Session plain_;
  Session transposed_;
  std::vector<float> rows_of_a_;  // (m, k) of the product at hand, where it came transposed
};

}  // namespace

std::unique_ptr<train::Gemm> make_gemm(const std::string& library_path, cpu::ParallelFor parallel_for,
                                       int32_t threads) {
  return std::make_unique<OrtGemm>(library_path, parallel_for, threads);
}

}  // namespace saferoute::ort
