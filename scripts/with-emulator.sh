#!/usr/bin/env bash
# Runs a command with an AWS emulator of its own, which ends with it: on port 4578, or the
# one that SUPERMAX_LOCALSTACK_PORT says. With AWS_ENDPOINT_URL set, or with
# SUPERMAX_TEST_AWS=real, the command gets what the environment names instead.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -n ${AWS_ENDPOINT_URL:-} || ${SUPERMAX_TEST_AWS:-} == real ]]; then exec "$@"; fi
export SUPERMAX_LOCALSTACK_PORT=${SUPERMAX_LOCALSTACK_PORT:-4578}
bash localstack/up.sh >&2
trap 'bash localstack/down.sh >&2' EXIT
export AWS_ENDPOINT_URL=http://127.0.0.1:$SUPERMAX_LOCALSTACK_PORT
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
unset AWS_PROFILE AWS_SESSION_TOKEN
"$@"
