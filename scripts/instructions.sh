#!/usr/bin/env bash
# Instructions of one read of a held secret, counted by callgrind: what 100,000 more reads cost, divided.
# Fails if a read costs more than it is allowed to. Needs valgrind (Debian: apt-get install valgrind), which
# hides the kernel's vDSO from programs: the time is then asked for by a system call, whose instructions in the
# kernel are not counted, and which costs about as many in the process as the vDSO.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v valgrind >/dev/null || { echo "valgrind is missing; run: apt-get install valgrind" >&2; exit 1; }

# Without the optimisation over all crates it is built in seconds, and rather counts more.
export CARGO_PROFILE_BENCH_LTO=off CARGO_PROFILE_BENCH_CODEGEN_UNITS=16
binary=$(cargo bench --quiet -p secrets-core --features testing --bench client_reads --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*client_reads[^"]*\)".*/\1/p' | tail -1)

instructions() {
    local log
    log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" "$1" "$2" 2>&1) ||
        { echo "$log" >&2; return 1; }
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log"
}

status=0
while read -r kind most; do
    few=$(instructions "$kind" 1000)
    many=$(instructions "$kind" 101000)
    each=$(((many - few) / 100000))
    echo "$kind: $each instructions a read, at most $most"
    ((each > 0 && each <= most)) || status=1
done <<<"handle 150
get_secret 500"
exit $status
