#!/usr/bin/env bash
# Audits a project's own kernels and fails where one got worse: the changed ones over every input,
# the rest quickly. Copy it beside your kernels and set the five lines below.
set -euo pipefail

ulpaudit=${ULPAUDIT:-ulpaudit}   # the program, e.g. …/ulpaudit/build/release/bin/ulpaudit
plugin=${PLUGIN:-my_kernel.so}   # your kernels, built as your project builds them
contract=${CONTRACT:-}           # what they promise (impls/template/contract.toml), where it is not built into the plug-in
changed=${CHANGED:-}             # globs of the kernels that this change touches: 'my_kernel/sigmoid'
baseline=${BASELINE:-baseline/}  # committed; one file for each class of machine

report=$(mktemp -d)
trap 'rm -rf "$report"' EXIT

# gate NAME ARGS…: audits into a report of its own and judges it. An audit that finds something ends
# with 1: the gate then says what, beside all else that changed.
status=0
gate() {
  local name=$1 format=console
  shift
  "$ulpaudit" audit --plugin "$plugin" ${contract:+--contract "$contract"} "$@" --quiet -o "$report/$name" >/dev/null || (($? == 1)) || exit $?
  [[ -z ${GITHUB_ACTIONS-} ]] || format=github
  "$ulpaudit" gate "$report/$name/report.json" --baseline "${baseline%/}/$name/" --allow-missing \
    --format "$format" || status=$?
  if [[ -n ${GITHUB_STEP_SUMMARY-} ]]; then
    "$ulpaudit" gate "$report/$name/report.json" --baseline "${baseline%/}/$name/" --allow-missing \
      --format md >>"$GITHUB_STEP_SUMMARY" || true
  fi
  # UPDATE='why' accepts what changed.
  if [[ -n ${UPDATE-} ]]; then
    "$ulpaudit" gate "$report/$name/report.json" --baseline "${baseline%/}/$name/" --update \
      --reason "$UPDATE" >/dev/null
    status=0
  fi
}

name=$(basename "$plugin" .so)
gate quick --impl "$name/*" --profile quick
for glob in $changed; do
  gate exhaustive --impl "$glob" --dtype f16 --dtype bf16 --dtype f32 --exhaustive
done
exit "$status"
