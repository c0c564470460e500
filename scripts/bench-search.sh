#!/usr/bin/env bash
# bench-search.sh PART: measures our search and Optuna's (tests/bench/optuna) in one run.
# PART is speed, quality, parallel or all. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=tests/bench/optuna/requirements.txt
venv=.deps/optuna
fail() { echo "bench-search: $*" >&2; exit 1; }
if ! cmp -s "$lock" "$venv/requirements.txt"; then
	python="${PYTHON:-python3}"
	command -v "$python" >/dev/null || fail "Python 3.11 or newer is needed for Optuna: install it, or name it by PYTHON"
	"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Optuna's packages need Python 3.11 or newer; $("$python" --version) is too old (PYTHON names another)"
	"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv is missing (Debian, Ubuntu: apt-get install python3-venv)"
	echo "bench-search: installing Optuna into $venv" >&2
	rm -rf "$venv"
	"$python" -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$lock" ||
		fail "pip could not install $lock; the messages above say why"
	cp "$lock" "$venv/requirements.txt"
fi
mkdir -p bin
CGO_ENABLED=0 go build -o bin/bench-search ./tests/bench/optuna
exec bin/bench-search -python "$venv/bin/python" -part "${1:-all}"
