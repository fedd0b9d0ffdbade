#!/usr/bin/env bash
# Runs tests under a sanitizer of a nightly toolchain; says so and ends well where there is none.
#
#   ci/sanitize.sh thread     ThreadSanitizer on the stress tests: data races
#   ci/sanitize.sh address    AddressSanitizer on the task cell's tests and the stress tests: use after free, leaks
#   ci/sanitize.sh miri       Miri on the task cell's tests: pointers
#
# The first two build the standard library anew (a few minutes the first time); `rust-src` must be installed for that.
# Builds go to $CARGO_TARGET_DIR/sanitize-…, or below target.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=${1:-}
target=${CARGO_TARGET_DIR:-$PWD/target}
# The lane in which commands are run, if there is one.
runner=${RUNNER:-}

skip() {
    echo "sanitize $kind: skipped, $1"
    exit 0
}

has() {
    rustup component list --toolchain nightly 2>/dev/null | grep -q "^$1.*(installed)"
}

command -v rustup >/dev/null || skip "there is no rustup"
rustup toolchain list | grep -q '^nightly' || skip "there is no nightly toolchain: rustup toolchain install nightly"
host=$(rustc +nightly -vV | sed -n 's/^host: //p')

# Builds everything, the standard library included, with the sanitizer in it.
sanitized() {
    has rust-src || skip "nightly has no rust-src: rustup component add rust-src --toolchain nightly"
    CARGO_TARGET_DIR=$target/sanitize-$kind RUSTFLAGS="-Zsanitizer=$kind ${RUSTFLAGS:-}" CARGO_INCREMENTAL=0 \
        $runner cargo +nightly test --locked -Zbuild-std --target "$host" "$@"
}

case $kind in
thread)
    # Ten times as slow, the tests would share the processors beyond the patience that tells a slow one from one that hangs.
    export RUST_TEST_THREADS=1
    export TSAN_OPTIONS="suppressions=$PWD/ci/tsan.supp halt_on_error=0 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
    sanitized -p runtime-core --lib task::
    sanitized -p runtime-blocking --test conservation
    sanitized -p gristmill --test stress_tasks --test wakers --test steering
    sanitized -p gristmill --test task_group_stress --test tcp_hammer --test cancel_stress
    sanitized -p gristmill --test exact_reads --test stalls --test stalls_io --test paused_time
    ;;
address)
    export ASAN_OPTIONS="detect_leaks=1 ${ASAN_OPTIONS:-}"
    export LSAN_OPTIONS="suppressions=$PWD/ci/lsan.supp ${LSAN_OPTIONS:-}"
    sanitized -p runtime-core --lib task::
    sanitized -p gristmill --test stress_tasks --test wakers
    ;;
miri)
    has miri || skip "nightly has no miri: rustup component add miri --toolchain nightly"
    CARGO_TARGET_DIR=$target/sanitize-miri $runner cargo +nightly miri test --locked -p runtime-core --lib task::
    ;;
*)
    sed -n 's/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed -n '2,7p'
    exit 2
    ;;
esac
