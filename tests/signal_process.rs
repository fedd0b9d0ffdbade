//! What a signal does to a whole process: the second Ctrl-C ends it, and without a listener all is as it was before.

mod child;
mod common;

use child::{Lines, child_of, is_child_of, send};
use common::{CountingWaker, Flavour, within};
use gristmill::process::Child;
use gristmill::signal::unix::{SignalKind, signal};
use gristmill::signal::{ctrl_c, shutdown_signal};
use gristmill::time::{Duration, Instant, sleep};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::thread::park;

/// Starts the test's child and runs the parent's part once the child has said that it listens.
fn with_child<F>(test: &'static str, parent: impl FnOnce(Child, Lines) -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    within(test, move || {
        Flavour::CurrentThread.runtime().block_on(async {
            let mut child = child_of(test).spawn().expect("a child");
            let mut lines = Lines::of(&mut child);
            assert_eq!(lines.next().await, "listening");
            parent(child, lines).await;
        });
    });
}

/// Waits until the signal has ended the child.
async fn ended_by(child: &mut Child) -> Signal {
    let status = child.wait().await.expect("a status");
    let number = status.signal().expect("ended by a signal");
    Signal::from_named_raw(number).expect("a name")
}

/// Hangs for good, whatever wakes it.
fn hang() -> ! {
    loop {
        park();
    }
}

#[test]
fn the_second_ctrl_c_ends_a_program_that_hangs_after_the_first() {
    const TEST: &str = "the_second_ctrl_c_ends_a_program_that_hangs_after_the_first";
    if is_child_of(TEST) {
        Flavour::CurrentThread.runtime().block_on(async {
            let waiting = ctrl_c();
            eprintln!("listening");
            waiting.await.expect("heard");
            eprintln!("first");
            hang();
        });
    }
    with_child(TEST, async |mut child, mut lines| {
        send(&child, Signal::INT);
        assert_eq!(lines.next().await, "first");
        send(&child, Signal::INT);
        assert_eq!(ended_by(&mut child).await, Signal::INT);
    });
}

#[test]
fn a_future_that_has_answered_listens_no_more_though_it_is_kept() {
    const TEST: &str = "a_future_that_has_answered_listens_no_more_though_it_is_kept";
    if is_child_of(TEST) {
        Flavour::OneWorker.runtime().block_on(async {
            let mut waiting = shutdown_signal();
            eprintln!("listening");
            (&mut waiting).await.expect("heard");
            eprintln!("first");
            std::future::pending::<()>().await;
            drop(waiting);
        });
    }
    with_child(TEST, async |mut child, mut lines| {
        send(&child, Signal::TERM);
        assert_eq!(lines.next().await, "first");
        // It listened for both kinds, and now for neither.
        send(&child, Signal::INT);
        assert_eq!(ended_by(&mut child).await, Signal::INT);
    });
}

#[test]
fn a_program_that_hangs_before_it_takes_a_ctrl_c_is_ended_by_one_a_second_later() {
    const TEST: &str =
        "a_program_that_hangs_before_it_takes_a_ctrl_c_is_ended_by_one_a_second_later";
    if is_child_of(TEST) {
        let mut waiting = ctrl_c();
        assert!(CountingWaker::new().poll(&mut waiting).is_pending());
        eprintln!("listening");
        hang();
    }
    with_child(TEST, async |mut child, _lines| {
        let first = Instant::now();
        while child.try_wait().expect("a status").is_none() {
            send(&child, Signal::INT);
            sleep(Duration::from_millis(20)).await;
        }
        // Not sooner: whoever presses twice in a hurry does not mean it.
        assert!(first.elapsed() >= Duration::from_secs(1));
        assert_eq!(ended_by(&mut child).await, Signal::INT);
    });
}

