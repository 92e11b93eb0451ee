#!/usr/bin/env bash
# Proves and measures the CUDA part on a machine that has a GPU, nvcc 13 with cuBLASLt, CMake and a C++ compiler. Needs no
# network; uses GoogleTest (pack.sh brings its sources), PyTorch and Node where they are, and says what is missing.
#   bench/gpu/run.sh [--out FOLDER] [--within SECONDS] [step ...]
# Steps, all of them without a name: build, tests, bench, compare, sanitize, node. Parts of them can be named alone, as --list
# prints them. Steps keep what earlier calls have built and found in the folder, so that each can be a call of its own.
# A step that fails or runs out of its time does not keep the next from running; then the exit code is 1. --within ends steps in
# time for the call to be over by then, on a machine that is lent for so long. At the end a table of all figures so far with their
# targets, and FOLDER/results.json, which goes to bench/results/ under the machine's name.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=bench/gpu/toolchain.sh
source bench/gpu/toolchain.sh

build_parts=(googletest configure compile)
test_parts=(plan-tests kernel-tests decoder-tests cascade-tests pair-tests fp8-tests memory-tests)
sanitize_parts=(memcheck racecheck initcheck)
bench_parts=(bench-head bench-attention bench-bf16 bench-fp8)
compare_parts=(pytorch-head pytorch-attention pytorch-guards)
all_parts=("${build_parts[@]}" "${test_parts[@]}" "${bench_parts[@]}" "${compare_parts[@]}" "${sanitize_parts[@]}" node)

out=build/gpu-results
build=$(realpath -m "${SAFEROUTE_GPU_BUILD:-build/gpu}")
within=0           # seconds for the whole call; 0: as many as the steps take
closing_seconds=20 # of these, what the table takes, and the end of a step that was stopped
failed=()

# record NAME OUTCOME SECONDS [WHY]
record() {
  printf '%-18s %s, %d s %s\n' "$1" "$2" "$3" "${4:-}"
  printf '{"step": "%s", "outcome": "%s", "seconds": %d, "why": "%s"}\n' "$1" "$2" "$3" "${4:-}" >>"$out/steps.jsonl"
}

# Seconds that steps may still take; many without --within.
seconds_left() {
  if [ "$within" -eq 0 ]; then
    echo 1000000
  else
    echo $((within - closing_seconds - SECONDS))
  fi
}

# limited NAME SECONDS COMMAND...: runs it with its output in a log.
limited() {
  local name=$1 limit=$2 log="$out/logs/$1.log" from=$SECONDS status left
  shift 2
  left=$(seconds_left)
  limit=$((left < limit ? left : limit))
  limit=$((limit > 1 ? limit : 1))
  timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1
  status=$?
  case $status in
    0)
      if grep -q 'SKIPPED' "$log"; then
        record "$name" "passed with skips" $((SECONDS - from)) "see logs/$name.log"
      else
        record "$name" passed $((SECONDS - from))
      fi
      return 0
      ;;
    124 | 137) record "$name" "OUT OF TIME" $((SECONDS - from)) "limit $limit s" ;;
    *) record "$name" FAILED $((SECONDS - from)) "exit code $status" ;;
  esac
  printf 'the end of %s:\n' "$log"
  tail -n 25 "$log"
  failed+=("$name")
  return 1
}

# missing NAME WHY: what cannot be run here is no success.
missing() {
  record "$1" "NOT RUN" 0 "$2"
  failed+=("$1")
}

run_googletest() {
  local sources
  if ! sources=$(find_googletest); then
    missing googletest "not installed, GTest_ROOT unset, no sources in $carry"
    return 1
  fi
  if [ "$sources" = installed ]; then return 0; fi
  # shellcheck disable=SC2016 # the inner shell expands it
  limited googletest 120 bash -c 'cmake -S "$1" -B "$2/googletest" -DCMAKE_BUILD_TYPE=Release -DBUILD_GMOCK=OFF \
    "-DCMAKE_INSTALL_PREFIX=$2/googletest-installed" && cmake --build "$2/googletest" -j "$(nproc)" --target install' \
    build-googletest "$sources" "$build"
}

