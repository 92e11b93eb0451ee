// saferoute_gpu_bench <folder for made-up checkpoints> <message-lengths.json> <results.json> [head] [attention] [bf16]
// [fp8] Runs the cases named, all without a name; prints a table and writes the figures as JSON. cuBLASLt's peak is
// measured wherever a guard is held against it.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuda/probe.h"
#include "gpu/attention_case.h"
#include "gpu/gemm_case.h"
#include "gpu/guard_cases.h"
#include "gpu/head_case.h"

namespace saferoute::bench {
namespace {

void show(const Figure& figure) {
  std::printf("%-72s %10.3f %-7s  p95 %10.3f", figure.name.c_str(), figure.median, figure.unit.c_str(), figure.p95);
  if (figure.target != 0) {
    std::printf("  %s %g: %s", figure.at_least ? "at least" : "at most", figure.target,
                figure.reached() ? "reached" : "MISSED");
  }
  std::printf("\n");
  std::fflush(stdout);
}

void write_json(const std::string& path, const cuda::DeviceFacts& device, const std::vector<Figure>& figures) {
  // In one step: whoever stops the bench meanwhile leaves a whole file.
  const std::string part = path + ".part";
  std::ofstream file(part);
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
  file.close();
  if (!file) throw Error(ErrorCode::kBackend, "could not write " + part);
  std::filesystem::rename(part, path);
}

int run(const std::vector<std::string>& arguments) {
  const std::set<std::string> named(arguments.begin() + 3, arguments.end());
  const auto wanted = [&](const char* name) { return named.empty() || named.contains(name); };
  const cuda::DeviceFacts device = cuda::probe();
  std::printf("%s, driver for CUDA %s, cuBLASLt %s\n", device.name.c_str(), device.driver.c_str(),
              device.cublas_lt.c_str());
  std::vector<Figure> figures;
  // Written anew with each, so that a run that is cut short leaves what it has found.
  const Report report = [&](Figure figure) {
    show(figure);
    figures.push_back(std::move(figure));
    write_json(arguments[2], device, figures);
  };
  const auto report_all = [&](std::vector<Figure> found) {
    for (Figure& figure : found) report(std::move(figure));
  };
  if (wanted("head")) report_all(run_head_case());
  if (wanted("attention")) report_all(run_attention_case());
  GuardCases cases{.folder = arguments[0], .histogram = arguments[1]};
  if (wanted("bf16") || wanted("fp8")) {
    std::vector<Figure> peaks = measure_gemm_peaks(device.fp8);
    cases.peak = peaks.front().median;
    report_all(std::move(peaks));
  }
  if (wanted("bf16")) run_guard_cases(cases, report);
  cases.precision = cuda::Precision::kFp8;
  if (wanted("fp8") && device.fp8) run_guard_cases(cases, report);
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
