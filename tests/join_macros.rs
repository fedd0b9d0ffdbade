//! What `join!` and `try_join!` promise: several futures in one task, each polled only while it has to be.

mod common;

use common::{Count, CountingWaker, on_each};
use gristmill::task::yield_now;
use gristmill::{join, try_join};
use std::cell::RefCell;
use std::future::{pending, poll_fn, ready};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

/// Polls until it is ready.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    let waker = CountingWaker::new();
    loop {
        if let Poll::Ready(output) = waker.poll(&mut future) {
            return output;
        }
    }
}

/// Pending as often as told.
fn after<T: Copy>(mut polls: usize, output: T) -> impl Future<Output = T> {
    poll_fn(move |_| {
        if polls == 0 {
            return Poll::Ready(output);
        }
        polls -= 1;
        Poll::Pending
    })
}

#[test]
fn outputs_are_a_tuple_in_the_order_of_the_futures() {
    let text = "text".to_owned();
    let outputs = run(async { join!(after(3, 1), async { text.len() }, after(1, 'x')) });
    assert_eq!(outputs, (1, 4, 'x'));
}

#[test]
fn none_and_one_are_tuples_too() {
    let nothing: () = run(async { join!() });
    assert_eq!(nothing, ());
    assert_eq!(run(async { join!(ready(1)) }), (1,));
    assert_eq!(run(async { try_join!() }), Ok::<(), ()>(()));
    assert_eq!(run(async { try_join!(ready(Ok::<_, ()>(1)),) }), Ok((1,)));
}

#[test]
fn the_futures_take_turns() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (to_left, left) = async_channel::bounded(1);
            let (to_right, right) = async_channel::bounded(1);
            let (a, b) = join!(
                async {
                    to_right.send(1).await.expect("a receiver");
                    left.recv().await
                },
                async {
                    let n = right.recv().await.expect("a sender");
                    to_left.send(n + 1).await.expect("a receiver");
                    n
                },
            );
            assert_eq!((a, b), (Ok(2), 1));
        });
    });
}

#[test]
fn a_future_is_dropped_when_it_is_ready_and_not_polled_again() {
    let drops = Count::default();
    let probe = drops.on_drop();
    let mut polls = 0;
    let mut joined = Box::pin(async {
        join!(
            poll_fn(|_| {
                let _probe = &probe;
                polls += 1;
                Poll::Ready(())
            }),
            {
                let probe = drops.on_drop();
                poll_fn(move |_| {
                    let _probe = &probe;
                    Poll::Ready(())
                })
            },
            after(3, ()),
        )
    });
    let waker = CountingWaker::new();
    assert!(waker.poll(&mut joined).is_pending());
    assert_eq!(drops.get(), 1);
    while waker.poll(&mut joined).is_pending() {}
    drop(joined);
    assert_eq!(polls, 1);
}

#[test]
fn each_poll_begins_with_another_future_unless_biased() {
    let order = RefCell::new(Vec::new());
    let noting = |name: char| {
        let mut left = 4;
        let order = &order;
        poll_fn(move |_| {
            order.borrow_mut().push(name);
            left -= 1;
            if left == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    };
    run(async { join!(noting('a'), noting('b'), noting('c')) });
    assert_eq!(order.take(), "abcbcacababc".chars().collect::<Vec<_>>());
    run(async { join!(biased; noting('a'), noting('b'), noting('c')) });
    assert_eq!(order.take(), "abcabcabcabc".chars().collect::<Vec<_>>());
}

#[test]
fn the_first_error_ends_it_and_drops_the_others() {
    let drops = Count::default();
    let probe = drops.on_drop();
    let result = run(async {
        let result = try_join!(
            async move {
                let _probe = probe;
                pending::<Result<u8, &str>>().await
            },
            after(2, Err::<(), _>("no")),
            after(0, Ok('x')),
        );
        assert_eq!(drops.get(), 1, "they are gone when the error is there");
        result
    });
    assert_eq!(result, Err("no"));
}

#[test]
fn values_without_an_error_are_a_tuple() {
    let values = run(async { try_join!(biased; after(2, Ok::<_, ()>(1)), after(1, Ok('x'))) });
    assert_eq!(values, Ok((1, 'x')));
}

#[test]
fn errors_pass_through_a_question_mark() {
    async fn sum(one: &str, other: &str) -> Result<u32, std::num::ParseIntError> {
        let (one, other) = try_join!(async { one.parse::<u32>() }, async { other.parse::<u32>() })?;
        Ok(one + other)
    }
    assert_eq!(run(sum("1", "2")), Ok(3));
    assert!(run(sum("1", "x")).is_err());
}

#[test]
fn dropping_it_after_any_number_of_polls_drops_futures_and_outputs() {
    let drops = Count::default();
    let mut made = 0;
    for polls in 0..5 {
        for with_errors in [false, true] {
            made += 3;
            let (first, second, third) = (drops.on_drop(), drops.on_drop(), drops.on_drop());
            let waiting = |probe, polls| async move {
                after(polls, ()).await;
                Ok::<_, ()>(probe)
            };
            let mut joined = Box::pin(async move {
                let futures = (waiting(first, 0), waiting(second, 2), waiting(third, 99));
                if with_errors {
                    drop(try_join!(futures.0, futures.1, futures.2));
                } else {
                    drop(join!(futures.0, futures.1, futures.2));
                }
            });
            for _ in 0..polls {
                assert!(CountingWaker::new().poll(&mut joined).is_pending());
            }
            drop(joined);
            assert_eq!(drops.get(), made);
        }
    }
}

#[test]
fn a_future_that_never_pends_does_not_keep_the_others_from_their_turn() {
    on_each(|runtime| {
        let task = runtime.spawn(async {
            let done = AtomicBool::new(false);
            join!(
                async {
                    // Uses the whole budget of each poll.
                    while !done.load(Ordering::SeqCst) {
                        gristmill::task::consume_budget().await;
                    }
                },
                async {
                    for _ in 0..10 {
                        gristmill::task::consume_budget().await;
                    }
                    yield_now().await;
                    done.store(true, Ordering::SeqCst);
                },
            );
        });
        runtime.block_on(task).expect("no panic");
    });
}

#[test]
fn a_name_of_the_expansion_is_free_for_the_user() {
    let (result, next) = (1, 2);
    let sum = run(async { join!(async { result + next }, ready(next)) });
    assert_eq!(sum, (3, 2));
}
