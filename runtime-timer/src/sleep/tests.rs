//! What a sleep promises, poll by poll.

use super::*;
use crate::testing::{Scene, counting_waker};

const SECOND: Duration = Duration::from_secs(1);
const NANO: Duration = Duration::from_nanos(1);

#[test]
fn it_is_at_most_thirty_two_bytes_and_can_cross_threads() {
    fn crosses_threads<T: Send + Sync + Unpin>() {}
    crosses_threads::<Sleep>();

    assert!(size_of::<Sleep>() <= 32);
}

#[test]
fn it_takes_no_place_in_a_wheel_until_it_is_polled() {
    let scene = Scene::new();
    let mut sleep = sleep(SECOND);
    assert!(scene.timers.is_empty());

    assert!(counting_waker().poll(&mut sleep).is_pending());

    assert_eq!(scene.timers.len(), 1);
}

#[test]
fn it_wakes_at_its_deadline_and_not_a_nanosecond_before() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(SECOND));
    assert!(task.poll(&mut sleep).is_pending());

    scene.advance(SECOND - NANO);
    assert_eq!(task.wakes(), 0);
    assert!(!sleep.is_elapsed());
    assert!(task.poll(&mut sleep).is_pending());
    scene.advance(NANO);

    assert_eq!(task.wakes(), 1);
    assert!(sleep.is_elapsed());
    assert!(task.poll(&mut sleep).is_ready());
}

#[test]
fn a_deadline_that_has_passed_is_ready_without_a_place_in_a_wheel() {
    let scene = Scene::new();

    assert!(counting_waker().poll(&mut sleep(Duration::ZERO)).is_ready());

    assert!(scene.host.sooner.lock().is_empty());
}

#[test]
fn dropping_it_cancels_the_timer_and_drops_the_waker() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(SECOND));
    assert!(task.poll(&mut sleep).is_pending());
    assert_eq!(task.alive(), 1);

    drop(sleep);

    assert_eq!(task.alive(), 0);
    assert!(scene.timers.is_empty());
    scene.advance(SECOND);
    assert_eq!(task.wakes(), 0);
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let scene = Scene::new();
    let (first, last, mut sleep) = (counting_waker(), counting_waker(), sleep(SECOND));
    assert!(first.poll(&mut sleep).is_pending());
    assert!(last.poll(&mut sleep).is_pending());
    assert_eq!((first.alive(), last.alive()), (0, 1));

    scene.advance(SECOND);

    assert_eq!((first.wakes(), last.wakes()), (0, 1));
}

#[test]
fn reset_moves_a_waiting_task_to_the_new_deadline() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(SECOND));
    assert!(task.poll(&mut sleep).is_pending());

    let later = sleep.deadline() + SECOND;
    Pin::new(&mut sleep).reset(later);

    scene.advance(SECOND);
    assert_eq!(task.wakes(), 0);
    scene.advance(SECOND);
    assert_eq!(task.wakes(), 1);
    assert!(task.poll(&mut sleep).is_ready());
}

#[test]
fn reset_on_another_thread_leaves_the_shard_of_a_sleeper_that_would_not_hear_of_it() {
    let (timers, host) = crate::testing::paused_timers(3);
    let (task, mut sleep) = (counting_waker(), sleep(2 * SECOND));
    let owner = context::enter(Arc::clone(&timers), 0);
    assert!(task.poll(&mut sleep).is_pending());
    drop(owner);

    let sooner = sleep.deadline() - SECOND;
    Pin::new(&mut sleep).reset(sooner);

    assert_eq!(
        timers.next_deadline(timers.outside()),
        host.sooner.lock().last().map(|s| s.1)
    );
    assert_eq!(
        host.sooner.lock().last().map(|s| s.0),
        Some(timers.outside())
    );
    assert_eq!(timers.len(), 1);
}

#[test]
fn the_end_of_the_timers_wakes_whoever_waits() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(SECOND));
    assert!(task.poll(&mut sleep).is_pending());

    scene.timers.close();

    assert_eq!(task.wakes(), 1);
}

/// Resets a sleep when woken.
struct Resets(std::sync::Mutex<Sleep>);

impl std::task::Wake for Resets {
    fn wake(self: Arc<Self>) {
        let mut sleep = self.0.lock().unwrap();
        let later = sleep.deadline() + SECOND;
        Pin::new(&mut *sleep).reset(later);
    }
}

#[test]
fn a_reset_while_the_timers_end_leaves_nobody_waiting() {
    let (timers, _) = crate::testing::paused_timers(2);
    let (task, mut late) = (counting_waker(), sleep(SECOND));
    let outside = context::enter(Arc::clone(&timers), timers.outside());
    assert!(task.poll(&mut late).is_pending());
    drop(outside);
    // The first shard has been emptied when this one is woken, and the reset goes into it.
    let _owner = context::enter(Arc::clone(&timers), 0);
    let resets = Arc::new(Resets(std::sync::Mutex::new(late)));
    timers.start(0, 1, Waker::from(Arc::clone(&resets)));

    timers.close();

    assert_eq!(task.wakes(), 1);
}

