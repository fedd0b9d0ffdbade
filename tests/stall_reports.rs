//! Stalls are counted, measured and reported, while they go on and when they are over, with the task's name and spawn site

mod common;

use common::{FLAVOURS, Flavour, PATIENCE, eventually, with_each, within};
use gristmill::runtime::{Builder, Report, ReportedTask, Runtime, RuntimeMetrics};
use gristmill::task;
use gristmill::time::Duration;
use std::panic::Location;
use std::sync::mpsc::{self, Receiver, Sender};

/// Short, so that nothing has to wait for long until it is reported.
const SHORT: Duration = Duration::from_millis(2);

/// A runtime that reports stalls, and its reports.
fn reporting(builder: Builder) -> (Runtime, Receiver<Report>) {
    let (sender, reports) = mpsc::channel();
    let runtime = builder
        .report_stalls(SHORT)
        .on_report(move |report| drop(sender.send(report.clone())))
        .build()
        .expect("a runtime");
    (runtime, reports)
}

/// What a report says of a stall, if it is about this task.
fn stall_of(report: Report, of: Option<task::Id>) -> Option<(ReportedTask, Duration, bool, bool)> {
    match report {
        Report::Stall {
            task,
            duration,
            goes_on,
            relieved,
            ..
        } if task.id() == of => Some((task, duration, goes_on, relieved)),
        _ => None,
    }
}

/// The next report about this task's stalls; on a busy machine others may stall too.
#[track_caller]
fn next_stall(
    reports: &Receiver<Report>,
    of: Option<task::Id>,
) -> (ReportedTask, Duration, bool, bool) {
    loop {
        let report = reports.recv_timeout(PATIENCE).expect("a report");
        if let Some(stall) = stall_of(report, of) {
            return stall;
        }
    }
}

/// How long this task's stall took in all, and whether others went on; after reports that it goes on.
#[track_caller]
fn end_of_stall(reports: &Receiver<Report>, of: Option<task::Id>) -> (Duration, bool) {
    let mut so_far = Duration::ZERO;
    loop {
        let (_, duration, goes_on, relieved) = next_stall(reports, of);
        assert!(duration >= so_far, "a stall does not become shorter");
        so_far = duration;
        if !goes_on {
            return (duration, relieved);
        }
    }
}

/// A poll that lasts until the sender is dropped.
fn stuck() -> (Sender<()>, impl Future<Output = ()> + Send + 'static) {
    let (release, released) = mpsc::channel::<()>();
    (release, async move {
        let _ = released.recv();
    })
}

/// Runs the tasks of a runtime until the closure is done: those of a current-thread runtime need a thread.
fn beside(runtime: Runtime, what: impl FnOnce(&RuntimeMetrics) + Send + 'static) {
    let metrics = runtime.metrics();
    let (done, wait) = async_channel::bounded::<()>(1);
    let observer = std::thread::spawn(move || {
        let _done = done;
        what(&metrics);
    });
    runtime.block_on(async {
        let _ = wait.recv().await;
    });
    observer.join().expect("no panic");
}

#[test]
fn a_poll_that_does_not_end_is_reported_while_it_goes_on_and_once_more_when_it_is_over() {
    with_each(|flavour| {
        let (runtime, reports) = reporting(flavour.builder());
        let (release, body) = stuck();
        let site = Location::caller();
        let named = task::Builder::new().name("the stuck one");
        let id = Some(named.spawn_on(body, runtime.handle()).id());
        beside(runtime, move |metrics| {
            // It is released by its own report.
            let (task, so_far, goes_on, _) = next_stall(&reports, id);
            assert!(goes_on, "{flavour:?}");
            assert_eq!(task.name(), Some("the stuck one"));
            assert_eq!(task.spawned_at().file(), file!());
            assert_eq!(task.spawned_at().line(), site.line() + 2);
            assert!(so_far >= 5 * SHORT, "ten times, and not in haste");
            assert!(metrics.stalls() >= 1 && metrics.longest_poll() >= so_far);
            drop(release);
            let (whole, _) = end_of_stall(&reports, id);
            assert!(whole >= so_far && metrics.longest_poll() >= whole);
        });
    });
}

#[test]
fn a_report_of_a_stall_is_one_line_that_says_whose_and_what_helps() {
    within("text", || {
        let (runtime, reports) = reporting(Flavour::OneWorker.builder());
        let (release, body) = stuck();
        let task = runtime.spawn(body);
        let report = loop {
            let report = reports.recv_timeout(PATIENCE).expect("a report");
            if stall_of(report.clone(), Some(task.id())).is_some() {
                break report.to_string();
            }
        };
        drop(release);
        for part in [&task.id().to_string(), file!(), "goes on", "spawn_blocking"] {
            assert!(report.contains(part), "{report}");
        }
        assert!(!report.contains('\n'), "{report}");
    });
}

#[test]
fn the_future_of_block_on_is_reported_too_where_it_keeps_the_only_thread() {
    within("root", || {
        let (runtime, reports) = reporting(Flavour::CurrentThread.builder());
        let site = Location::caller();
        let task = runtime.block_on(async { next_stall(&reports, None).0 });
        assert_eq!(task.id(), None);
        assert_eq!(task.spawned_at().line(), site.line() + 1);
        let (_, relieved) = end_of_stall(&reports, None);
        assert!(!relieved, "there is no other thread");
    });
}

#[test]
fn a_future_of_block_on_that_panics_in_a_stall_is_over_then() {
    common::silence_panics();
    within("root panic", || {
        let (runtime, reports) = reporting(Flavour::CurrentThread.builder());
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async {
                assert!(next_stall(&reports, None).2);
                panic!("expected by the test");
            })
        }));
        assert!(caught.is_err());
        end_of_stall(&reports, None);
        assert_eq!(runtime.block_on(async { 7 }), 7);
    });
}

