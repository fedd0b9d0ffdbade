//! What `sync::oneshot` and `sync::Promise` promise: one value, to whoever still wants it.

mod common;

use common::cut::{ByHand, at_each_poll, now};
use common::{Count, on_each, panic_text, silence_panics, within};
use gristmill::sync::oneshot::{self, error::TryRecvError};
use gristmill::sync::{Promise, PromiseError};
use gristmill::task::yield_now;

#[test]
fn a_value_sent_before_or_after_the_first_poll_arrives() {
    let (sender, receiver) = oneshot::channel();
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(now(receiver), Ok(1));

    let (sender, receiver) = oneshot::channel();
    let receiver = ByHand::waiting(receiver);
    assert_eq!(sender.send(2), Ok(()));
    assert_eq!(receiver.woken(), Ok(2));
}

#[test]
fn a_dropped_sender_is_an_error_to_the_receiver() {
    let (sender, receiver) = oneshot::channel::<u32>();
    let receiver = ByHand::waiting(receiver);
    drop(sender);
    let error = receiver.woken().expect_err("nothing was sent");
    assert!(error.to_string().contains("dropped"), "{error}");
}

#[test]
fn a_dropped_receiver_gives_the_value_back_to_the_sender() {
    let (sender, receiver) = oneshot::channel();
    assert!(!sender.is_closed());
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send("kept"), Err("kept"));
}

