//! Frames with their length in front.
//!
//! # Invariants
//!
//! * F1 — Nothing is reserved for a frame before its bytes are there, and no length above the limit is waited for.

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use std::io;

/// 8 MiB.
const LIMIT: usize = 8 * 1024 * 1024;

/// Frames with their length in front, as a number of fixed width that does not count itself.
///
/// | | default | |
/// |---|---|---|
/// | width of the number | 4 bytes | [`length_field_length`](Self::length_field_length) |
/// | order of its bytes | most significant first | [`little_endian`](Self::little_endian) |
/// | longest frame | 8 MiB | [`max_frame_length`](Self::max_frame_length) |
///
/// A longer frame is an error both ways: [`InvalidInput`](io::ErrorKind::InvalidInput) for one to be sent, of which nothing is
/// sent then, and [`InvalidData`](io::ErrorKind::InvalidData) for one that comes. The latter is for good: where
/// the next frame would begin is not known.
///
/// # Examples
///
/// ```
/// use gristmill::io::codec::{BytesMut, Encoder, LengthDelimitedCodec};
///
/// let mut codec = LengthDelimitedCodec::new().length_field_length(2).max_frame_length(1000);
/// let mut bytes = BytesMut::new();
/// codec.encode("hi".into(), &mut bytes)?;
/// assert_eq!(&bytes[..], b"\x00\x02hi");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "LengthCodec")]
pub struct LengthDelimitedCodec {
    limit: usize,
    /// How many bytes the number has, 1 to 8.
    width: usize,
    order: Order,
}

/// The order of the bytes of the number.
#[derive(Clone, Copy, Debug)]
enum Order {
    Big,
    Little,
}

impl LengthDelimitedCodec {
    /// A codec with the defaults of the table above.
    pub const fn new() -> Self {
        Self {
            limit: LIMIT,
            width: 4,
            order: Order::Big,
        }
    }

    /// Sets the longest frame, in bytes, without the number in front of it.
    #[must_use]
    pub const fn max_frame_length(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Sets how many bytes the number in front has.
    ///
    /// # Panics
    ///
    /// If it is not 1 to 8.
    #[must_use]
    pub const fn length_field_length(mut self, bytes: usize) -> Self {
        assert!(
            bytes >= 1 && bytes <= 8,
            "the length in front of a frame takes 1 to 8 bytes"
        );
        self.width = bytes;
        self
    }

    /// The least significant byte of the number comes first.
    #[must_use]
    pub const fn little_endian(mut self) -> Self {
        self.order = Order::Little;
        self
    }

    /// The number, of exactly `width` bytes.
    fn read(&self, bytes: &[u8]) -> u64 {
        let append = |number, byte: &u8| number << 8 | u64::from(*byte);
        match self.order {
            Order::Big => bytes.iter().fold(0, append),
            Order::Little => bytes.iter().rev().fold(0, append),
        }
    }

    fn write(&self, number: u64, dst: &mut BytesMut) {
        match self.order {
            Order::Big => dst.extend_from_slice(&number.to_be_bytes()[8 - self.width..]),
            Order::Little => dst.extend_from_slice(&number.to_le_bytes()[..self.width]),
        }
    }

    /// The largest length that is allowed and fits into the number.
    fn longest(&self) -> u64 {
        let fits = u64::MAX >> (64 - 8 * self.width);
        fits.min(self.limit as u64)
    }
}

impl Default for LengthDelimitedCodec {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder for LengthDelimitedCodec {
    type Item<'a> = Bytes;
    type Error = io::Error;

    fn encode(&mut self, item: Bytes, dst: &mut BytesMut) -> io::Result<()> {
        let length = item.len() as u64;
        if length > self.longest() {
            return Err(too_long(
                io::ErrorKind::InvalidInput,
                length,
                self.longest(),
            ));
        }
        dst.reserve(self.width + item.len());
        self.write(length, dst);
        dst.extend_from_slice(&item);
        Ok(())
    }
}

impl Decoder for LengthDelimitedCodec {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<Bytes>> {
        if src.len() < self.width {
            return Ok(None);
        }
        let length = self.read(&src[..self.width]);
        // F1.
        if length > self.limit as u64 {
            return Err(too_long(
                io::ErrorKind::InvalidData,
                length,
                self.limit as u64,
            ));
        }
        // The limit fits into `usize`, and the length is within it.
        let length = length as usize;
        if src.len() - self.width < length {
            return Ok(None);
        }
        drop(src.split_to(self.width));
        Ok(Some(src.split_to(length).freeze()))
    }
}

#[cold]
fn too_long(kind: io::ErrorKind, length: u64, limit: u64) -> io::Error {
    let text = format!(
        "a frame of {length} bytes is longer than the limit of {limit}; see max_frame_length and length_field_length"
    );
    io::Error::new(kind, text)
}
