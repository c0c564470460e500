#!/usr/bin/env bash
# bench-backbones.sh PART: measures our encoders and Hugging Face's (tests/bench/backbones) in
# one run. PART is small, base, types, memory or all. Nothing else should run meanwhile. The Makefile
# sets the C++ flags.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$(bash scripts/venv.sh tests/bench/backbones/requirements.txt .deps/torch)"
mkdir -p bin
go build -o bin/bench-backbones ./tests/bench/backbones
exec bin/bench-backbones -python "$python" -part "${1:-all}"
