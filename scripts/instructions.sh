#!/usr/bin/env bash
# Instructions of one read of a held secret, counted by callgrind: what 10,000 more reads cost, divided. It is the same
# number on every run. Fails if a read costs more than it is allowed to, which is a tenth more than it did when the
# limit was set. Needs valgrind (Debian: apt-get install valgrind), which hides the kernel's vDSO from programs: the
# time is then asked for by a system call, of which only what is outside of the kernel is counted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v valgrind >/dev/null || { echo "valgrind is missing; run: apt-get install valgrind" >&2; exit 1; }

binary=$(cargo build --quiet "$@" --profile instructions --package client-reads --message-format json |
    sed -n 's/.*"executable":"\([^"]*client-reads\)".*/\1/p' | tail -1)
[[ -x $binary ]] || { echo "client-reads was not built" >&2; exit 1; }

instructions() {
    local log
    log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" "$1" "$2" 2>&1) ||
        { echo "$log" >&2; return 1; }
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log"
}

status=0
while read -r kind most; do
    few=$(instructions "$kind" 1000)
    many=$(instructions "$kind" 11000)
    each=$(((many - few) / 10000))
    echo "$kind: $each instructions a read, at most $most"
    ((each > 0 && each <= most)) || status=1
done <<<"handle 156
get_secret 593"
exit $status
