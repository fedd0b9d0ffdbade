//! What `select!` promises: one handler, of the first future that is ready, with all futures gone.

mod common;

use common::{Count, CountingWaker, on_each, panic_text};
use gristmill::select;
use gristmill::stream::{self, StreamExt};
use gristmill::time::{Duration, sleep, timeout};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::task::Poll;

/// Runs what has nothing to wait for.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    match CountingWaker::new().poll(&mut future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to wait"),
    }
}

#[test]
fn the_future_that_is_ready_wins() {
    let winner = now(async {
        select! {
            () = pending() => "first",
            n = ready(7) => if n == 7 { "second" } else { "odd" },
            () = pending() => { "third" }
        }
    });
    assert_eq!(winner, "second");
}

#[test]
fn a_future_that_becomes_ready_later_wakes_the_select() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = async_channel::bounded::<u32>(1);
            let sending = gristmill::spawn(async move {
                gristmill::task::yield_now().await;
                sender.send(7).await
            });
            let got = select! {
                got = receiver.recv() => got,
                () = sleep(Duration::from_secs(3600)) => panic!("an hour is enough"),
            };
            assert_eq!(got, Ok(7));
            assert!(sending.await.expect("no panic").is_ok());
        });
    });
}

#[test]
fn each_of_several_ready_futures_wins_now_and_then() {
    let mut wins = [0_u32; 3];
    for _ in 0..300 {
        now(async {
            select! {
                () = ready(()) => wins[0] += 1,
                () = ready(()) => wins[1] += 1,
                () = ready(()) => wins[2] += 1,
            }
        });
    }
    // A fair choice gives one of them fewer than 20 of 300 about once in 10^24 runs.
    assert!(wins.iter().all(|wins| *wins >= 20), "{wins:?}");
}

#[test]
fn a_biased_select_takes_the_first_that_is_ready() {
    for _ in 0..100 {
        let winner = now(async {
            select! {
                biased;
                () = pending() => 0,
                () = ready(()) => 1,
                () = ready(()) => 2,
            }
        });
        assert_eq!(winner, 1);
    }
}

#[test]
fn a_disabled_branch_is_made_but_not_polled() {
    let (made, polled) = (Cell::new(0), Cell::new(0));
    let make = || {
        made.set(made.get() + 1);
        poll_fn(|_| {
            polled.set(polled.get() + 1);
            Poll::Ready(())
        })
    };
    let winner = now(async {
        select! {
            () = make(), if made.get() > 0 => "disabled",
            () = ready(()) => "enabled",
        }
    });
    assert_eq!((winner, made.get(), polled.get()), ("enabled", 1, 0));
}

#[test]
fn conditions_come_first_and_then_the_futures_in_order() {
    let order = RefCell::new(Vec::new());
    let note = |what| {
        order.borrow_mut().push(what);
        true
    };
    now(async {
        select! {
            biased;
            () = { note("future 1"); ready(()) }, if note("condition 1") => {}
            () = { note("future 2"); ready(()) }, if note("condition 2") => {}
        }
    });
    assert_eq!(
        order.into_inner(),
        ["condition 1", "condition 2", "future 1", "future 2"]
    );
}

#[test]
fn an_output_that_does_not_match_disables_its_branch() {
    for _ in 0..20 {
        let winner = now(async {
            select! {
                Some(n) = ready(None::<u32>) => n,
                3..=5 = ready(7) => 0,
                Ok(n) | Err(n) = ready(Err::<u32, u32>(1)) => n,
            }
        });
        assert_eq!(winner, 1);
    }
}

#[test]
fn else_runs_when_no_branch_is_left() {
    let winner = now(async {
        select! {
            Some(n) = ready(None::<u32>) => n,
            n = ready(1), if false => n,
            else => 9,
        }
    });
    assert_eq!(winner, 9);
    // Not as long as one is pending.
    let mut waiting = Box::pin(async {
        select! {
            Some(n) = ready(None::<u32>) => n,
            n = pending() => n,
            else => 9,
        }
    });
    assert!(CountingWaker::new().poll(&mut waiting).is_pending());
    assert!(CountingWaker::new().poll(&mut waiting).is_pending());
}

#[test]
fn with_nothing_left_and_no_else_it_panics_with_the_reason() {
    let text = panic_text(|| {
        now(async {
            select! { () = ready(()), if false => {} }
        });
    });
    assert!(
        text.contains("all branches of select! are disabled"),
        "{text}"
    );
}

#[test]
fn every_future_is_dropped_before_the_handler_runs() {
    let drops = Count::default();
    let holding = |probe| async move {
        let _probe = probe;
        pending::<()>().await;
    };
    let dropped = now(async {
        let (first, last) = (drops.on_drop(), drops.on_drop());
        select! {
            biased;
            () = holding(first) => 0,
            () = ready(()) => drops.get(),
            () = holding(last) => 0,
        }
    });
    assert_eq!(dropped, 2);
}

