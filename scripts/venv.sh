#!/usr/bin/env bash
# venv.sh LOCK FOLDER: makes a virtual environment there with what LOCK names, or finds it made
# from just that file. Prints its Python.
set -euo pipefail
lock="$1"
venv="$2"
fail() { echo "venv: $*" >&2; exit 1; }
if ! cmp -s "$lock" "$venv/requirements.txt"; then
	python="${PYTHON:-python3}"
	command -v "$python" >/dev/null || fail "Python 3.11 or newer is needed for $lock: install it, or name it by PYTHON"
	"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$lock needs Python 3.11 or newer; $("$python" --version) is too old (PYTHON names another)"
	"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv is missing (Debian, Ubuntu: apt-get install python3-venv)"
	echo "venv: installing $lock into $venv" >&2
	rm -rf "$venv"
	"$python" -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$lock" >&2 ||
		fail "pip could not install $lock; the messages above say why"
	cp "$lock" "$venv/requirements.txt"
fi
echo "$venv/bin/python"
