//! Stands in for the descriptor of a child's end where there is none.

use std::io;
use std::process::Child;

/// There is none.
#[derive(Debug)]
pub(in crate::process) enum ExitDescriptor {}

impl ExitDescriptor {
    pub(super) fn new(_: &Child) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) async fn ended(&self) -> io::Result<()> {
        match *self {}
    }
}
