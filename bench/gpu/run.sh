#!/usr/bin/env bash
# Proves and measures the CUDA part on a machine that has a GPU, nvcc with cuBLASLt, CMake, a C++ compiler and GoogleTest, and
# needs nothing else; a copy of GoogleTest that was brought along is named by GTest_ROOT.
#   bench/gpu/run.sh [folder for results] [case ...]
# Builds for this GPU alone, runs every test of the CUDA part with its GPU required, the kernels under compute-sanitizer
# where that works, then the bench, and PyTorch's own head and attention beside it where there is a PyTorch.
# Cases: head attention bf16 fp8. Prints a table at the end, and leaves results.json, pytorch.jsonl and the logs in the folder.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=$(realpath -m "${1:-build/gpu-results}")
shift || true
build=${SAFEROUTE_GPU_BUILD:-build/gpu}
checkpoints=${SAFEROUTE_GPU_CHECKPOINTS:-/dev/shm/saferoute-checkpoints} # 19 GB
mkdir -p "$out" "$checkpoints"
failed=()

# Runs a step with its output in a log, and says how it ended.
step() {
  local name=$1 log="$out/$1.log" from=$SECONDS
  shift
  if "$@" >"$log" 2>&1; then
    printf '%-16s passed in %d s\n' "$name" $((SECONDS - from))
    return 0
  fi
  printf '%-16s FAILED in %d s; the end of %s:\n' "$name" $((SECONDS - from)) "$log"
  tail -n 25 "$log"
  failed+=("$name")
  return 1
}

nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader || exit 1
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
case $capability in
  90) architecture=90a-real ;;
  *) architecture=$capability-real ;;
esac

has_gtest=OFF
if [ -e /usr/include/gtest/gtest.h ] || [ -n "${GTest_ROOT:-}" ]; then has_gtest=ON; fi
# Node is asked for by targets that are not built here.
step configure cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DSAFEROUTE_ADDON=OFF "-DSAFEROUTE_TESTS=$has_gtest" \
  "-DSAFEROUTE_NODE=$(command -v node || echo none)" -DSAFEROUTE_WERROR=OFF -DSAFEROUTE_CUDA=on "-DSAFEROUTE_CUDA_ARCHITECTURES=$architecture" -DSAFEROUTE_GPU_BENCH=ON || exit 1
targets=(saferoute_gpu_bench)
if [ $has_gtest = ON ]; then targets+=(test_cuda test_cuda_plan); fi
step build cmake --build "$build" -j "$(nproc)" --target "${targets[@]}" || exit 1

export SAFEROUTE_REQUIRE_GPU=1
if [ $has_gtest = ON ]; then
  step plan-tests "$build/test/native/cuda/test_cuda_plan" --gtest_brief=1
  step device-tests "$build/test/native/cuda/test_cuda" --gtest_brief=1
  # A hundred loads under a checker say nothing about memory, and take an hour.
  if command -v compute-sanitizer >/dev/null && compute-sanitizer --version >/dev/null 2>&1; then
    for tool in memcheck racecheck initcheck; do
      step "$tool" timeout 150 compute-sanitizer --tool "$tool" --error-exitcode 1 "$build/test/native/cuda/test_cuda" \
        --gtest_brief=1 "--gtest_filter=-*GivesTheMemoryBack:*Large*"
    done
  else
    echo 'compute-sanitizer is not here: memcheck, racecheck and initcheck have not run'
  fi
else
  echo 'GoogleTest is not here: the tests have not run'
  failed+=(tests)
fi

if python3 -c 'import torch; assert torch.cuda.is_available()' >/dev/null 2>&1; then
  if step pytorch-head python3 bench/gpu/head_reference.py; then
    grep '^{' "$out/pytorch-head.log" >"$out/pytorch.jsonl"
  fi
  if step pytorch-attention python3 bench/gpu/attention_reference.py; then
    grep '^{' "$out/pytorch-attention.log" >>"$out/pytorch.jsonl"
  fi
else
  echo 'PyTorch is not here: nothing to compare guard_head and attention with'
fi

step bench "$build/bench/gpu/saferoute_gpu_bench" "$checkpoints" bench/prompts/message-lengths.json "$out/results.json" "$@"

echo
cat "$out/bench.log"
if [ -e "$out/pytorch.jsonl" ]; then cat "$out/pytorch.jsonl"; fi
if [ "${#failed[@]}" -gt 0 ]; then
  printf '\nfailed: %s\n' "${failed[*]}"
  exit 1
fi
printf '\nall passed; results in %s\n' "$out"