run_configure() {
  local nvcc architecture tests=ON
  nvcc=$(find_nvcc) || { missing configure "nvcc is not here" && return 1; }
  architecture=$(find_architecture) || { missing configure "nvidia-smi names no compute capability" && return 1; }
  if [ -d "$build/googletest-installed" ]; then
    export GTest_ROOT="$build/googletest-installed"
  elif [ "$(find_googletest)" != installed ]; then
    tests=OFF
  fi
  # Node is asked for by targets that are not built here.
  limited configure 120 cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CUDA_COMPILER=$nvcc" \
    -DSAFEROUTE_ADDON=OFF "-DSAFEROUTE_TESTS=$tests" "-DSAFEROUTE_NODE=$(command -v node || echo none)" \
    -DSAFEROUTE_WERROR=OFF -DSAFEROUTE_CUDA=on "-DSAFEROUTE_CUDA_ARCHITECTURES=$architecture" -DSAFEROUTE_GPU_BENCH=ON
}

run_compile() {
  local targets=(saferoute_gpu_bench)
  if grep -q 'SAFEROUTE_TESTS:BOOL=ON' "$build/CMakeCache.txt" 2>/dev/null; then targets+=(test_cuda test_cuda_plan); fi
  limited compile 540 cmake --build "$build" -j "$(nproc)" --target "${targets[@]}"
}

# run_tests NAME SECONDS BINARY FILTER
run_tests() {
  local binary="$build/test/native/cuda/$3"
  if [ ! -x "$binary" ]; then
    missing "$1" "$3 has not been built"
    return 1
  fi
  if ! "$binary" --gtest_list_tests "--gtest_filter=$4" 2>/dev/null | grep '^  ' >/dev/null; then
    missing "$1" "$3 has no such test: $4"
    return 1
  fi
  limited "$1" "$2" "$binary" --gtest_brief=1 "--gtest_filter=$4"
}

# Tests of whole guards, apart from those of the kernels that they are made of.
guards='*Backend*:*Cascade*:*EmbeddedPair*:*RandomGuard*:*WeightStore*'

# What a checker would need an hour for is left out: its kernels run elsewhere in shapes as odd. Every guard that is loaded times
# some 20,000 products, so of the tests that load one a few stand for all. Nor is what compares free memory, or takes nearly all
# of it, since a checker needs some for itself.
unchecked='*GivesTheMemoryBack*:*Large*:*EmbeddedPair*:*RandomGuard*:*ReferenceGuards*:*RepeatsToTheLastBit*'
unchecked+=':*RecipeDevice*:*SaysWhatTransformersSays*:*ReadsARowAlone*:*ReadsAPromptInTwoPasses*:*DeviceArena*'

run_sanitizer() {
  if ! compute-sanitizer --version >/dev/null 2>&1; then
    missing "$1" "compute-sanitizer is not here"
    return 1
  fi
  local options=(--tool "$1" --error-exitcode 1)
  if [ "$1" = memcheck ]; then
    # Libraries ask the driver for what it may not have, and every status of our own calls is checked.
    options+=(--report-api-errors no)
  else
    # Our own kernels, all in one namespace: those of cuBLASLt take a checker long, and what they do with shared memory is theirs.
    options+=(--kernel-name kernel_substring=saferoute)
  fi
  limited "$1" 180 compute-sanitizer "${options[@]}" "$build/test/native/cuda/test_cuda" --gtest_brief=1 \
    "--gtest_filter=-$unchecked"
}

