#!/usr/bin/env bash
# Builds the trainer's image and pushes it to the repository that the deployed stack waits
# for: where it was deployed without Docker at hand. Jobs that start afterwards use it.
#
#   scripts/image.sh [STACK]    Supermax by default; region and credentials as for aws
set -euo pipefail
cd "$(dirname "$0")/.."
stack=${1:-Supermax}

fail() { echo "scripts/image.sh: $*" >&2; exit 1; }
for tool in aws docker; do command -v $tool >/dev/null || fail "$tool is missing; it is needed to push an image"; done
docker version --format '{{.Server.Version}}' >/dev/null || fail "no Docker engine answers"

uri=$(aws cloudformation describe-stacks --stack-name "$stack" --output text \
  --query "Stacks[0].Outputs[?OutputKey=='ImageUri'].OutputValue") || fail "there is no stack $stack here; deploy it first"
[[ $uri =~ ^([0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?)/[^:@]+:latest$ ]] ||
  fail "the stack $stack takes its image from $uri, not from a repository of its own: there is nothing to push"
registry=${BASH_REMATCH[1]} region=${BASH_REMATCH[2]}

docker build -f batchjob/Dockerfile --platform linux/amd64 -t "$uri" .
aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "$registry"
docker push "$uri"