#[test]
fn the_handler_may_use_what_the_futures_borrowed() {
    let mut numbers = vec![1];
    now(async {
        let mut text = String::new();
        select! {
            () = async { numbers.push(2); text.push('x') } => {
                numbers.push(3);
                text.push('y');
            }
        }
        assert_eq!(text, "xy");
    });
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn handlers_may_return_break_continue_await_and_fail() {
    async fn question(text: &str) -> Result<u32, std::num::ParseIntError> {
        let n = select! { text = ready(text) => text.parse::<u32>()?, };
        select! {
            n = async { n }, if n > 100 => return Ok(n),
            else => {}
        }
        let mut rounds = 0;
        let last = 'rounds: loop {
            rounds += 1;
            select! {
                () = ready(()), if rounds < 3 => continue 'rounds,
                n = ready(n) => break 'rounds async { n + rounds }.await,
            }
        };
        Ok(last)
    }
    assert!(now(question("x")).is_err());
    assert_eq!(now(question("101")), Ok(101));
    assert!(now(question("1")).is_ok_and(|n| n <= 4));
}

#[test]
fn patterns_may_bind_in_every_way() {
    struct Point {
        x: String,
        y: u32,
    }
    now(async {
        let point = || {
            let x = "x".to_owned();
            ready(Some(Point { x, y: 1 }))
        };
        select! { Some(Point { mut x, y }) = point() => { x.push('!'); assert_eq!((&*x, y), ("x!", 1)); } };
        select! { Some(Point { ref x, .. }) = point() => assert_eq!(x, "x") };
        select! { Some(ref mut p) = point() => { p.y += 1; assert_eq!(p.y, 2); } };
        select! { whole @ Some(_) = point() => assert!(whole.is_some()) };
        select! { &n = ready(&5) => assert_eq!(n, 5) };
        select! { [first, .., last] = ready([1, 2, 3]) => assert_eq!((first, last), (1, 3)) };
        select! { _ = point() => {} };
        // A name that the expansion uses itself.
        let (outcome, future0) = (1, 2);
        let sum = select! { disabled = ready(3) => disabled + outcome + future0 };
        assert_eq!(sum, 6);
    });
}

#[test]
fn outputs_may_be_of_any_size_or_never_come() {
    let sum = now(async {
        select! {
            bytes = ready([1_u8; 4096]) => bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>(),
            never = pending::<std::convert::Infallible>() => match never {},
        }
    });
    assert_eq!(sum, 4096);
}

#[test]
fn a_select_may_stand_inside_another_in_every_place() {
    let n = now(async {
        select! {
            n = async { select! { n = ready(1) => n + 1 } }, if select! { b = ready(true) => b } => {
                select! { m = ready(10) => n + m }
            }
        }
    });
    assert_eq!(n, 12);
}

#[test]
fn a_future_passed_by_reference_goes_on_in_the_next_round() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (open, gate) = async_channel::bounded::<()>(1);
            let mut handle = gristmill::spawn(async move { gate.recv().await.map(|()| 7) });
            let mut rounds = 0;
            let output = loop {
                select! {
                    biased;
                    output = &mut handle => break output.expect("no panic"),
                    () = gristmill::task::yield_now() => {
                        rounds += 1;
                        if rounds == 3 {
                            open.send(()).await.expect("the task waits");
                        }
                    }
                }
            };
            assert_eq!(output, Ok(7));
            assert!(rounds >= 3);
        });
    });
}

#[test]
fn losing_again_and_again_loses_no_item_of_a_cancel_safe_source() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = async_channel::bounded(1);
            let sending = gristmill::spawn(async move {
                for n in 0..1_000_u32 {
                    sender.send(n).await.expect("a receiver");
                }
            });
            let mut got = Vec::new();
            loop {
                select! {
                    next = receiver.recv() => match next {
                        Ok(n) => got.push(n),
                        Err(_) => break,
                    },
                    () = gristmill::task::yield_now() => {}
                }
            }
            sending.await.expect("no panic");
            assert_eq!(got, (0..1_000).collect::<Vec<_>>());
        });
    });
}

#[test]
fn streams_end_by_else() {
    let sum = now(async {
        let (mut odd, mut even) = (stream::iter([1, 3, 5]), stream::iter([2, 4]));
        let mut sum = 0;
        loop {
            select! {
                Some(n) = odd.next() => sum += n,
                Some(n) = even.next() => sum += n,
                else => break sum,
            }
        }
    });
    assert_eq!(sum, 15);
}

#[test]
fn dropping_it_after_any_number_of_polls_drops_the_futures() {
    let drops = Count::default();
    for polls in 0..4 {
        let (one, other) = (drops.on_drop(), drops.on_drop());
        let mut racing = Box::pin(async {
            select! {
                () = async move { let _one = one; pending().await } => {}
                () = async move { let _other = other; pending().await } => {}
            }
        });
        for _ in 0..polls {
            assert!(CountingWaker::new().poll(&mut racing).is_pending());
        }
        drop(racing);
        assert_eq!(drops.get(), 2 * (polls + 1));
    }
}

#[test]
fn a_future_that_is_ready_beats_a_timeout_that_has_expired() {
    on_each(|runtime| {
        runtime.block_on(async {
            // Both are due at the first poll.
            assert_eq!(timeout(Duration::ZERO, ready(7)).await, Ok(7));
            let won = select! {
                biased;
                n = ready(7) => n,
                () = sleep(Duration::ZERO) => 0,
            };
            assert_eq!(won, 7);
        });
    });
}

#[test]
fn a_select_can_be_a_task() {
    on_each(|runtime| {
        let task = runtime.spawn(async {
            select! {
                n = async { gristmill::task::yield_now().await; 3 } => n,
                () = pending() => 0,
            }
        });
        assert_eq!(runtime.block_on(task).expect("no panic"), 3);
    });
}
