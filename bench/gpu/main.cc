// saferoute_gpu_bench <folder for made-up checkpoints> <message-lengths.json> <results.json> [head] [attention] [bf16]
// [fp8] Runs the cases named, all without a name; prints a table and writes the figures as JSON. cuBLASLt's peak is
// measured wherever a guard is held against it.
#include <cstdio>
#include <exception>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "cuda/probe.h"
#include "gpu/attention_case.h"
#include "gpu/gemm_case.h"
#include "gpu/guard_cases.h"
#include "gpu/head_case.h"

namespace saferoute::bench {
namespace {

void append(std::vector<Figure>& figures, std::vector<Figure> more) {
  for (Figure& figure : more) {
    std::printf("%-72s %10.3f %-7s  p95 %10.3f", figure.name.c_str(), figure.median, figure.unit.c_str(), figure.p95);
    if (figure.target != 0) {
      std::printf("  %s %g: %s", figure.at_least ? "at least" : "at most", figure.target,
                  figure.reached() ? "reached" : "MISSED");
    }
    std::printf("\n");
    figures.push_back(std::move(figure));
  }
  std::fflush(stdout);
}

void write_json(const std::string& path, const cuda::DeviceFacts& device, const std::vector<Figure>& figures) {
  std::ofstream file(path);
  file << "{\n  \"device\": \"" << device.name << "\",\n  \"driver\": \"" << device.driver << "\",\n  \"runtime\": \""
       << device.runtime << "\",\n  \"cublasLt\": \"" << device.cublas_lt << "\",\n  \"figures\": [";
  const char* separator = "\n";
  for (const Figure& figure : figures) {
    file << separator << "    { \"name\": \"" << figure.name << "\", \"unit\": \"" << figure.unit
         << "\", \"median\": " << figure.median << ", \"p95\": " << figure.p95 << ", \"samples\": " << figure.samples
         << ", \"target\": " << figure.target << ", \"atLeast\": " << (figure.at_least ? "true" : "false") << " }";
    separator = ",\n";
  }
  file << "\n  ]\n}\n";
  if (!file.flush()) throw Error(ErrorCode::kBackend, "could not write " + path);
}

int run(const std::vector<std::string>& arguments) {
  const std::set<std::string> named(arguments.begin() + 3, arguments.end());
  const auto wanted = [&](const char* name) { return named.empty() || named.contains(name); };
  const cuda::DeviceFacts device = cuda::probe();
  std::printf("%s, driver for CUDA %s, cuBLASLt %s\n", device.name.c_str(), device.driver.c_str(),
              device.cublas_lt.c_str());
  GuardCases cases{.folder = arguments[0], .histogram = arguments[1]};
  std::vector<Figure> figures;
  if (wanted("head")) append(figures, run_head_case());
  if (wanted("attention")) append(figures, run_attention_case());
  if (wanted("bf16") || wanted("fp8")) {
    std::vector<Figure> peaks = measure_gemm_peaks(device.fp8);
    cases.peak = peaks.front().median;
    append(figures, std::move(peaks));
  }
  if (wanted("bf16")) append(figures, run_guard_cases(cases));
  cases.precision = cuda::Precision::kFp8;
  if (wanted("fp8") && device.fp8) append(figures, run_guard_cases(cases));
  write_json(arguments[2], device, figures);
  return 0;
}

}  // namespace
}  // namespace saferoute::bench

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() < 3) {
    std::fprintf(stderr, "usage: %s <folder> <message-lengths.json> <results.json> [head] [attention] [bf16] [fp8]\n",
                 values[0]);
    return 2;
  }
  try {
    return saferoute::bench::run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
