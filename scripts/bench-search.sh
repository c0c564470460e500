#!/usr/bin/env bash
# bench-search.sh PART: measures our search and Optuna's (tests/bench/optuna) in one run.
# PART is speed, quality, parallel or all. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$(bash scripts/venv.sh tests/bench/optuna/requirements.txt .deps/optuna)"
mkdir -p bin
CGO_ENABLED=0 go build -o bin/bench-search ./tests/bench/optuna
exec bin/bench-search -python "$python" -part "${1:-all}"
