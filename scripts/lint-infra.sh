#!/usr/bin/env bash
# Lints the templates of a deployment with everything that one can choose, in the version
# of cfn-lint that infra/requirements.lock pins. Needs the functions built, or builds them.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.deps/cfn-lint
if ! cmp -s infra/requirements.lock $venv/.installed; then
  rm -rf $venv
  python3 -m venv $venv
  $venv/bin/pip install -q --disable-pip-version-check --only-binary=:all: -r infra/requirements.lock
  cp infra/requirements.lock $venv/.installed
fi
out=build/lint
rm -rf $out
for choice in '{}' '{"network":"private","name":"Closed","retain":"false","image":"local/trainer:latest","budget":"100","email":"a@example.org"}'; do
  # What cdk gives the app: the context of cdk.json, and that of -c.
  context=$(python3 -c 'import json, sys; print(json.dumps(json.load(open("cdk.json"))["context"] | json.loads(sys.argv[1])))' "$choice")
  CDK_OUTDIR=$out CDK_CONTEXT_JSON=$context CGO_ENABLED=0 go run ./infra
done
# W3005: CDK writes dependencies that a reference implies already.
$venv/bin/cfn-lint --ignore-checks W3005 -- $out/*.template.json
echo "cfn-lint: $(ls $out/*.template.json | wc -l) templates, no finding"
