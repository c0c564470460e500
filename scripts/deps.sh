#!/usr/bin/env bash
# Brings libtorch into .deps/libtorch: the CPU libraries from Maven Central, the headers
# (which do not depend on the processor) from a PyPI wheel, and empty archives for the
# CUDA libraries that gotch names unconditionally. Safe to repeat and to interrupt:
# each part is built aside, checked, then moved into place.
set -euo pipefail

version=2.7.1
root=$(cd "$(dirname "$0")/.." && pwd)
deps=${1:-$root/.deps}
dir=$deps/libtorch

fail() { echo "make deps: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1 || fail "$1 is missing; $2"; }

have go "install Go 1.26 or newer"
have g++ "install a C++17 compiler (Debian: apt-get install g++)"
have ar "install binutils (Debian: apt-get install binutils)"

stubs() { # $1: folder; the rest: names that the linker must find
  local to=$1; shift
  mkdir -p "$to"
  for lib in "$@"; do [ -f "$to/lib$lib.a" ] || ar cr "$to/lib$lib.a"; done
}

if [ -n "${LIBTORCH:-}" ]; then
  [ -f "$LIBTORCH/lib/libtorch_cpu.so" ] || fail "LIBTORCH=$LIBTORCH holds no lib/libtorch_cpu.so; it must be the official distribution's folder (lib/, include/)"
  [ -f "$LIBTORCH/include/torch/csrc/api/include/torch/torch.h" ] || fail "LIBTORCH=$LIBTORCH holds no include/torch/csrc/api/include/torch/torch.h"
fi
stubs "$deps/stubs" cuda cudart cublas cudnn caffe2_nvrtc nvrtc-builtins nvrtc nvToolsExt
stubs "$deps/stubs-cpu" c10_cuda torch_cuda
if [ -n "${LIBTORCH:-}" ]; then echo "make deps: using LIBTORCH=$LIBTORCH"; exit 0; fi

[ "$(uname -sm)" = "Linux x86_64" ] || fail "libtorch $version is fetched for Linux x86_64 only; on $(uname -sm) set LIBTORCH to an installed libtorch"
have python3 "it unpacks the archives (Debian: apt-get install python3)"

unzip_into() { python3 -m zipfile -e "$1" "$2"; }
check() { # FILE SHA256
  [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ] || { rm -f "$1"; fail "$(basename "$1") arrived damaged (its SHA-256 is not $2); run make deps again"; }
}

mkdir -p "$dir" "$deps/tmp"
if [ ! -f "$dir/lib/.complete" ]; then
  have mvn "it fetches libtorch's libraries (Debian: apt-get install maven)"
  echo "make deps: fetching libtorch $version (CPU libraries, 111 MB)"
  rm -rf "$deps/tmp/lib" && mkdir -p "$deps/tmp/lib"
  mvn -q -B -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
    -Dartifact=ai.djl.pytorch:pytorch-native-cpu:$version:jar:linux-x86_64 \
    -DoutputDirectory="$deps/tmp/lib" >"$deps/tmp/mvn.log" 2>&1 || { cat "$deps/tmp/mvn.log" >&2; fail "Maven could not fetch ai.djl.pytorch:pytorch-native-cpu:$version"; }
  jar=$deps/tmp/lib/pytorch-native-cpu-$version-linux-x86_64.jar
  check "$jar" 1769928feaaa2389b4aa68390e7787ce1707290258b167d016a200fced4b8c39
  unzip_into "$jar" "$deps/tmp/lib/x"
  src=$deps/tmp/lib/x/pytorch/cpu/linux-x86_64
  for f in libtorch_cpu.so libtorch.so libc10.so; do [ -s "$src/$f" ] || fail "the Maven artifact holds no $f"; done
  touch "$src/.complete"
  rm -rf "$dir/lib" && mv "$src" "$dir/lib" && rm -rf "$deps/tmp/lib"
fi
if [ ! -f "$dir/include/.complete" ]; then
  python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing; it fetches libtorch's headers (Debian: apt-get install python3-pip)"
  echo "make deps: fetching libtorch $version (headers, 68 MB)"
  rm -rf "$deps/tmp/inc" && mkdir -p "$deps/tmp/inc"
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 \
    --platform macosx_11_0_arm64 -d "$deps/tmp/inc" "torch==$version" || fail "pip could not fetch the wheel torch==$version"
  wheel=$(ls "$deps"/tmp/inc/*.whl)
  check "$wheel" "aea4fc1bf433d12843eb2c6b2204861f43d8364597697074c8d38ae2507f8730"
  unzip_into "$wheel" "$deps/tmp/inc/x"
  inc=$deps/tmp/inc/x/torch/include
  [ -s "$inc/torch/csrc/api/include/torch/torch.h" ] || fail "the wheel holds no torch.h"
  touch "$inc/.complete"
  rm -rf "$dir/include" && mv "$inc" "$dir/include" && rm -rf "$deps/tmp/inc"
fi
rm -f "$deps/tmp/mvn.log"; rmdir "$deps/tmp" 2>/dev/null || true
