//! A child that was started.

use super::running::Running;
use super::{ChildStderr, ChildStdin, ChildStdout, ExitStatus, Output};
use crate::io::{AsyncRead, AsyncReadExt};
use crate::signal::unix::SignalKind;
use futures_lite::future::try_zip;
use std::io;
use std::process;

/// A child process; made by [`Command::spawn`](super::Command::spawn).
///
/// Dropping it lets it run on, unless [`kill_on_drop`](super::Command::kill_on_drop) was set; its pipes are closed. When it
/// ends, it is reaped.
///
/// # Examples
///
/// ```
/// use gristmill::io::{AsyncReadExt, AsyncWriteExt};
/// use gristmill::process::{Command, Stdio};
///
/// gristmill::run(async {
///     let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
///     let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
///     stdin.write_all(b"meow").await?;
///     drop(stdin);
///     let mut text = String::new();
///     stdout.read_to_string(&mut text).await?;
///     assert_eq!(text, "meow");
///     assert!(child.wait().await?.success());
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[derive(Debug)]
pub struct Child {
    /// The child's standard input, if it was made a pipe and not been taken.
    pub stdin: Option<ChildStdin>,
    /// The child's standard output, if it was made a pipe and not been taken.
    pub stdout: Option<ChildStdout>,
    /// The child's standard error, if it was made a pipe and not been taken.
    pub stderr: Option<ChildStderr>,
    running: Running,
}

impl Child {
    /// Takes over a child that has just been started; kills it if that fails.
    pub(super) fn new(mut child: process::Child, kill_on_drop: bool) -> io::Result<Self> {
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let running = Running::new(child, kill_on_drop)?;
        let mut child = Self {
            stdin: None,
            stdout: None,
            stderr: None,
            running,
        };
        match child.take_over(pipes) {
            Ok(()) => Ok(child),
            Err(error) => {
                // Nobody would hear of it: it must not run unknown to all.
                let _ = child.start_kill();
                Err(error)
            }
        }
    }

    fn take_over(
        &mut self,
        (stdin, stdout, stderr): (
            Option<process::ChildStdin>,
            Option<process::ChildStdout>,
            Option<process::ChildStderr>,
        ),
    ) -> io::Result<()> {
        self.stdin = stdin.map(ChildStdin::from_std).transpose()?;
        self.stdout = stdout.map(ChildStdout::from_std).transpose()?;
        self.stderr = stderr.map(ChildStderr::from_std).transpose()?;
        Ok(())
    }

    /// The number of the process; `None` once its end is known, for another may have the number then.
    pub fn id(&self) -> Option<u32> {
        self.running.id()
    }

    /// Tells how the child ended, if it has. Does not close its standard input.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as that somebody else has waited for the child.
    #[doc(alias = "returncode")]
    #[doc(alias = "poll")]
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.running.try_wait()
    }

    /// Waits until the child has ended, and tells how. Closes its standard input first, so that a child that reads to the end
    /// does end.
    ///
    /// Read what the child writes at the same time, or it waits for ever once a pipe is full:
    /// [`wait_with_output`](Self::wait_with_output) does. After the end, this answers at once, as often as it is asked.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as that somebody else has waited for the child.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: ask again. The standard input stays closed; take it out of [`stdin`](Self::stdin) to keep it.
    #[doc(alias = "waitpid")]
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.running.wait().await
    }

    /// Waits until the child has ended, and collects what it writes meanwhile.
    ///
    /// What was not made a pipe, or has been taken, is empty in the answer. Both outputs are read at the same time. If something
    /// that the child has started holds them open, this waits for that as well.
    ///
    /// # Errors
    ///
    /// As of [`wait`](Self::wait), and what reading says.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was read is lost, and the child is dropped.
    #[doc(alias = "communicate")]
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        let outputs = try_zip(read_all(self.stdout.take()), read_all(self.stderr.take()));
        let (status, (stdout, stderr)) = try_zip(self.running.wait(), outputs).await?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// Kills the child (`SIGKILL`) without waiting for its end.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if its end is known already; otherwise what the operating system says.
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.running.start_kill()
    }

    /// Sends the child a signal, such as `SIGTERM`, the polite request to end.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if its end is known already, or the signal has no name; otherwise what the operating system says.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::process::Command;
    /// use gristmill::signal::unix::SignalKind;
    /// use std::os::unix::process::ExitStatusExt;
    ///
    /// gristmill::run(async {
    ///     let mut child = Command::new("sleep").arg("1000").spawn()?;
    ///     child.send_signal(SignalKind::terminate())?;
    ///     assert_eq!(child.wait().await?.signal(), Some(15));
    ///     Ok::<(), std::io::Error>(())
    /// })
    /// # .unwrap();
    /// ```
    #[doc(alias = "terminate")]
    pub fn send_signal(&mut self, kind: SignalKind) -> io::Result<()> {
        self.running.send_signal(kind)
    }

    /// Kills the child (`SIGKILL`), and waits for its end.
    ///
    /// To ask it to end instead, [send](Self::send_signal) it `SIGTERM`.
    ///
    /// # Errors
    ///
    /// As of [`start_kill`](Self::start_kill) and [`wait`](Self::wait).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the child is killed in the first poll, and [`wait`](Self::wait) can be asked.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await.map(|_| ())
    }
}

/// Everything up to the end.
async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
