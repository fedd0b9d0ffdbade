//! What the feature `tracing` promises: the reports of debug mode are events, and are not printed besides.

use gristmill::runtime::Builder;
use gristmill::task;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn reports_are_events_of_the_target_gristmill_with_fields() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .init();
    let runtime = Builder::new()
        .worker_threads(1)
        .debug(true)
        .build()
        .expect("a runtime");
    let left = task::Builder::new().name("left behind");
    drop(left.spawn_on(std::future::pending::<()>(), runtime.handle()));
    let panics = task::Builder::new().name("unlucky");
    drop::<task::JoinHandle<()>>(panics.spawn_on(async { panic!("oh") }, runtime.handle()));
    while runtime.metrics().unobserved_panics() == 0 {
        std::thread::yield_now();
    }
    drop(runtime);
    let text = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
    let line_of = |kind: &str| {
        text.lines()
            .find(|line| line.contains(&format!("kind=\"{kind}\"")))
            .unwrap_or_else(|| panic!("no {kind} in {text}"))
            .to_owned()
    };
    let unfinished = line_of("unfinished_task");
    assert!(unfinished.contains(" WARN gristmill: "), "{unfinished}");
    assert!(
        unfinished.contains("task.name=\"left behind\""),
        "{unfinished}"
    );
    assert!(
        unfinished.contains("task.spawned_at=tests/features/tests/tracing.rs:")
            || unfinished.contains("task.spawned_at=tests/tracing.rs:"),
        "{unfinished}"
    );
    assert!(!unfinished.contains("duration_ms"), "{unfinished}");
    assert!(line_of("unobserved_panic").contains("task.name=\"unlucky\""));
}
