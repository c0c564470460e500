#!/usr/bin/env bash
# Runs the CDK command line in the version that the infrastructure was tested with, from
# .deps/cdk, where the first call installs it, in the present folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
version=2.1148.1
cdk=$root/.deps/cdk/node_modules/.bin/cdk
if [[ ! -x $cdk ]]; then
	command -v npm >/dev/null || { echo "scripts/cdk.sh: npm is missing; install Node.js 20 or later" >&2; exit 1; }
	echo "scripts/cdk.sh: fetching aws-cdk $version" >&2
	mkdir -p "$root/.deps/cdk"
	npm install --silent --no-fund --no-audit --no-update-notifier --prefix "$root/.deps/cdk" "aws-cdk@$version" >&2
fi
exec "$cdk" "$@"
