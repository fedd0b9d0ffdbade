//! What the tests of protocols share: one that records its calls, and does what it is told.
#![allow(
    dead_code,
    reason = "every test file is a program of its own and uses some of this"
)]

use async_channel::{Receiver, Sender};
use gristmill::net::protocol::{Eof, Protocol, Transport};
use std::io::{self, ErrorKind};

/// A call that a protocol received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Made,
    Data(Vec<u8>),
    Eof,
    Pause,
    Resume,
    Lost(Option<ErrorKind>),
}

/// What a recorder does in a callback, after it has recorded the call.
type Action = Box<dyn FnMut(&Transport, &Call) + Send>;

/// A protocol that records its calls.
pub(crate) struct Recorder {
    calls: Sender<Call>,
    transport: Option<Transport>,
    eof: Eof,
    action: Action,
}

impl Recorder {
    pub(crate) fn new() -> (Self, Calls) {
        let (calls, receiver) = async_channel::unbounded();
        let recorder = Self {
            calls,
            transport: None,
            eof: Eof::Close,
            action: Box::new(|_, _| {}),
        };
        (recorder, Calls(receiver))
    }

    /// What to do in each callback.
    pub(crate) fn doing(mut self, action: impl FnMut(&Transport, &Call) + Send + 'static) -> Self {
        self.action = Box::new(action);
        self
    }

    pub(crate) fn keep_open(mut self) -> Self {
        self.eof = Eof::KeepOpen;
        self
    }

    fn record(&mut self, call: Call) {
        // A test that has seen enough does not listen any more.
        let _ = self.calls.try_send(call.clone());
        if let Some(transport) = &self.transport {
            (self.action)(transport, &call);
        }
    }
}

impl Protocol for Recorder {
    fn connection_made(&mut self, transport: Transport) {
        self.transport = Some(transport);
        self.record(Call::Made);
    }
    fn data_received(&mut self, data: &[u8]) {
        self.record(Call::Data(data.to_vec()));
    }
    fn eof_received(&mut self) -> Eof {
        self.record(Call::Eof);
        self.eof
    }
    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.record(Call::Lost(error.map(|error| error.kind())));
    }
    fn pause_writing(&mut self) {
        self.record(Call::Pause);
    }
    fn resume_writing(&mut self) {
        self.record(Call::Resume);
    }
}

/// The calls of a recorder, as they come.
pub(crate) struct Calls(Receiver<Call>);

impl Calls {
    pub(crate) async fn next(&self) -> Call {
        self.0.recv().await.expect("another call")
    }

    /// Those that have come and have not been asked for yet.
    pub(crate) fn so_far(&self) -> Vec<Call> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }

    /// All that are left, once the recorder is gone.
    pub(crate) async fn rest(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        while let Ok(call) = self.0.recv().await {
            calls.push(call);
        }
        calls
    }

    /// Takes data until there are so many bytes; fails at any other call.
    pub(crate) async fn data(&self, length: usize) -> Vec<u8> {
        let mut data = Vec::new();
        while data.len() < length {
            match self.next().await {
                Call::Data(more) => data.extend(more),
                call => panic!("{call:?} after {} bytes", data.len()),
            }
        }
        data
    }
}

/// Puts pieces of data that came one after the other together.
pub(crate) fn joined(calls: Vec<Call>) -> Vec<Call> {
    let mut result: Vec<Call> = Vec::new();
    for call in calls {
        match (result.last_mut(), call) {
            (Some(Call::Data(data)), Call::Data(more)) => data.extend(more),
            (_, call) => result.push(call),
        }
    }
    result
}
