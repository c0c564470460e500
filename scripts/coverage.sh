#!/usr/bin/env bash
# Prints the statement coverage of shared, lambdas and batchjob, package by package and
# together, and fails below 90 %. Commands' mains are left out: the end-to-end tests run
# them as processes of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
pkgs=$(go list ./shared/... ./lambdas/... ./batchjob/... | grep -v '/cmd/')
go test -timeout 20m -coverprofile=coverage.out -coverpkg="$(echo $pkgs | tr ' ' ,)" $pkgs ./tests/... ./cmd/... >"$log" || { cat "$log"; exit 1; }
awk 'NR > 1 { split($1, a, ":"); n = split(a[1], p, "/"); pkg = p[4]; for (i = 5; i < n; i++) pkg = pkg "/" p[i];
    key = $1; if (!(key in s)) { s[key] = $2; k[key] = pkg } if ($3 > 0) hit[key] = 1 }
  END { for (x in s) { t[k[x]] += s[x]; T += s[x]; if (x in hit) { h[k[x]] += s[x]; H += s[x] } }
    for (x in t) printf "%-28s %5.1f %%\n", x, 100 * h[x] / t[x] | "sort"; close("sort");
    printf "%-28s %5.1f %%\n", "together", 100 * H / T; if (100 * H / T < 90) exit 1 }' coverage.out
