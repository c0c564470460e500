#!/usr/bin/env bash
# Deploys the suite to the AWS emulator as a user would, runs what its arguments name
# there, and destroys it again: e2e (the README's execution, the saved queries, hostile
# input), chaos (disasters), bench (what a call costs). Exits non-zero when something
# failed or something is left.
#
#   scripts/e2e.sh e2e|chaos|bench …
#
# With SUPERMAX_TEST_AWS=real it uses the account and region of the AWS environment.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ $# -gt 0 ]] || { echo "usage: scripts/e2e.sh e2e|chaos|bench …" >&2; exit 2; }

real=${SUPERMAX_TEST_AWS:-}
export SUPERMAX_STACK=SupermaxE2E
say() { echo "e2e: $* ($((SECONDS / 60))m$((SECONDS % 60))s)" >&2; }

if [[ $real != real ]]; then
	export SUPERMAX_LOCALSTACK_PORT=${SUPERMAX_LOCALSTACK_PORT:-4577} # not the one that somebody works with
	bash localstack/up.sh
	trap 'bash localstack/down.sh' EXIT
	export AWS_ENDPOINT_URL=http://127.0.0.1:$SUPERMAX_LOCALSTACK_PORT
	export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
	unset AWS_PROFILE AWS_SESSION_TOKEN
fi

context=(-c "name=$SUPERMAX_STACK" -c retain=false)
if [[ $real != real ]]; then context+=(-c image=local/trainer:latest); fi
if [[ $real != real ]]; then
	say "bootstrap" # an account of one's own is bootstrapped already
	(cd "$(mktemp -d)" && bash "$OLDPWD/scripts/cdk.sh" bootstrap "aws://000000000000/us-east-1") >&2
fi
say "deploy"
bash scripts/cdk.sh deploy "${context[@]}" >&2

status=0
for part in "$@"; do
	say "$part"
	case $part in
	e2e) go test -count=1 -timeout 40m -v -run '^(TestQuickstart|TestBadInput)$' ./tests/aws || status=1 ;;
	chaos) SUPERMAX_CHAOS=1 go test -count=1 -timeout 60m -v -run '^TestChaos$' ./tests/aws || status=1 ;;
	bench) SUPERMAX_BENCH=1 go test -count=1 -timeout 30m -v -run '^TestBench' ./tests/aws || status=1 ;;
	*) echo "e2e: there is no part $part" >&2; status=2 ;;
	esac
done

say "purge and destroy"
bin/supermax purge --aws --stack "$SUPERMAX_STACK" --yes >&2 || status=1
bash scripts/cdk.sh destroy --force --app build/cdk.out >&2 || status=1 # what was deployed, not built anew
if [[ $real != real ]]; then
	SUPERMAX_DESTROYED=1 go test -count=1 -v -run '^TestNothingIsLeft$' ./tests/aws || status=1
fi
say "done, status $status"
exit $status
