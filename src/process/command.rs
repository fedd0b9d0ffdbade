//! What to start, and how.

use super::{Child, ExitStatus, Output, Stdio, orphans};
use crate::runtime::Handle;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process;

/// A program to start as a child process, its arguments, and its surroundings.
///
/// | setting | default |
/// |---|---|
/// | [`arg`](Self::arg), [`args`](Self::args) | none |
/// | [`env`](Self::env), [`current_dir`](Self::current_dir), [`uid`](Self::uid), [`gid`](Self::gid), [`process_group`](Self::process_group) | this process's |
/// | [`stdin`](Self::stdin), [`stdout`](Self::stdout), [`stderr`](Self::stderr) | this process's; [`output`](Self::output) collects the latter two |
/// | [`kill_on_drop`](Self::kill_on_drop) | false |
///
/// What is not here can be set on the standard library's command, which becomes one of these with `Command::from`, and which
/// [`as_std_mut`](Self::as_std_mut) lends: `pre_exec`, for example, which is unsafe.
///
/// # Examples
///
/// ```
/// use gristmill::process::Command;
///
/// gristmill::run(async {
///     let status = Command::new("sh").args(["-c", "exit 3"]).status().await?;
///     assert_eq!(status.code(), Some(3));
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "create_subprocess_exec")]
#[doc(alias = "create_subprocess_shell")]
#[doc(alias = "Popen")]
#[derive(Debug)]
pub struct Command {
    std: process::Command,
    kill_on_drop: bool,
}

impl Command {
    /// A program, by its path or by a name to be looked up in `PATH`.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Self {
        process::Command::new(program).into()
    }

    /// The standard library's command.
    pub fn as_std(&self) -> &process::Command {
        &self.std
    }

    /// The standard library's command, to be changed.
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.std
    }

    /// Gives the standard library's command back.
    pub fn into_std(self) -> process::Command {
        self.std
    }

    /// Adds an argument.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Self {
        self.std.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.std.args(args);
        self
    }

    /// Sets the argument before all others, which most programs take for their name.
    pub fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Self {
        self.std.arg0(arg);
        self
    }

    /// Sets a variable of the environment.
    pub fn env<K: AsRef<OsStr>, V: AsRef<OsStr>>(&mut self, key: K, value: V) -> &mut Self {
        self.std.env(key, value);
        self
    }

    /// Sets variables of the environment.
    pub fn envs<I, K, V>(&mut self, variables: I) -> &mut Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.std.envs(variables);
        self
    }

    /// Takes a variable out of the environment.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Self {
        self.std.env_remove(key);
        self
    }

    /// Takes every variable out of the environment, those that were set here too.
    pub fn env_clear(&mut self) -> &mut Self {
        self.std.env_clear();
        self
    }

    /// Sets the folder that the child starts in.
    pub fn current_dir<P: AsRef<Path>>(&mut self, folder: P) -> &mut Self {
        self.std.current_dir(folder);
        self
    }

    /// Sets what the child reads as its standard input.
    pub fn stdin<T: Into<Stdio>>(&mut self, stdin: T) -> &mut Self {
        self.std.stdin(stdin);
        self
    }

    /// Sets where the child's standard output goes.
    pub fn stdout<T: Into<Stdio>>(&mut self, stdout: T) -> &mut Self {
        self.std.stdout(stdout);
        self
    }

    /// Sets where the child's standard error goes.
    pub fn stderr<T: Into<Stdio>>(&mut self, stderr: T) -> &mut Self {
        self.std.stderr(stderr);
        self
    }

    /// Sets the user that the child runs as.
    pub fn uid(&mut self, id: u32) -> &mut Self {
        self.std.uid(id);
        self
    }

    /// Sets the group that the child runs as.
    pub fn gid(&mut self, id: u32) -> &mut Self {
        self.std.gid(id);
        self
    }

    /// Puts the child into a process group; 0 makes it a new one, which a Ctrl-C at the terminal does not reach.
    pub fn process_group(&mut self, group: i32) -> &mut Self {
        self.std.process_group(group);
        self
    }

    /// Whether the child is killed (`SIGKILL`) when its [`Child`], or the future of [`status`](Self::status) or
    /// [`output`](Self::output), is dropped before the child has ended. It is reaped in any case.
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Self {
        self.kill_on_drop = kill;
        self
    }

    /// What [`kill_on_drop`](Self::kill_on_drop) was set to.
    pub fn get_kill_on_drop(&self) -> bool {
        self.kill_on_drop
    }

    /// Starts the child. Outputs and inputs that were set to [`Stdio::piped`] are in the fields of [`Child`].
    ///
    /// # Errors
    ///
    /// What the operating system says: `NotFound` if there is no such program, `PermissionDenied` if it may not be started.
    /// If there is no runtime on this thread, nothing is started. If there are not enough descriptors left to hear of the child
    /// and its pipes, it is killed.
    #[doc(alias = "fork")]
    pub fn spawn(&mut self) -> io::Result<Child> {
        // The pipes need one. Ask before there is a child.
        Handle::try_current().map_err(io::Error::other)?;
        orphans::reap();
        Child::new(self.std.spawn()?, self.kill_on_drop)
    }

    /// Starts the child, and waits until it has ended; tells how. Pipes to it are closed at once.
    ///
    /// The child is started by this call, not by the first poll.
    ///
    /// # Errors
    ///
    /// As of [`spawn`](Self::spawn) and [`Child::wait`].
    ///
    /// # Cancel safety
    ///
    /// The child runs on when the future is dropped, unless [`kill_on_drop`](Self::kill_on_drop) was set; how it ends cannot be
    /// learnt then.
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + Send + use<> {
        let child = self.spawn();
        async {
            let mut child = child?;
            drop((child.stdin.take(), child.stdout.take(), child.stderr.take()));
            child.wait().await
        }
    }

    /// Starts the child, and waits until it has ended; tells how, and what it wrote.
    ///
    /// The child is started by this call, not by the first poll. Its outputs are made pipes, whatever they were set to before.
    /// Everything that it writes is held in memory.
    ///
    /// # Errors
    ///
    /// As of [`spawn`](Self::spawn) and [`Child::wait_with_output`].
    ///
    /// # Cancel safety
    ///
    /// The child runs on when the future is dropped, unless [`kill_on_drop`](Self::kill_on_drop) was set; what it wrote is
    /// lost.
    #[doc(alias = "communicate")]
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + Send + use<> {
        self.std.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.spawn();
        async { child?.wait_with_output().await }
    }
}

impl From<process::Command> for Command {
    fn from(std: process::Command) -> Self {
        Self {
            std,
            kill_on_drop: false,
        }
    }
}
