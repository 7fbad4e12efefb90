#!/usr/bin/env bash
# Mutation testing of the state machine: changes one operator, return value or branch at a time, and sees
# that a test fails. Takes some ten minutes; its result is in docs/kit.md.
#
#   scripts/mutants.sh [more arguments of cargo mutants]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^# cargo-mutants //p' .cargo/mutants.toml)
if ! .tools/cargo-mutants/bin/cargo-mutants mutants --version 2>/dev/null | grep -qF "$version"; then
    cargo install --locked --quiet --root .tools/cargo-mutants --version "$version" cargo-mutants
fi
PATH="$PWD/.tools/cargo-mutants/bin:$PATH" exec cargo mutants --package secrets-core --output target "$@"