#[test]
fn a_stream_of_ctrl_c_keeps_them_all_even_unread() {
    const TEST: &str = "a_stream_of_ctrl_c_keeps_them_all_even_unread";
    if is_child_of(TEST) {
        let _listener = signal(SignalKind::interrupt()).expect("a listener");
        eprintln!("listening");
        hang();
    }
    with_child(TEST, async |mut child, _lines| {
        let first = Instant::now();
        while first.elapsed() < Duration::from_millis(1200) {
            send(&child, Signal::INT);
            sleep(Duration::from_millis(20)).await;
        }
        send(&child, Signal::TERM);
        assert_eq!(ended_by(&mut child).await, Signal::TERM);
    });
}

#[test]
fn the_default_action_is_back_once_the_last_listener_is_dropped() {
    const TEST: &str = "the_default_action_is_back_once_the_last_listener_is_dropped";
    if is_child_of(TEST) {
        let listen = || signal(SignalKind::user_defined1()).expect("a listener");
        let (first, second) = (listen(), listen());
        drop(first);
        drop(second);
        eprintln!("listening");
        hang();
    }
    with_child(TEST, async |mut child, _lines| {
        send(&child, Signal::USR1);
        assert_eq!(ended_by(&mut child).await, Signal::USR1);
    });
}

#[test]
fn while_one_listener_is_left_the_process_goes_on() {
    const TEST: &str = "while_one_listener_is_left_the_process_goes_on";
    if is_child_of(TEST) {
        Flavour::FourWorkers.runtime().block_on(async {
            let listen = || signal(SignalKind::user_defined1()).expect("a listener");
            let (first, mut second) = (listen(), listen());
            drop(first);
            eprintln!("listening");
            second.recv().await;
            eprintln!("heard");
            second.recv().await;
        });
        std::process::exit(7);
    }
    with_child(TEST, async |mut child, mut lines| {
        send(&child, Signal::USR1);
        assert_eq!(lines.next().await, "heard");
        send(&child, Signal::USR1);
        assert_eq!(child.wait().await.expect("a status").code(), Some(7));
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_was_ignored_before_is_ignored_again() {
    const TEST: &str = "a_signal_that_was_ignored_before_is_ignored_again";
    if is_child_of(TEST) {
        Flavour::CurrentThread.runtime().block_on(async {
            let mut listener = signal(SignalKind::hangup()).expect("a listener");
            eprintln!("listening");
            listener.recv().await;
        });
        eprintln!("heard");
        hang();
    }
    within(TEST, || {
        Flavour::CurrentThread.runtime().block_on(async {
            // What `nohup` does.
            let direct = child_of(TEST).into_std();
            let mut under_sh = gristmill::process::Command::new("sh");
            under_sh
                .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
                .arg(direct.get_program())
                .args(direct.get_args())
                .envs(
                    direct
                        .get_envs()
                        .filter_map(|(key, value)| Some((key, value?))),
                )
                .stderr(gristmill::process::Stdio::piped())
                .stdout(gristmill::process::Stdio::null())
                .kill_on_drop(true);
            let mut child = under_sh.spawn().expect("a child");
            let mut lines = Lines::of(&mut child);
            assert_eq!(lines.next().await, "listening");
            send(&child, Signal::HUP);
            assert_eq!(lines.next().await, "heard");
            // Of two that are pending the lower number comes first, and this is not the one that ends it.
            send(&child, Signal::HUP);
            send(&child, Signal::TERM);
            assert_eq!(ended_by(&mut child).await, Signal::TERM);
        });
    });
}

#[test]
fn a_program_that_waits_for_the_request_to_end_ends_in_order() {
    const TEST: &str = "a_program_that_waits_for_the_request_to_end_ends_in_order";
    if is_child_of(TEST) {
        let runtime = Flavour::FourWorkers.runtime();
        runtime.block_on(async {
            let waiting = shutdown_signal();
            eprintln!("listening");
            let kind = waiting.await.expect("heard");
            eprintln!("{kind:?}");
        });
        drop(runtime);
        std::process::exit(0);
    }
    with_child(TEST, async |mut child, mut lines| {
        send(&child, Signal::TERM);
        assert_eq!(lines.next().await, "SIGTERM");
        assert_eq!(child.wait().await.expect("a status").code(), Some(0));
    });
}
