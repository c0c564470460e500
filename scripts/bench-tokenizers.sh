#!/usr/bin/env bash
# bench-tokenizers.sh [FAMILIES]: measures our tokenizers and the Rust library beneath Hugging
# Face's fast ones (tests/bench/tokenizers) in one run. FAMILIES are folders of
# tests/golden/tokenizers with commas between, default all. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=tests/bench/tokenizers/requirements.txt
venv=.deps/tokenizers
fail() { echo "bench-tokenizers: $*" >&2; exit 1; }
if ! cmp -s "$lock" "$venv/requirements.txt"; then
	python="${PYTHON:-python3}"
	command -v "$python" >/dev/null || fail "Python 3.9 or newer is needed for tokenizers: install it, or name it by PYTHON"
	"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv is missing (Debian, Ubuntu: apt-get install python3-venv)"
	echo "bench-tokenizers: installing tokenizers into $venv" >&2
	rm -rf "$venv"
	"$python" -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$lock" ||
		fail "pip could not install $lock; the messages above say why"
	cp "$lock" "$venv/requirements.txt"
fi
mkdir -p bin
CGO_ENABLED=0 go build -o bin/bench-tokenizers ./tests/bench/tokenizers
exec bin/bench-tokenizers -python "$venv/bin/python" -families "${1:-}"