#[test]
fn a_sleep_that_would_never_end_panics_as_often_as_it_is_polled_and_takes_no_place() {
    let scene = Scene::new();
    scene.timers.close();
    let mut sleep = sleep(SECOND);

    for _ in 0..2 {
        let poll = std::panic::AssertUnwindSafe(|| counting_waker().poll(&mut sleep));
        assert!(std::panic::catch_unwind(poll).is_err());
    }

    assert!(scene.timers.is_empty());
}

#[test]
#[should_panic(expected = "keep the Runtime alive")]
fn a_sleep_that_would_never_end_panics_instead() {
    let scene = Scene::new();
    scene.timers.close();

    let _ = counting_waker().poll(&mut sleep(SECOND));
}

#[test]
fn reset_makes_a_ready_one_wait_again() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(SECOND));
    assert!(task.poll(&mut sleep).is_pending());
    scene.advance(SECOND);
    assert!(task.poll(&mut sleep).is_ready());

    Pin::new(&mut sleep).reset(Instant::now() + SECOND);

    assert!(task.poll(&mut sleep).is_pending());
    scene.advance(SECOND);
    assert!(task.poll(&mut sleep).is_ready());
}

#[test]
fn reset_of_one_that_fired_unseen_waits_for_the_new_deadline() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(SECOND));
    assert!(task.poll(&mut sleep).is_pending());
    scene.advance(SECOND);

    Pin::new(&mut sleep).reset(Instant::now() + SECOND);

    assert!(task.poll(&mut sleep).is_pending());
}

#[test]
fn only_a_poll_that_is_ready_spends_budget() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(SECOND));
    assert!(task.poll(&mut sleep).is_pending());
    assert!(task.poll(&mut sleep).is_pending());
    assert_eq!(scene.spent(), 0);

    scene.advance(SECOND);
    assert!(task.poll(&mut sleep).is_ready());

    assert_eq!(scene.spent(), 1);
}

#[test]
fn out_of_budget_it_stays_pending_and_is_ready_on_a_later_poll() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(SECOND));
    assert!(task.poll(&mut sleep).is_pending());
    scene.advance(SECOND);
    scene.refuse_polls(2);

    assert!(task.poll(&mut sleep).is_pending());
    assert!(task.poll(&mut sleep).is_pending());
    assert_eq!(task.wakes(), 3);
    assert!(task.poll(&mut sleep).is_ready());
}

#[test]
fn it_keeps_its_timers_when_it_is_polled_elsewhere() {
    let task = counting_waker();
    let scene = Scene::new();
    let mut sleep = sleep(SECOND);
    assert!(task.poll(&mut sleep).is_pending());
    let timers = Arc::clone(&scene.timers);
    drop(scene);

    assert!(task.poll(&mut sleep).is_pending());
    timers.clock().advance(SECOND).unwrap();
    timers.fire_all_due();

    assert_eq!(task.wakes(), 1);
    assert!(task.poll(&mut sleep).is_ready());
}

#[test]
fn the_longest_of_sleeps_saturates() {
    let scene = Scene::new();
    let (task, mut sleep) = (counting_waker(), sleep(Duration::MAX));

    assert!(task.poll(&mut sleep).is_pending());
    scene.advance(Duration::from_secs(500 * 365 * 86_400));

    assert!(task.poll(&mut sleep).is_pending());
}

#[test]
#[should_panic(expected = "there is no gristmill runtime on this thread")]
fn without_a_runtime_the_panic_names_the_fix() {
    let _ = counting_waker().poll(&mut sleep(SECOND));
}

/// Comes back when some time of the system's clock has passed.
fn let_time_pass() {
    let begun = Instant::now();
    while Instant::now() == begun {}
}

#[test]
fn one_that_was_made_to_wait_lets_others_run_also_if_it_is_over_by_the_first_poll() {
    let scene = Scene::new();
    scene.timers.clock().resume().unwrap();
    let (task, mut late, mut zero) = (counting_waker(), sleep(NANO), sleep(Duration::ZERO));
    let mut until = sleep_until(late.deadline());
    let_time_pass();

    assert!(task.poll(&mut late).is_pending());
    assert!(task.poll(&mut zero).is_ready());
    assert!(task.poll(&mut until).is_ready());
    scene.timers.fire_all_due();

    assert_eq!(task.wakes(), 1);
    assert!(task.poll(&mut late).is_ready());
}

#[test]
fn one_that_is_over_by_its_first_poll_is_ready_though_the_timers_have_ended() {
    let scene = Scene::new();
    scene.timers.clock().resume().unwrap();
    let mut late = sleep(NANO);
    let_time_pass();
    scene.timers.close();

    assert!(counting_waker().poll(&mut late).is_ready());

    assert!(scene.timers.is_empty());
}