#[test]
fn a_stall_says_whether_another_worker_could_go_on() {
    within("relieved", || {
        let (runtime, reports) = reporting(Flavour::OneWorker.builder());
        let (release, body) = stuck();
        let task = runtime.spawn(body);
        // Something waits, so a relief worker comes.
        let waiting = runtime.spawn(async {});
        while !next_stall(&reports, Some(task.id())).3 {}
        runtime.block_on(waiting).expect("it runs beside the stall");
        drop(release);
    });
    within("not relieved", || {
        let builder = Flavour::OneWorker.builder().max_relief_threads(0);
        let (runtime, reports) = reporting(builder);
        let (release, body) = stuck();
        let task = runtime.spawn(body);
        let waiting = runtime.spawn(async {});
        let (_, _, goes_on, relieved) = next_stall(&reports, Some(task.id()));
        assert!(goes_on && !relieved);
        assert!(!waiting.is_finished());
        drop(release);
        runtime.block_on(waiting).expect("it runs after the stall");
    });
}

#[test]
fn a_poll_in_block_in_place_is_no_stall() {
    within("announced", || {
        let (runtime, reports) = reporting(Flavour::OneWorker.builder());
        let (entered, enter) = mpsc::channel();
        let (release_announced, released) = mpsc::channel::<()>();
        let announced = runtime.spawn(async move {
            task::block_in_place(|| {
                entered.send(()).expect("a receiver");
                let _ = released.recv();
            });
        });
        enter.recv_timeout(PATIENCE).expect("it blocks");
        // The other one has been stuck for less long, and nothing is said of the first when it is.
        let (release, body) = stuck();
        let other = runtime.spawn(body);
        next_stall(&reports, Some(other.id()));
        drop((release, release_announced));
        let id = announced.id();
        runtime.block_on(async {
            announced.await.expect("no panic");
            other.await.expect("no panic");
        });
        drop(runtime);
        for report in reports.try_iter() {
            assert!(stall_of(report.clone(), Some(id)).is_none(), "{report}");
        }
    });
}

#[test]
fn without_a_threshold_nothing_is_counted_or_said() {
    for flavour in FLAVOURS {
        within(format!("{flavour:?}"), move || {
            let (sender, reports) = mpsc::channel();
            let builder = flavour.builder().stall_threshold(None).debug(true);
            let builder = builder.slow_poll_threshold(Duration::from_secs(3600));
            let off = builder
                .on_report(move |report| drop(sender.send(report.clone())))
                .build()
                .expect("a runtime");
            let (watched, seen) = reporting(Flavour::OneWorker.builder());
            let (entered, enter) = mpsc::channel();
            let (release_off, released) = mpsc::channel::<()>();
            let task = off.spawn(async move {
                entered.send(()).expect("a receiver");
                let _ = released.recv();
            });
            let observer = std::thread::spawn(move || {
                enter.recv_timeout(PATIENCE).expect("it gets stuck");
                // Another runtime, whose task is stuck for less long, tells the time.
                let (release, body) = stuck();
                let other = watched.spawn(body);
                next_stall(&seen, Some(other.id()));
                drop((release, release_off));
                watched.block_on(other).expect("no panic");
            });
            let metrics = off.metrics();
            off.block_on(task).expect("no panic");
            observer.join().expect("no panic");
            assert_eq!(metrics.stalls(), 0);
            assert_eq!(metrics.longest_poll(), Duration::ZERO);
            assert_eq!(metrics.relief_workers(), 0);
            drop(off);
            assert_eq!(reports.try_iter().count(), 0);
        });
    }
}

#[test]
fn the_longest_poll_grows_while_it_goes_on_and_stays_when_it_is_over() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let (release, body) = stuck();
        let task = runtime.spawn(body);
        let begun = std::time::Instant::now();
        beside(runtime, move |metrics| {
            for length in [5, 10, 20] {
                let length = Duration::from_millis(length);
                eventually("it grows", || metrics.longest_poll() >= length);
            }
            // The future of `block_on` might stall too.
            let others = u64::from(flavour == Flavour::CurrentThread);
            assert!(
                (1..=1 + others).contains(&metrics.stalls()),
                "one poll, one stall"
            );
            drop(release);
            eventually("it ends", || task.is_finished());
            let whole = metrics.longest_poll();
            assert!(whole >= Duration::from_millis(20) && whole <= begun.elapsed());
        });
    });
}

#[test]
fn in_debug_mode_what_goes_on_is_a_stall_and_its_end_is_a_slow_poll() {
    with_each(|flavour| {
        let (sender, reports) = mpsc::channel();
        let runtime = flavour
            .builder()
            .debug(true)
            .slow_poll_threshold(SHORT)
            .on_report(move |report| drop(sender.send(report.clone())))
            .build()
            .expect("a runtime");
        let (release, body) = stuck();
        let task = runtime.spawn(body);
        let id = Some(task.id());
        beside(runtime, move |_| {
            assert!(next_stall(&reports, id).2);
            drop(release);
            loop {
                match reports.recv_timeout(PATIENCE).expect("a report") {
                    Report::SlowPoll { task, .. } if task.id() == id => break,
                    Report::Stall { task, goes_on, .. } if task.id() == id => assert!(goes_on),
                    _ => {}
                }
            }
        });
    });
}

#[test]
fn reports_of_stalls_without_the_watch_are_refused_with_the_fix() {
    let builder = Builder::new().stall_threshold(None).report_stalls(SHORT);
    let error = builder.build().expect_err("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let text = error.to_string();
    assert!(
        text.contains("report_stalls") && text.contains("stall_threshold"),
        "{text}"
    );
}
