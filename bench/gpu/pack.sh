#!/usr/bin/env bash
# Packs what bench/gpu/run.sh needs on a machine without network into one small file, and what of it is not in the tree into
# build/gpu-carry, for machines that get the tree itself: GoogleTest's sources, and what the CPU reads of labelled messages.
#   bench/gpu/pack.sh [DATA]
# DATA: labelled sets as for bench/precision.mts; without it the flips of the embedded pair are not measured there.
# GoogleTest's sources are those of Debian's package googletest, or of the folder in SAFEROUTE_GTEST_SOURCES.
set -euo pipefail
data=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

carry=build/gpu-carry
archive=build/saferoute-gpu.tar.gz
sources=${SAFEROUTE_GTEST_SOURCES:-/usr/src/googletest}
if [ ! -f "$sources/googletest/src/gtest-all.cc" ]; then
  echo "$sources has no sources of GoogleTest: install Debian's package googletest, or set SAFEROUTE_GTEST_SOURCES" >&2
  exit 1
fi

mkdir -p "$carry/googletest"
cp "$sources/CMakeLists.txt" "$carry/googletest/"
cp -r "$sources/googletest" "$carry/googletest/"
rm -rf "$carry/googletest/googletest/test" "$carry/googletest/googletest/samples" "$carry/googletest/googletest/docs"
git rev-parse HEAD >"$carry/commit"
if [ -n "$data" ]; then
  node --import tsx bench/gpu/expected-readings.mts "$data" "$carry/expected-readings.safetensors"
fi

tree=(CMakeLists.txt cmake native test/native test/fixtures bench/gpu bench/prompts models/tiny)
git ls-files -z --cached --others --exclude-standard -- "${tree[@]}" |
  tar --create --gzip --file "$archive" --null --files-from=- --add-file="$carry"
du -h "$archive"
