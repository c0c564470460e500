#!/usr/bin/env bash
# Builds the Lambda functions into build/lambda/<arch>/<name>/, each folder as it is zipped:
# the program, named bootstrap, and for create the studies that come with it. The same source
# gives the same bytes. arch is SUPERMAX_LAMBDA_ARCH (arm64 or amd64); where that is not set,
# arm64, or this machine's where an AWS_ENDPOINT_URL stands for AWS, as functions run here then.
set -euo pipefail
cd "$(dirname "$0")/.."

limit=$((12 * 1024 * 1024)) # bytes of a zip: what Lambda fetches at a cold start
functions=(create plan ask tell heartbeat check aggregate promote finish stop on-job-event)

fail() { echo "scripts/lambdas.sh: $*" >&2; exit 1; }

arch=${SUPERMAX_LAMBDA_ARCH:-}
if [ -z "$arch" ]; then
  arch=arm64
  [ -z "${AWS_ENDPOINT_URL:-}" ] || arch=$(go env GOHOSTARCH)
fi
case $arch in arm64 | amd64) ;; *) fail "SUPERMAX_LAMBDA_ARCH is $arch; allowed: arm64, amd64" ;; esac
to=build/lambda/$arch
mkdir -p "$to"

export CGO_ENABLED=0 GOOS=linux GOARCH=$arch GOARM64=v8.0 GOAMD64=v1 GOFLAGS=-buildvcs=false
for f in "${functions[@]}"; do
  go build -tags lambda.norpc,grpcnotrace -trimpath -ldflags '-s -w -buildid=' -o "$to/$f/bootstrap" "./lambdas/$f"
done

# The quickstart with its sample corpus and its two backbones, made as `make models` makes
# them. Init leaves a backbone that is there as it is.
host() { env -u GOOS -u GOARCH go run ./cmd/supermax "$@" >&2; }
made=build/models
host models init $made/tiny-48 --like bert --layers 2 --hidden 48 --heads 4 --intermediate 96 --corpus data/sample/groundtruth
host models init $made/tiny-64 --like bert --layers 2 --hidden 64 --heads 4 --intermediate 128 --corpus data/sample/groundtruth
bundle=$to/create/bundle
rm -rf "$bundle"
mkdir -p "$bundle/configs/study" "$bundle/data/sample" "$bundle/models"
cp configs/study/quickstart.yaml "$bundle/configs/study/"
cp -r data/sample/groundtruth "$bundle/data/sample/"
cp -r $made/tiny-48 $made/tiny-64 "$bundle/models/"
rm "$bundle"/models/*/supermax.json # how Init knows its own; no part of a backbone

for f in "${functions[@]}"; do
  size=$(tar -C "$to/$f" -c . | gzip -6 | wc -c) # zip deflates as gzip does
  printf '%-14s %5.1f MB zipped\n' "$f" "$(awk "BEGIN {print $size / 1048576}")"
  [ "$size" -le "$limit" ] || fail "$f has $size bytes zipped; allowed: $limit"
done
