//! What `sync::CancellationToken` promises: a cancellation reaches everything below it, and nothing above.

mod common;

use common::cut::{ByHand, at_each_poll, now};
use common::{Count, on_each};
use gristmill::sync::CancellationToken;
use gristmill::task::{JoinSet, yield_now};
use std::future::{pending, ready};

#[test]
fn cancelling_reaches_clones_children_and_theirs_but_not_parents_or_siblings() {
    let root = CancellationToken::new();
    let (left, right) = (root.child_token(), root.child_token());
    let below = left.child_token();
    left.clone().cancel();
    assert!(left.is_cancelled() && below.is_cancelled());
    assert!(!root.is_cancelled() && !right.is_cancelled());
    root.cancel();
    assert!(right.is_cancelled());
    root.cancel();
}

#[test]
fn a_child_of_a_cancelled_token_is_born_cancelled() {
    let root = CancellationToken::new();
    root.cancel();
    let child = root.child_token();
    assert!(child.is_cancelled());
    now(child.cancelled());
    assert!(child.child_token().is_cancelled());
}

#[test]
fn a_token_between_that_nobody_holds_still_passes_the_cancellation_on() {
    let root = CancellationToken::new();
    let below = root.child_token().child_token();
    let waiting = ByHand::waiting(below.cancelled());
    root.cancel();
    waiting.woken();
}

#[test]
fn a_child_outlives_its_parent_uncancelled() {
    let root = CancellationToken::new();
    let child = root.child_token();
    drop(root);
    assert!(!child.is_cancelled());
    child.cancel();
    assert!(child.is_cancelled());
}

#[test]
fn children_that_are_gone_leave_nothing_behind() {
    let root = CancellationToken::new();
    let kept = root.child_token();
    for _ in 0..1_000 {
        drop(root.child_token());
    }
    root.cancel();
    assert!(kept.is_cancelled());
}

#[test]
fn a_line_of_a_hundred_thousand_tokens_is_cancelled_and_dropped() {
    for first_from_the_top in [true, false] {
        let root = CancellationToken::new();
        let mut last = root.clone();
        for _ in 0..100_000 {
            last = last.child_token();
        }
        if first_from_the_top {
            root.cancel();
            assert!(last.is_cancelled());
        }
        drop(root);
        drop(last);
    }
}

#[test]
fn all_who_wait_are_woken_once_the_whole_tree_is_cancelled() {
    let root = CancellationToken::new();
    let child = root.child_token();
    let one = ByHand::waiting(root.cancelled());
    let other = ByHand::waiting(child.clone().cancelled_owned());
    root.cancel();
    one.woken();
    other.woken();
    now(child.cancelled_owned());
}

#[test]
fn a_dropped_wait_leaves_the_others_waiting() {
    at_each_poll(|cut| {
        let token = CancellationToken::new();
        let other = ByHand::waiting(token.cancelled());
        cut.drive(token.cancelled(), |poll| {
            if poll == 2 {
                token.cancel();
            }
        });
        token.cancel();
        other.woken();
    });
}

#[test]
fn a_future_runs_until_the_token_is_cancelled() {
    let token = CancellationToken::new();
    assert_eq!(now(token.run_until_cancelled(ready(1))), Some(1));
    let drops = Count::default();
    let probe = drops.on_drop();
    let running = ByHand::waiting(token.run_until_cancelled(async move {
        let _probe = probe;
        pending::<()>().await;
    }));
    token.cancel();
    assert_eq!(running.woken(), None);
    assert_eq!(drops.get(), 1);
    assert_eq!(
        now(token.run_until_cancelled(ready(2))),
        Some(2),
        "what is ready wins"
    );
    assert_eq!(now(token.run_until_cancelled_owned(pending::<()>())), None);
}

#[test]
fn a_guard_cancels_when_it_is_dropped_unless_it_is_disarmed() {
    let token = CancellationToken::new();
    let guard = token.clone().drop_guard();
    assert!(!guard.disarm().is_cancelled());
    assert!(!token.drop_guard_ref().disarm().is_cancelled());
    drop(token.child_token().drop_guard());
    let child = token.child_token();
    drop(child.drop_guard_ref());
    assert!(child.is_cancelled());
    assert!(!token.is_cancelled());
    drop(token.clone().drop_guard());
    assert!(token.is_cancelled());
}

#[test]
fn tasks_that_are_made_while_the_tree_is_cancelled_are_all_reached() {
    on_each(|runtime| {
        runtime.block_on(async {
            for _ in 0..20 {
                let root = CancellationToken::new();
                let mut tasks = JoinSet::new();
                for n in 0..16 {
                    let own = root.child_token();
                    tasks.spawn(async move {
                        let mut inner = JoinSet::new();
                        for _ in 0..4 {
                            let below = own.child_token();
                            inner.spawn(async move { below.cancelled().await });
                            if n % 4 == 0 {
                                yield_now().await;
                            }
                        }
                        inner.join_all().await.len()
                    });
                }
                yield_now().await;
                root.cancel();
                assert_eq!(tasks.join_all().await, [4; 16]);
            }
        });
    });
}
