//! The bytes on the wire, and nothing that reads or writes them.
//!
//! ```text
//!   client -> server   file number   4 bytes, big endian
//!   server -> client   kind          1 byte: 0 a body follows, 1 a reason why there is none
//!                      length        8 bytes, big endian
//!                      the body or the reason
//! ```
//!
//! A connection carries any number of such exchanges, one after the other.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

/// Nobody waits longer for the other end of a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a request.
pub(crate) const REQUEST: usize = 4;
/// Bytes in front of a body.
pub(crate) const HEAD: usize = 9;

/// No body is longer; a length beyond is a broken connection, not a reason to allocate.
const LONGEST: u64 = 1 << 30;
const BODY: u8 = 0;
const REASON: u8 = 1;

/// What a server has to say about a file: its contents, or why not.
pub(crate) type Answer = std::result::Result<Vec<u8>, String>;

/// What a server is about to send.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    kind: u8,
    /// How many bytes follow.
    pub(crate) length: usize,
}

/// The request for a file.
pub(crate) fn request(file: usize) -> [u8; REQUEST] {
    u32::try_from(file).unwrap_or(u32::MAX).to_be_bytes()
}

/// The file that is requested, of so many.
pub(crate) fn requested(bytes: [u8; REQUEST], files: usize) -> Result<usize> {
    let number = u32::from_be_bytes(bytes);
    match usize::try_from(number) {
        Ok(file) if file < files => Ok(file),
        _ => Err(broken(format!("file {number} was requested, of {files}"))),
    }
}

/// An answer as it is sent: in one piece, so that it does not take two packets and two wake-ups.
pub(crate) fn frame(answer: &Answer) -> Vec<u8> {
    let (kind, bytes) = match answer {
        Ok(body) => (BODY, body.as_slice()),
        Err(reason) => (REASON, reason.as_bytes()),
    };
    let mut message = Vec::with_capacity(HEAD + bytes.len());
    message.push(kind);
    message.extend((bytes.len() as u64).to_be_bytes());
    message.extend(bytes);
    message
}

impl Head {
    /// Reads the head of an answer.
    pub(crate) fn parse(bytes: [u8; HEAD]) -> Result<Self> {
        let [kind, length @ ..] = bytes;
        let length = u64::from_be_bytes(length);
        match (kind, usize::try_from(length)) {
            (BODY | REASON, Ok(length)) if length as u64 <= LONGEST => Ok(Self { kind, length }),
            _ => Err(broken(format!(
                "an answer of kind {kind} and {length} bytes"
            ))),
        }
    }

    /// The body, once it has come; the server's reason is an error.
    pub(crate) fn body(self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        match self.kind {
            BODY => Ok(bytes),
            _ => Err(Error::other(String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
}

/// Bytes that make no sense.
fn broken(what: String) -> Error {
    Error::new(ErrorKind::InvalidData, format!("broken connection: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        for file in [0, 1, 19_999] {
            assert_eq!(requested(request(file), 20_000).unwrap(), file);
        }
    }

    #[test]
    fn a_request_for_a_file_that_is_not_there_is_refused() {
        assert!(requested(request(3), 3).is_err());
        assert!(requested([0xff; REQUEST], 3).is_err());
    }

    #[test]
    fn a_body_and_a_reason_arrive_as_they_were_sent() {
        for answer in [
            Ok(b"body".to_vec()),
            Ok(Vec::new()),
            Err("no such file".to_owned()),
        ] {
            let message = frame(&answer);
            let (head, bytes) = message.split_at(HEAD);
            let head = head.try_into().expect("a whole head");
            let head = Head::parse(head).unwrap();
            assert_eq!(head.length, bytes.len());
            let arrived = head.body(bytes.to_vec()).map_err(|error| error.to_string());
            assert_eq!(arrived, answer);
        }
    }

    #[test]
    fn a_head_that_makes_no_sense_is_a_broken_connection() {
        let unknown_kind = [2; HEAD];
        let endless = [BODY, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        for head in [unknown_kind, endless] {
            let error = Head::parse(head).err().expect("this head is wrong");
            assert!(error.to_string().contains("broken connection"), "{error}");
        }
    }
}
