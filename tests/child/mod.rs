//! What the tests with several processes share: this program once more as a child, and signals to processes of ours.
#![allow(
    dead_code,
    reason = "every test file is a program of its own and uses some of this"
)]

use gristmill::io::{AsyncBufReadExt, BufReader};
use gristmill::process::{Child, ChildStderr, Command, Stdio};
use rustix::process::{Pid, Signal, getpid, kill_process};

const ROLE: &str = "GRISTMILL_TEST_CHILD";

/// Whether this process is the child of the test of that name.
pub(crate) fn is_child_of(test: &str) -> bool {
    std::env::var_os(ROLE).is_some_and(|role| role == test)
}

/// This program once more, with this test alone, as its child. The child says what it has to say on its standard error: the
/// test runner writes to the output.
pub(crate) fn child_of(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, test)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What a child writes to its standard error, line by line.
pub(crate) struct Lines(BufReader<ChildStderr>);

impl Lines {
    pub(crate) fn of(child: &mut Child) -> Self {
        Self(BufReader::new(child.stderr.take().expect("a pipe")))
    }

    pub(crate) async fn next(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.expect("a read");
        line.trim_end().to_owned()
    }
}

/// Sends a signal to a child of ours that has not been waited for.
pub(crate) fn send(child: &Child, signal: Signal) {
    let id = child.id().expect("not waited for").cast_signed();
    kill_process(Pid::from_raw(id).expect("not zero"), signal).expect("it is ours");
}

/// Sends a signal to this process.
pub(crate) fn raise(signal: Signal) {
    kill_process(getpid(), signal).expect("it is ours");
}

/// Whether there is a process of that number, a zombie included.
#[cfg(target_os = "linux")]
pub(crate) fn exists(id: u32) -> bool {
    std::path::Path::new(&format!("/proc/{id}")).exists()
}
