# shellcheck shell=bash
# Finds what run.sh builds and runs with, wherever a bare machine has it: nvcc, cuBLASLt's headers and library, GoogleTest.
# Sourced by it, in the root of the tree.

carry=build/gpu-carry # what pack.sh brings along

# The first argument that is a file.
first_file() {
  local file
  for file in "$@"; do
    if [ -f "$file" ]; then
      printf '%s\n' "$file"
      return 0
    fi
  done
  return 1
}

find_nvcc() {
  command -v nvcc || first_file "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" /usr/local/cuda-*/bin/nvcc
}

# Folders of NVIDIA's Python packages, which PyTorch brings along.
python_packages() {
  python3 -c 'import nvidia; print("\n".join(nvidia.__path__))' 2>/dev/null
}

# The library, which is loaded at run time. Headers are looked for by cmake/FindCublasLt.cmake.
find_cublaslt() {
  local name folder
  if [ -n "${SAFEROUTE_CUBLASLT:-}" ]; then
    first_file "$SAFEROUTE_CUBLASLT"
    return
  fi
  for name in libcublasLt.so.13 libcublasLt.so.12; do
    first_file "$(ldconfig -p 2>/dev/null | awk -v name="$name" '$1 == name { print $NF; exit }')" \
      "${CUDA_HOME:-/usr/local/cuda}/lib64/$name" /usr/local/cuda*/targets/*/lib/"$name" && return
    while read -r folder; do
      first_file "$folder/cu13/lib/$name" "$folder/cublas/lib/$name" && return
    done < <(python_packages)
  done
  return 1
}

# "installed" where GTest_ROOT says or a compiler finds it by itself, else the folder of its sources; those that were brought
# along come first.
find_googletest() {
  local sources
  if [ -n "${GTest_ROOT:-}" ]; then
    echo installed
  elif sources=$(first_file "$carry/googletest/CMakeLists.txt"); then
    dirname "$sources"
  elif [ -e /usr/include/gtest/gtest.h ]; then
    echo installed
  else
    sources=$(first_file /usr/src/googletest/CMakeLists.txt) && dirname "$sources"
  fi
}

# Where the guards' random weights go, 19 GB of them: memory, or else a disk, by which has room. What an earlier call has filled is
# taken again; where nothing has room, what needs it says so.
find_checkpoint_folder() {
  local folder free_mib
  local -a folders=(/dev/shm "${TMPDIR:-/tmp}" "$PWD/build")
  mkdir -p build
  for folder in "${folders[@]}"; do
    if [ -d "$folder/saferoute-checkpoints" ]; then
      echo "$folder/saferoute-checkpoints"
      return 0
    fi
  done
  for folder in "${folders[@]}"; do
    free_mib=$(df --output=avail -B 1M "$folder" 2>/dev/null | tail -n 1)
    if [ "${free_mib:-0}" -ge 20480 ]; then
      break
    fi
  done
  echo "$folder/saferoute-checkpoints"
}

# As CMake names the GPU of this machine: its own instructions and nothing else.
find_architecture() {
  local capability
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .) || return
  case $capability in
    90) echo 90a-real ;;
    [0-9]*) echo "$capability-real" ;;
    *) return 1 ;;
  esac
}

# The commit of this tree, or of the one that was packed.
find_commit() {
  git rev-parse HEAD 2>/dev/null || cat "$carry/commit" 2>/dev/null || echo unknown
}
