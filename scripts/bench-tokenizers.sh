#!/usr/bin/env bash
# bench-tokenizers.sh [FAMILIES]: measures our tokenizers and the Rust library beneath Hugging
# Face's fast ones (tests/bench/tokenizers) in one run. FAMILIES are folders of
# tests/golden/tokenizers with commas between, default all. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$(bash scripts/venv.sh tests/bench/tokenizers/requirements.txt .deps/tokenizers)"
mkdir -p bin
CGO_ENABLED=0 go build -o bin/bench-tokenizers ./tests/bench/tokenizers
exec bin/bench-tokenizers -python "$python" -families "${1:-}"