#[test]
fn the_sender_is_woken_when_the_receiver_goes_or_closes() {
    let (mut sender, receiver) = oneshot::channel::<u32>();
    let closed = ByHand::waiting(sender.closed());
    drop(receiver);
    closed.woken();

    let (mut sender, mut receiver) = oneshot::channel::<u32>();
    let closed = ByHand::waiting(sender.closed());
    receiver.close();
    closed.woken();
    assert_eq!(sender.send(1), Err(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_value_sent_before_the_close_is_still_received() {
    let (sender, mut receiver) = oneshot::channel();
    assert!(receiver.is_empty());
    sender.send(1).expect("open");
    receiver.close();
    assert!(!receiver.is_empty());
    assert_eq!(now(&mut receiver), Ok(1));
    assert!(receiver.is_terminated());
}

#[test]
fn try_recv_tells_not_yet_from_never() {
    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.send(5).expect("open");
    assert_eq!(receiver.try_recv(), Ok(5));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));

    let (sender, mut receiver) = oneshot::channel::<u32>();
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_value_that_nobody_fetches_is_dropped_once_with_the_receiver() {
    at_each_poll(|cut| {
        let drops = Count::default();
        let (sender, receiver) = oneshot::channel();
        let mut sender = Some(sender);
        let fetched = cut.drive(receiver, |_| {
            if let Some(sender) = sender.take() {
                sender.send(drops.on_drop()).expect("a receiver");
            }
        });
        drop(fetched);
        if let Some(sender) = sender {
            let back = sender.send(drops.on_drop());
            drop(back.expect_err("the receiver is gone"));
        }
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn a_receiver_borrowed_for_a_wait_loses_nothing() {
    at_each_poll(|cut| {
        let (sender, mut receiver) = oneshot::channel();
        let mut sender = Some(sender);
        let fetched = cut.drive(&mut receiver, |_| {
            if let Some(sender) = sender.take() {
                sender.send(7).expect("a receiver");
            }
        });
        if let Some(sender) = sender {
            sender.send(7).expect("a receiver");
        }
        assert_eq!(fetched.unwrap_or_else(|| now(receiver)), Ok(7));
    });
}

#[test]
fn a_second_poll_after_the_end_says_what_is_wrong() {
    silence_panics();
    let (sender, mut receiver) = oneshot::channel();
    sender.send(1).expect("open");
    assert_eq!(now(&mut receiver), Ok(1));
    let text = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| now(receiver)));
    assert!(text.is_err());
}

#[test]
fn answers_cross_threads_by_the_thousand() {
    on_each(|runtime| {
        runtime.block_on(async {
            for n in 0..2_000 {
                let (question, ask) = oneshot::channel::<oneshot::Sender<u32>>();
                gristmill::spawn(async move {
                    let answer = ask.await.expect("asked");
                    if n % 3 == 0 {
                        yield_now().await;
                    }
                    answer.send(n).expect("awaited");
                });
                let (answer, wait) = oneshot::channel();
                question.send(answer).expect("a task");
                assert_eq!(wait.await, Ok(n));
            }
        });
    });
}

#[test]
fn sender_and_receiver_that_go_at_once_agree_on_what_happened() {
    within("race of both ends", || {
        for _ in 0..2_000 {
            let drops = Count::default();
            let (sender, receiver) = oneshot::channel();
            let probe = drops.on_drop();
            let thread = std::thread::spawn(move || drop(sender.send(probe)));
            drop(receiver);
            thread.join().expect("no panic");
            assert_eq!(drops.get(), 1);
        }
    });
}

#[test]
fn a_plain_thread_may_block_for_the_value() {
    within("blocking_recv", || {
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::spawn(move || receiver.blocking_recv());
        sender.send(3).expect("a receiver");
        assert_eq!(thread.join().expect("no panic"), Ok(3));
    });
}

#[test]
fn blocking_in_async_code_is_refused_by_name() {
    silence_panics();
    let (_sender, receiver) = oneshot::channel::<u32>();
    let text = panic_text(|| {
        let _ = gristmill::run(async move { receiver.blocking_recv() });
    });
    assert!(text.contains("blocking_recv"), "{text}");
    assert!(text.contains("block_in_place"), "{text}");
}

#[test]
fn a_promise_is_kept_with_a_result_or_an_error() {
    let (promise, result) = Promise::new();
    let result = ByHand::waiting(result);
    promise.set_result(1).expect("awaited");
    assert_eq!(result.woken().expect("kept"), 1);

    let (promise, result) = Promise::<u32>::new();
    let result = ByHand::waiting(result);
    let cause = "x".parse::<u32>().expect_err("no number");
    promise.set_error(cause.clone()).expect("awaited");
    let error: PromiseError = result.woken().expect_err("an error");
    assert!(!error.is_cancelled());
    assert_eq!(error.to_string(), cause.to_string());
    assert_eq!(
        error.downcast_ref::<std::num::ParseIntError>(),
        Some(&cause)
    );
    assert!(error.into_error().is_some());
}

#[test]
fn a_promise_dropped_unkept_is_cancelled() {
    for cancel in [Promise::<u32>::cancel, drop] {
        let (promise, result) = Promise::new();
        let result = ByHand::waiting(result);
        cancel(promise);
        let error = result.woken().expect_err("cancelled");
        assert!(error.is_cancelled());
        assert!(error.to_string().contains("dropped"), "{error}");
        assert!(error.into_error().is_none());
    }
}

#[test]
fn a_promise_that_nobody_awaits_gives_back_what_was_set() {
    let (mut promise, result) = Promise::new();
    assert!(!promise.is_abandoned());
    let abandoned = ByHand::waiting(promise.abandoned());
    drop(result);
    abandoned.woken();
    assert!(promise.is_abandoned());
    assert_eq!(promise.set_result(5), Err(5));

    let (promise, result) = Promise::<u32>::new();
    drop(result);
    let error = promise.set_error("late").expect_err("nobody awaits it");
    assert_eq!(error.to_string(), "late");
}

#[test]
fn a_promise_can_be_looked_at_without_waiting() {
    let (promise, mut result) = Promise::new();
    assert!(result.try_take().is_none());
    promise.set_result(5).expect("awaited");
    assert_eq!(result.try_take().expect("set").expect("a result"), 5);
    assert!(result.try_take().is_none());
}
