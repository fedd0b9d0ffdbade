//! Tickets: what is started carries one, and its end is entered when the ticket is dropped.
//!
//! ```text
//!   task(fate) ──▶ future with a ticket of TASKS ──completes──▶ Output, with a ticket of OUTPUTS
//!        └───────▶ Claim, with a ticket of HANDLES ──result──▶ the Output of this very task, a panic that was planned,
//!                                                              or a cancellation that somebody asked for
//! ```

use std::any::Any;
use std::panic::resume_unwind;

use gristmill::runtime::Handle;
use gristmill::task::{JoinError, JoinHandle};

use super::ledger::{self, Account, End};
use super::verdict::{fault, violation};

/// Something that has started. Dropping it is its end.
pub(super) struct Ticket {
    account: &'static Account,
    serial: u64,
    end: End,
}

impl Ticket {
    pub(super) fn new(account: &'static Account) -> Self {
        Self {
            account,
            serial: account.start(),
            end: End::Cancelled,
        }
    }

    pub(super) fn complete(mut self) {
        self.end = End::Completed;
    }

    pub(super) fn fail(mut self) {
        self.end = End::Failed;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.account.end(self.serial, self.end);
    }
}

/// What a task or a job gives.
pub(super) struct Output {
    /// The serial of the one that made it.
    of: u64,
    ticket: Ticket,
}

/// The payload of a panic that was planned, with the serial of the one that panics.
struct Planned(u64);

/// Ends the task of this ticket with a panic. No hook is called, so nothing is printed.
pub(super) fn panic_as_planned(ticket: Ticket) -> ! {
    let serial = ticket.serial;
    ticket.fail();
    resume_unwind(Box::new(Planned(serial)))
}

/// The handle of something that carries a ticket.
pub(super) struct Claim {
    handle: JoinHandle<Output>,
    serial: u64,
    aborted: bool,
    ticket: Ticket,
}

/// What came of a claim.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Output,
    Cancelled,
    Panicked,
}

/// Spawns a task with a ticket; `fate` gives it back at the end, or panics.
pub(super) fn task<F>(fate: impl FnOnce(Ticket) -> F) -> Claim
where
    F: Future<Output = Ticket> + Send + 'static,
{
    task_on(&Handle::current(), fate)
}

/// As `task`, from anywhere.
pub(super) fn task_on<F>(handle: &Handle, fate: impl FnOnce(Ticket) -> F) -> Claim
where
    F: Future<Output = Ticket> + Send + 'static,
{
    let ticket = Ticket::new(&ledger::TASKS);
    let serial = ticket.serial;
    let fate = fate(ticket);
    Claim::new(handle.spawn(async move { output(fate.await) }), serial)
}

/// Starts a job with a ticket on the blocking pool.
pub(super) fn job(handle: &Handle, work: impl FnOnce() + Send + 'static) -> Claim {
    let ticket = Ticket::new(&ledger::JOBS);
    let serial = ticket.serial;
    let work = move || {
        work();
        output(ticket)
    };
    Claim::new(handle.spawn_blocking(work), serial)
}

/// Starts a job with a ticket on the blocking pool that panics.
pub(super) fn panicking_job(handle: &Handle) -> Claim {
    let ticket = Ticket::new(&ledger::JOBS);
    let serial = ticket.serial;
    Claim::new(
        handle.spawn_blocking(move || panic_as_planned(ticket)),
        serial,
    )
}

/// Starts a job with a ticket on the compute pool.
pub(super) fn computation(handle: &Handle, work: impl FnOnce() + Send + 'static) -> Claim {
    let ticket = Ticket::new(&ledger::COMPUTATIONS);
    let serial = ticket.serial;
    let work = move || {
        work();
        output(ticket)
    };
    Claim::new(handle.spawn_compute(work), serial)
}

/// Turns the ticket of what is done into its output.
pub(super) fn output(done: Ticket) -> Output {
    let of = done.serial;
    done.complete();
    Output {
        of,
        ticket: Ticket::new(&ledger::OUTPUTS),
    }
}

impl Output {
    /// Takes it from whoever handed it over.
    pub(super) fn take(self) {
        self.ticket.complete();
    }
}

impl Claim {
    fn new(handle: JoinHandle<Output>, serial: u64) -> Self {
        Self {
            handle,
            serial,
            aborted: false,
            ticket: Ticket::new(&ledger::HANDLES),
        }
    }

    /// Asks for the end of the task.
    pub(super) fn abort(&mut self) {
        self.aborted = true;
        self.handle.abort();
    }

    /// Waits for the result, and checks that it is the one of this task.
    pub(super) async fn result(self) -> Answer {
        let Self {
            handle,
            serial,
            aborted,
            ticket,
        } = self;
        let result = handle.await;
        ticket.complete();
        match result {
            Ok(output) => {
                if output.of != serial {
                    violation(format!("task {serial} gave the output of {}", output.of));
                }
                output.take();
                Answer::Output
            }
            Err(error) => failure(error, serial, aborted),
        }
    }
}

fn failure(error: JoinError, serial: u64, aborted: bool) -> Answer {
    if error.is_cancelled() {
        if !aborted {
            fault(format!("task {serial} was cancelled, and nobody had asked"));
        }
        return Answer::Cancelled;
    }
    match error.try_into_panic() {
        Ok(payload) => check_panic(payload.as_ref(), serial),
        // A job for which there was no thread; the program stays far below every limit.
        Err(error) => violation(format!("task {serial} could not run: {error}")),
    }
    Answer::Panicked
}

fn check_panic(payload: &(dyn Any + Send), serial: u64) {
    match payload.downcast_ref::<Planned>() {
        Some(&Planned(own)) if own == serial => {}
        Some(&Planned(other)) => {
            violation(format!("task {serial} ended with the panic of {other}"));
        }
        None => fault(format!("task {serial} panicked, which was not planned")),
    }
}
