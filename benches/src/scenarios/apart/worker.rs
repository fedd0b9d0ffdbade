//! The other end of `processes`: this program, started again.
//!
//! ```text
//!   jobs   stdin: (seed, count, steps), each a u64 ──▶ stdout: a u64 that depends on all of them
//!   echo   stdout: the port of a server, on a line; until stdin ends
//! ```

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::str::FromStr;

use super::threads;
use crate::scenarios::cpu::crunch;

/// What a worker process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trade {
    Jobs,
    Echo,
}

impl Trade {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Echo => "echo",
        }
    }
}

impl FromStr for Trade {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Jobs, Self::Echo]
            .into_iter()
            .find(|trade| trade.name() == name)
            .ok_or_else(|| format!("a worker does jobs or echo, not `{name}`"))
    }
}

/// Seeds `first .. first + count`, and the steps for each.
#[derive(Clone, Copy)]
pub(super) struct Request {
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) steps: u64,
}

impl Request {
    pub(super) fn send(self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.first.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..].copy_from_slice(&self.steps.to_le_bytes());
        to.write_all(&bytes)
    }

    /// `None` when nobody will ask any more.
    fn receive(from: &mut impl Read) -> io::Result<Option<Self>> {
        let Some(first) = number(from)? else {
            return Ok(None);
        };
        let (count, steps) = (number(from)?, number(from)?);
        let missing = || io::Error::from(ErrorKind::UnexpectedEof);
        Ok(Some(Self {
            first,
            count: count.ok_or_else(missing)?,
            steps: steps.ok_or_else(missing)?,
        }))
    }
}

/// A number in eight bytes; `None` at the end of `from`.
pub(super) fn number(from: &mut impl Read) -> io::Result<Option<u64>> {
    let mut bytes = [0; 8];
    match from.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u64::from_le_bytes(bytes))),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Works until standard input ends.
pub(crate) fn run(trade: Trade) -> Result<(), Box<dyn Error>> {
    let (mut stdin, mut stdout) = (io::stdin().lock(), io::stdout().lock());
    match trade {
        Trade::Jobs => {
            while let Some(request) = Request::receive(&mut stdin)? {
                let seeds = request.first..request.first + request.count;
                let all = seeds.map(|seed| crunch(seed, request.steps));
                let answer = all.fold(0, u64::wrapping_add);
                stdout.write_all(&answer.to_le_bytes())?;
                stdout.flush()?;
            }
        }
        Trade::Echo => {
            writeln!(stdout, "{}", threads::serve()?.port())?;
            stdout.flush()?;
            io::copy(&mut stdin, &mut io::sink())?;
        }
    }
    Ok(())
}
