#!/usr/bin/env bash
# Stops the emulator that up.sh started, and waits until it, its functions and its jobs are gone.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
port="${SUPERMAX_LOCALSTACK_PORT:-4566}"
folder="${SUPERMAX_LOCALSTACK_FOLDER:-$root/.deps/localstack/$port}"
pidfile="$folder/pid"

pid="$(cat "$pidfile" 2>/dev/null || true)"
running() { [[ -n "$pid" ]] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -- '-m launcher '; }

# A launcher that was killed could not end its jobs; a start time tells them from later processes.
end_jobs() {
	local file pid birth
	for file in "$folder"/jobs/*/pid; do
		[[ -f "$file" ]] || continue
		read -r pid birth <"$file"
		[[ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)" == "$birth" ]] && kill -KILL -- "-$pid" 2>/dev/null
	done
	rm -rf "$pidfile" "$folder/jobs" "$folder/volumes"
}

if ! running; then
	end_jobs
	echo "AWS emulator: none runs on port $port"
	exit 0
fi
kill -TERM "$pid"
for _ in $(seq 150); do
	running || break
	sleep 0.1
done
if running; then
	kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid"
	echo "localstack-down: the emulator (pid $pid) did not end within 15 seconds and was killed" >&2
fi
end_jobs
echo "AWS emulator: stopped (pid $pid); its log is $folder/launcher.log"