run_bench() {
  local name=$1 case=${1#bench-}
  if [ ! -x "$build/bench/gpu/saferoute_gpu_bench" ]; then
    missing "$name" "saferoute_gpu_bench has not been built"
    return 1
  fi
  limited "$name" "$2" "$build/bench/gpu/saferoute_gpu_bench" "$checkpoints" bench/prompts/message-lengths.json \
    "$out/figures-$case.json" "$case" || return 1
  cat "$out/logs/$name.log"
}

# run_reference NAME SECONDS SCRIPT [ARGUMENT...]: its lines of JSON are figures.
run_reference() {
  local name=$1 limit=$2
  shift 2
  if ! python3 -c 'import torch; assert torch.cuda.is_available()' >/dev/null 2>&1; then
    missing "$name" "there is no PyTorch that sees the GPU"
    return 1
  fi
  limited "$name" "$limit" python3 -u "bench/gpu/$1" "${@:2}"
  local status=$?
  grep '^{' "$out/logs/$name.log" >"$out/figures-$name.jsonl"
  return $status
}

run_node() {
  if ! command -v node >/dev/null || [ ! -e node_modules ]; then
    echo 'node               not run: Node or node_modules is not here'
    return 0
  fi
  limited node 540 npm run bench -- --device cuda
}

run_part() {
  case $1 in
    googletest) run_googletest ;;
    configure) run_configure ;;
    compile) run_compile ;;
    plan-tests) run_tests "$1" 60 test_cuda_plan '*' ;;
    kernel-tests) run_tests "$1" 180 test_cuda "-$guards" ;;
    decoder-tests) run_tests "$1" 120 test_cuda '*Backend*:*WeightStore*:-*GivesTheMemoryBack*' ;;
    cascade-tests) run_tests "$1" 60 test_cuda '*Cascade*:-*EmbeddedPair*' ;;
    pair-tests) run_tests "$1" 120 test_cuda '*EmbeddedPair*' ;;
    fp8-tests) run_tests "$1" 120 test_cuda '*RandomGuard*' ;;
    memory-tests) run_tests "$1" 120 test_cuda '*GivesTheMemoryBack*' ;;
    memcheck | racecheck | initcheck) run_sanitizer "$1" ;;
    bench-bf16 | bench-fp8) run_bench "$1" 240 ;;
    bench-*) run_bench "$1" 60 ;;
    pytorch-head) run_reference "$1" 120 head_reference.py ;;
    pytorch-attention) run_reference "$1" 60 attention_reference.py ;;
    pytorch-guards) run_reference "$1" 360 guard_reference.py bench/prompts/message-lengths.json ;;
    node) run_node ;;
  esac
}

# The parts that a word asks for.
parts_of() {
  case $1 in
    build) printf '%s\n' "${build_parts[@]}" ;;
    tests) printf '%s\n' "${test_parts[@]}" ;;
    sanitize) printf '%s\n' "${sanitize_parts[@]}" ;;
    bench) printf '%s\n' "${bench_parts[@]}" ;;
    compare) printf '%s\n' "${compare_parts[@]}" ;;
    *) printf '%s\n' "${all_parts[@]}" | grep -x -- "$1" ;;
  esac
}

parts=()
while [ $# -gt 0 ]; do
  case $1 in
    --list)
      printf '%s\n' "${all_parts[@]}"
      exit 0
      ;;
    --out)
      out=${2:?--out needs a folder}
      shift
      ;;
    --within)
      within=${2:?--within needs seconds}
      if ! [[ $within =~ ^[0-9]{1,6}$ ]]; then
        echo "--within is '$within', it must be a number of seconds" >&2
        exit 2
      fi
      within=$((10#$within))
      shift
      ;;
    *)
      mapfile -t asked < <(parts_of "$1")
      if [ ${#asked[@]} -eq 0 ]; then
        printf "'%s' is no step: build, tests, sanitize, bench, compare, or one of\n%s\n" "$1" "${all_parts[*]}" >&2
        exit 2
      fi
      parts+=("${asked[@]}")
      ;;
  esac
  shift
done
if [ ${#parts[@]} -eq 0 ]; then parts=("${all_parts[@]}"); fi

checkpoints=${SAFEROUTE_GPU_CHECKPOINTS:-$(find_checkpoint_folder)}
mkdir -p "$out/logs" "$checkpoints"
if ! nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader >"$out/gpu.csv"; then
  echo 'nvidia-smi finds no GPU' >&2
  exit 1
fi
cat "$out/gpu.csv"
find_commit >"$out/commit"
if library=$(find_cublaslt); then
  export SAFEROUTE_CUBLASLT=$library
else
  echo 'cuBLASLt was not found: set SAFEROUTE_CUBLASLT to libcublasLt.so.13' >&2
fi
export SAFEROUTE_REQUIRE_GPU=1 SAFEROUTE_GPU_CHECKPOINTS="$checkpoints"

for part in "${parts[@]}"; do
  if [ "$(seconds_left)" -gt 0 ]; then
    run_part "$part"
  else
    missing "$part" "no time was left"
  fi
done

if command -v python3 >/dev/null; then
  python3 bench/gpu/report.py "$out" || failed+=(report)
else
  echo 'Python is not here: the figures stay in the files of their cases'
fi
tar -czf "$out/logs.tar.gz" -C "$out" logs
if [ ${#failed[@]} -gt 0 ]; then
  printf '\nfailed or not run: %s\n' "${failed[*]}"
  exit 1
fi
printf '\nall passed; results in %s\n' "$out"
