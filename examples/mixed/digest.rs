//! The computing: what is worked out of each body.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

thread_local! {
    /// Each thread that digests keeps its encoder. A new one for each body takes 300 kB from the
    /// allocator and gives them back, and what is measured then is mostly page faults.
    static ENCODER: RefCell<DeflateEncoder<Counted>> =
        RefCell::new(DeflateEncoder::new(Counted(0), Compression::default()));
}

/// What a way has to find out about one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    /// The SHA-256 of the contents.
    sha256: [u8; 32],
    /// How many bytes the contents take once they are deflated.
    deflated: u64,
}

impl Digest {
    /// Digests a body. This is the work that must not get in the way of sockets.
    pub(crate) fn of(body: &[u8]) -> Self {
        let deflated = ENCODER.with_borrow_mut(|encoder| {
            match encoder
                .write_all(body)
                .and_then(|()| encoder.reset(Counted(0)))
            {
                Ok(counted) => counted.0,
                Err(error) => unreachable!("counting bytes cannot fail: {error}"),
            }
        });
        Self {
            sha256: Sha256::digest(body).into(),
            deflated,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.sha256 {
            write!(f, "{byte:02x}")?;
        }
        write!(f, " ({} bytes deflated)", self.deflated)
    }
}

/// Counts what is written to it and forgets it.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
