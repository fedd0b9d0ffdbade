#!/usr/bin/env bash
# Instructions per operation, against the committed baseline: a regression shows however noisy the machine is.
#
#   ci/bench-guard.sh                counts, compares; fails if any operation needs over 5 % more than ci/bench-baseline.txt says
#   ci/bench-guard.sh --update       counts, and rewrites ci/bench-baseline.txt; commit it together with its cause
#   ci/bench-guard.sh [--update] --verbose    and prints what callgrind saw
#
# Each operation (`counts list`, sources in benches/micro/src) runs N and 2N times under callgrind. The difference of
# the two, over N, is what one operation takes: start and end of the process are in both. Only the worker's thread counts.
# Counts repeat to well below 1 %, on a busy machine too; what is in a count is said beside each operation in its source.
#
# Says so and succeeds where there is nothing to count with or to compare with: no valgrind, or another architecture than
# the baseline's. Counts of another compiler are compared all the same, with a note: if nothing else changed, --update.
#
# The build is the release profile with `--cfg gristmill_portable`, since callgrind before 3.20 does not know the system call
# that the Linux path waits with. No operation here waits. It goes to a folder of its own below $CARGO_TARGET_DIR or ./target.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly BASELINE=ci/bench-baseline.txt
readonly TIMES=10000
# How much a count may grow, in percent.
readonly GROWTH=5
# Longer than any run takes, in seconds.
readonly PATIENCE=300

update=no verbose=no
for word in "$@"; do
    case $word in
    --update) update=yes ;;
    --verbose) verbose=yes ;;
    *)
        sed -n '2,6s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
    esac
done

fail() {
    echo "bench-guard: $*" >&2
    exit 1
}

skip() {
    echo "bench-guard: skipped, nothing was counted: $*"
    exit 0
}

# The value of a key in the baseline.
baseline() {
    awk -v key="$1" '$1 == key { sub(/^[^ ]+ +/, ""); print }' "$BASELINE"
}

compiler=$(rustc --version)
architecture=$(rustc --version --verbose | sed -n 's/^host: //p')

command -v valgrind >/dev/null || skip "valgrind is not installed"
if [ "$update" = no ]; then
    [ -f "$BASELINE" ] || fail "$BASELINE is missing; --update writes it"
    [ "$(baseline architecture)" = "$architecture" ] ||
        skip "the baseline is for $(baseline architecture), this is $architecture"
    [ "$(baseline compiler)" = "$compiler" ] ||
        echo "note: the baseline is from $(baseline compiler), this is $compiler: differences may be the compiler's"
fi

target=${CARGO_TARGET_DIR:-target}/counts
CARGO_TARGET_DIR=$target RUSTFLAGS="${RUSTFLAGS:-} --cfg gristmill_portable" \
    cargo build --release --locked -p micro-benches --bin counts
program=$target/release/counts

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

# Instructions of the busiest thread while the operation runs so many times.
instructions() {
    local operation=$1 times=$2 out=$room/$1.$2
    timeout "$PATIENCE" valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file="$out" \
        "$program" "$operation" "$times" >"$room/log" 2>&1 || {
        cat "$room/log" >&2
        fail "callgrind did not get through: $operation $times"
    }
    [ "$verbose" = no ] || cat "$room/log" >&2
    # A file for each thread, with its sum in the line `totals:` or `summary:`.
    awk '/^(totals|summary):/ && $2 > most { most = $2 } END { print most + 0 }' "$out"-*
}

: >"$room/counts"
for operation in $("$program" list); do
    once=$(instructions "$operation" "$TIMES")
    twice=$(instructions "$operation" $((2 * TIMES)))
    [ "$twice" -gt "$once" ] || fail "$operation: $twice instructions for twice as many as took $once"
    echo "$operation $(((twice - once + TIMES / 2) / TIMES))" >>"$room/counts"
done
[ -s "$room/counts" ] || fail "there is no operation to count"

if [ "$update" = yes ]; then
    {
        echo "# Instructions per operation; written by ci/bench-guard.sh --update."
        echo "architecture $architecture"
        echo "compiler $compiler"
        cat "$room/counts"
    } >"$BASELINE"
    cat "$BASELINE"
    exit 0
fi

awk -v growth="$GROWTH" '
    FILENAME == ARGV[1] {
        if ($1 !~ /^(#|architecture$|compiler$)/ && NF == 2) before[$1] = $2
        next
    }
    {
        counted[$1] = 1
        if (!($1 in before)) {
            verdict = "not in the baseline: run --update"
            failed = 1
            printf "%-14s %8s %8d %8s  %s\n", $1, "-", $2, "", verdict
            next
        }
        change = 100 * ($2 - before[$1]) / before[$1]
        verdict = "ok"
        if (change > growth) { verdict = "GREW by more than " growth " %"; failed = 1 }
        else if (change < -growth) verdict = "shrank: run --update, so that it stays so"
        printf "%-14s %8d %8d %+7.1f%%  %s\n", $1, before[$1], $2, change, verdict
    }
    BEGIN { printf "%-14s %8s %8s %8s\n", "instructions", "baseline", "now", "change" }
    END {
        for (operation in before) if (!(operation in counted)) {
            printf "%-14s %8d %8s %8s  %s\n", operation, before[operation], "-", "", "no longer counted: run --update"
            failed = 1
        }
        exit failed
    }' "$BASELINE" "$room/counts" || fail "an operation costs more than it did, or the list has changed; see above"
