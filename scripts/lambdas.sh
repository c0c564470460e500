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

programs=build/programs/$arch # go leaves one that is up to date as it is
mkdir -p "$programs"
env CGO_ENABLED=0 GOOS=linux GOARCH="$arch" GOARM64=v8.0 GOAMD64=v1 GOFLAGS=-buildvcs=false \
  go build -tags lambda.norpc,grpcnotrace -trimpath -ldflags '-s -w' -o "$programs/" "${functions[@]/#/./lambdas/}"
for f in "${functions[@]}"; do
  mkdir -p "$to/$f"
  cmp -s "$programs/$f" "$to/$f/bootstrap" || cp "$programs/$f" "$to/$f/bootstrap"
done

# The quickstart with its sample corpus and its two backbones, made as `make models` makes
# them. Init leaves a backbone that is there as it is.
made=build/models
backbone() { # HIDDEN INTERMEDIATE
  CGO_ENABLED=0 go run ./cmd/supermax models init "$made/tiny-$1" --like bert --layers 2 --hidden "$1" --heads 4 \
    --intermediate "$2" --corpus data/sample/groundtruth >&2
}
backbone 48 96
backbone 64 128
bundle=$to/create/bundle
rm -rf "$bundle"
mkdir -p "$bundle/configs/study" "$bundle/data/sample" "$bundle/models"
cp configs/study/quickstart.yaml "$bundle/configs/study/"
cp -r data/sample/groundtruth "$bundle/data/sample/"
cp -r $made/tiny-48 $made/tiny-64 "$bundle/models/"
rm "$bundle"/models/*/supermax.json # how Init knows its own; no part of a backbone

measured() { # FUNCTION: the size of its zip, as far as it is known
  [ "$to/$1.size" -nt "$to/$1/bootstrap" ] && [ ! -d "$to/$1/bundle" ] && cat "$to/$1.size"
}
for f in "${functions[@]}"; do
  size=$(measured "$f") || {
    size=$(tar -C "$to/$f" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c . | gzip -6 | wc -c) # zip deflates as gzip does
    echo "$size" >"$to/$f.size"
  }
  printf '%-14s %5.1f MB zipped\n' "$f" "$(awk "BEGIN {print $size / 1048576}")"
  [ "$size" -le "$limit" ] || fail "$f has $size bytes zipped; allowed: $limit"
done
