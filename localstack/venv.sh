#!/usr/bin/env bash
# venv.sh FOLDER: makes the emulator's virtual environment there from requirements.lock,
# or finds it made from just that lock.
set -euo pipefail
venv="$1"
lock="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/requirements.lock"
if cmp -s "$lock" "$venv/requirements.lock"; then
	exit 0
fi
fail() { echo "localstack: $*" >&2; exit 1; }
python="${PYTHON:-python3}"
command -v curl >/dev/null || fail "curl is not installed, and the emulator is asked with it whether it is ready"
command -v "$python" >/dev/null || fail "Python 3.10 or newer is needed for the emulator: install it, or name it by PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "the emulator needs Python 3.10 or newer; $("$python" --version) is too old (PYTHON names another)"
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv is missing (Debian, Ubuntu: apt-get install python3-venv)"
echo "localstack: installing the emulator into $venv (157 MB)" >&2
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$lock" ||
	fail "pip could not install $lock; the messages above say why"
cp "$lock" "$venv/requirements.lock"
