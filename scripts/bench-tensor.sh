#!/usr/bin/env bash
# Prints what one small tensor operation costs through batchjob/tensor and through
# gotch/ts, in turn, as medians of seven runs each. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(mktemp)
trap 'rm -f "$bin"' EXIT
go test -c -o "$bin" ./batchjob/tensor
for _ in 1 2 3 4 5 6 7; do
  (cd batchjob/tensor && "$bin" -test.run '^$' -test.bench '^Benchmark(AddScope|AddTS)$' -test.benchtime 0.5s)
done | awk '
  function median(list,  v, n, i, j, t) {
    n = split(list, v, " ")
    for (i = 2; i <= n; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] + 0 > t + 0; j--) v[j + 1] = v[j]; v[j + 1] = t }
    return v[int((n + 1) / 2)]
  }
  /^BenchmarkAddScope/ { ours = ours " " $3 }
  /^BenchmarkAddTS/    { peer = peer " " $3 }
  END {
    if (ours == "" || peer == "") { print "bench-tensor: no figures" > "/dev/stderr"; exit 1 }
    o = median(ours); p = median(peer)
    printf "bench backbone-operation ours=%.1fus peer=%.1fus ratio=%.1f\n", o / 1000, p / 1000, p / o
  }'
