#!/usr/bin/env bash
# Starts the AWS emulator in the background, or finds it running, and prints how to reach it.
# SUPERMAX_LOCALSTACK_PORT (4566) says where; localstack/launcher/settings.py has the rest.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export SUPERMAX_LOCALSTACK_PORT="${SUPERMAX_LOCALSTACK_PORT:-4566}"
venv="$root/.deps/localstack/venv"
export SUPERMAX_LOCALSTACK_FOLDER="${SUPERMAX_LOCALSTACK_FOLDER:-$root/.deps/localstack/$SUPERMAX_LOCALSTACK_PORT}"
export BATCH_LOCAL_PATH="${BATCH_LOCAL_PATH:-$root/bin}"
folder="$SUPERMAX_LOCALSTACK_FOLDER"
pidfile="$folder/pid" log="$folder/launcher.log"
url="http://127.0.0.1:$SUPERMAX_LOCALSTACK_PORT"

fail() { echo "localstack-up: $*" >&2; exit 1; }

# ours PID: whether a process is a launcher, and not one that has got an old one's number.
ours() { [[ -n "$1" ]] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q -- '-m launcher '; }

# Two of these at once would both install and both start; the second waits for the first.
mkdir -p "$root/.deps/localstack" "$folder"
exec 9>"$root/.deps/localstack/lock"
flock 9

bash "$root/localstack/venv.sh" "$venv"

pid="$(cat "$pidfile" 2>/dev/null || true)"
if ! ours "$pid"; then
	if (exec 3<>"/dev/tcp/127.0.0.1/$SUPERMAX_LOCALSTACK_PORT") 2>/dev/null; then
		fail "port $SUPERMAX_LOCALSTACK_PORT is taken by another program; stop it, or set SUPERMAX_LOCALSTACK_PORT to a free one"
	fi
	[[ -f "$log" ]] && mv "$log" "$log.last"
	PYTHONPATH="$root/localstack" PYTHONDONTWRITEBYTECODE=1 \
		setsid nohup "$venv/bin/python" -m launcher >"$log" 2>&1 </dev/null 9>&- &
	pid=$!
	echo "$pid" >"$pidfile"
fi

for _ in $(seq 300); do
	# The health of the process we started: a port that something else answers on is no sign of it.
	if curl -fsS -o /dev/null --max-time 2 "$url/_supermax/processes" 2>/dev/null; then
		echo "AWS emulator: $url (pid $pid, log $log)"
		echo "  export AWS_ENDPOINT_URL=$url AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=${AWS_REGION:-us-east-1}"
		exit 0
	fi
	ours "$pid" || { tail -n 5 "$log" >&2; rm -f "$pidfile"; fail "the emulator ended while it started; its log is $log"; }
	sleep 0.2
done
fail "the emulator (pid $pid) does not answer on $url after 60 seconds; its log is $log"
