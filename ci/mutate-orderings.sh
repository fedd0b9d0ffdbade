#!/usr/bin/env bash
# Weakens one memory ordering at a time, in a copy of the tree, and runs the model that must then fail.
#
#   ci/mutate-orderings.sh              all rows of ci/orderings.txt
#   ci/mutate-orderings.sh NAME…        only these
#
# A row that still passes is an ordering without a proof: the model has a hole, or the ordering is stronger than it need be.
# The exit code is 1 then. Takes about half a minute a row, most of it the compiler's. Builds go to
# $CARGO_TARGET_DIR/orderings, or to target/orderings.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/orderings
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# The lane in which commands are run, if there is one.
runner=${RUNNER:-}

(cd "$root" && tar -cf - --exclude=./target --exclude=./.git .) | tar -xf - -C "$copy"
cd "$copy"

# The number of the first line, from line $2 of file $1 on, that contains the text $3.
line_of() {
    local lines
    lines=$(tail -n "+$2" "$1" | grep -nF -- "$3") || return 1
    echo "${lines%%:*}"
}

# Replaces text $4 by $5 in the first line below the anchor $2 of file $1 that contains it.
weaken() {
    local file=$1 anchor=$2 from=$3 to=$4 start offset line text
    start=$(line_of "$file" 1 "$anchor") || { echo "no '$anchor' in $file" >&2; return 2; }
    offset=$(line_of "$file" "$start" "$from") || { echo "no '$from' below '$anchor' in $file" >&2; return 2; }
    line=$((start + offset - 1))
    text=$(sed -n "${line}p" "$file")
    { head -n "$((line - 1))" "$file"; printf '%s\n' "${text/"$from"/"$to"}"; tail -n "+$((line + 1))" "$file"; } >"$file.new"
    mv "$file.new" "$file"
}

models() {
    CARGO_TARGET_DIR=$target CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        RUSTFLAGS="${RUSTFLAGS:-} --cfg gristmill_loom" \
        $runner timeout 300 cargo test --quiet --locked --release -p "$1" --lib "$2"
}

survivors=0
while IFS=$'\t' read -r name package filter file anchor from to; do
    case $name in '' | '#'*) continue ;; esac
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
    cp "$file" "$copy/original"
    weaken "$file" "$anchor" "$from" "$to"
    if models "$package" "$filter" >"$copy/log" 2>&1; then
        printf '%-24s PASSES\n' "$name"
        survivors=$((survivors + 1))
    elif grep -Eq 'could not compile|no such command|error: no matching' "$copy/log"; then
        printf '%-24s did not run\n' "$name"
        tail -n 20 "$copy/log"
        exit 2
    else
        # A checker that panics while it drops what a panic left behind aborts, and lists nothing.
        failed=$(sed -n "s/^thread '\([a-z_:0-9]*\)'.* panicked at.*/\1/p" "$copy/log" | sort -u | awk '!/canary/ { print; exit }')
        if [ -z "$failed" ] && grep -q '^test result: FAILED' "$copy/log"; then
            # What is broken already proves nothing by breaking in another way.
            printf '%-24s fails a canary alone\n' "$name"
            survivors=$((survivors + 1))
        else
            printf '%-24s caught by %s\n' "$name" "${failed:-a run without an end}"
        fi
    fi
    mv "$copy/original" "$file"
    touch "$file"
done <"$root/ci/orderings.txt"

if [ "$survivors" -gt 0 ]; then
    echo "$survivors weakened orderings were not noticed" >&2
    exit 1
fi
