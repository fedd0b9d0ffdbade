#!/usr/bin/env bash
# Runs the tests with delays in between: a thread may sleep, or yield, before each lock that it takes and after each that it lets go.
#
#   ci/delays.sh                       all tests
#   ci/delays.sh --test cancel_net     what `cargo test` takes
#   DELAYS=often ci/delays.sh          one lock in 32 instead of one in 260, and up to 1 ms each; by default 0.25 ms, and now and then 33
#   DELAYS=calls ci/delays.sh          after system calls instead: one in 11 of each thread's of a kind returns 2 ms late, and a new
#                                      program starts 10 ms late; needs strace
#
# A test that hangs or fails here has found a race, or relies on a time. With `often`, one that takes millions of locks is merely slow.
# For locks it works on a copy of the tree, with a copy of the crate parking_lot that has the delays in it. Builds go to
# $CARGO_TARGET_DIR/delays, or below target. Under strace a process that stands still has another state: the test of that is left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "$target"
target=$(cd "$target" && pwd)/delays
tree=$target/tree
locks=$target/parking_lot

# Runs the tests below strace, and does not come back.
run_with_late_calls() {
    local host calls runner
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    calls=epoll_pwait,epoll_pwait2,poll,ppoll,recvfrom,sendto,recvmsg,sendmsg,accept4,connect,shutdown,epoll_ctl
    calls=$calls,clone,clone3,vfork,wait4,waitid,pidfd_open,kill
    strace -f --seccomp-bpf -o /dev/null -e trace="$calls,execve" true 2>/dev/null || {
        echo "delays: skipped, there is no strace that can do this"
        exit 0
    }
    runner="strace -f --seccomp-bpf -o /dev/null -e trace=$calls,execve"
    runner="$runner -e inject=$calls:delay_exit=2000:when=3+11 -e inject=execve:delay_enter=10000"
    export "CARGO_TARGET_${host}_RUNNER=$runner"
    [ $# -gt 0 ] || set -- --lib --tests
    case " $* " in
    *" -- "*) ;;
    *) set -- "$@" -- ;;
    esac
    CARGO_TARGET_DIR=$target/calls exec cargo test --workspace --locked --no-fail-fast "$@" \
        --skip a_process_that_is_stopped_and_continued_loses_nothing
}

case ${DELAYS:-seldom} in
calls) run_with_late_calls "$@" ;;
seldom) delays='0 => sleep(x >> 48 \& 0x7fff), 10..=40 => sleep(x >> 48 \& 255), 1..=4 => std::thread::yield_now(),' ;;
often) delays='0..=255 => sleep(x >> 48 \& 1023), 256..=1279 => std::thread::yield_now(),' ;;
*)
    echo "DELAYS is 'seldom', 'often' or 'calls', not '$DELAYS'" >&2
    exit 2
    ;;
esac

manifest=$(cargo metadata --locked --format-version 1 | grep -o '"manifest_path":"[^"]*/parking_lot-[0-9][^"]*"' | head -n 1 | cut -d '"' -f 4)
rm -rf "$tree" "$locks"
mkdir -p "$tree"
cp -r "$(dirname "$manifest")" "$locks"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$tree"

mutex=$locks/src/raw_mutex.rs
sed -i -e 's/^    fn lock(&self) {$/&\n        delay();/' -e 's/^    unsafe fn unlock(&self) {$/&\n        let _after = DelayOnDrop;/' "$mutex"
[ "$(grep -c -e 'delay();' -e '= DelayOnDrop;' "$mutex")" = 2 ] || {
    echo "this version of parking_lot takes its locks elsewhere: look at $mutex" >&2
    exit 1
}
sed "s/DELAYS/$delays/" >>"$mutex" <<'RUST'

struct DelayOnDrop;

impl Drop for DelayOnDrop {
    fn drop(&mut self) {
        delay();
    }
}

std::thread_local! {
    static RANDOM: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

fn delay() {
    let sleep = |micros| std::thread::sleep(Duration::from_micros(micros));
    // A thread that is past its destructors goes on without.
    let _ = RANDOM.try_with(|random| {
        let mut x = random.get();
        if x == 0 {
            use std::hash::{BuildHasher, RandomState};
            x = RandomState::new().hash_one(std::thread::current().id()) | 1;
        }
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        random.set(x);
        match x >> 32 & 8191 {
            DELAYS
            _ => {}
        }
    });
}
RUST
printf '\n[patch.crates-io]\nparking_lot = { path = "%s" }\n' "$locks" >>"$tree/Cargo.toml"

cd "$tree"
CARGO_TARGET_DIR=$target/build CARGO_INCREMENTAL=0 cargo test --workspace --offline --no-fail-fast "$@"
