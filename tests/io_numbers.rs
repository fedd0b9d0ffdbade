//! What numbers promise: their width and byte order, in one piece or byte by byte, and an error where they do not end.

mod common;

use common::cut::at_each_poll;
use gristmill::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Cursor};
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Reads and writes one byte at a time, each after a pending poll.
#[derive(Default)]
struct Drip {
    bytes: Vec<u8>,
    taken: usize,
    ready: bool,
}

impl Drip {
    fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            ..Self::default()
        }
    }

    /// Every other call is pending.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.ready = !self.ready;
        if self.ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Drip {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.turn(cx));
        let Some(byte) = self.bytes.get(self.taken) else {
            return Poll::Ready(Ok(0));
        };
        buffer[0] = *byte;
        self.taken += 1;
        Poll::Ready(Ok(1))
    }
}

impl AsyncWrite for Drip {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.turn(cx));
        self.bytes.push(bytes[0]);
        Poll::Ready(Ok(1))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..1000 {
        let poll = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(output) = poll {
            return output;
        }
    }
    panic!("still pending after 1000 polls");
}

/// Each number written and read, whole and in drips, against the bytes that the standard library makes of it; then ended at
/// each byte before its last.
macro_rules! number {
    ($number:expr, $write:ident, $read:ident, $bytes:ident) => {{
        let number = $number;
        let expected = number.$bytes();
        let name = stringify!($read);

        let mut whole = Vec::new();
        finish(whole.$write(number)).unwrap();
        assert_eq!(whole, expected, "{}", stringify!($write));
        let mut drip = Drip::default();
        finish(drip.$write(number)).unwrap();
        assert_eq!(drip.bytes, expected, "{} in drips", stringify!($write));

        assert_eq!(finish((&expected[..]).$read()).unwrap(), number, "{name}");
        assert_eq!(
            finish(Drip::of(&expected).$read()).unwrap(),
            number,
            "{name} in drips"
        );
        for end in 0..expected.len() {
            let error = finish(Drip::of(&expected[..end]).$read()).unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::UnexpectedEof,
                "{name} ended at {end}"
            );
            let mut room = vec![0; end];
            let error = finish(Cursor::new(&mut room[..]).$write(number)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WriteZero, "room for {end}");
        }
    }};
}

#[test]
fn numbers_of_one_byte_come_and_go() {
    number!(0xfe_u8, write_u8, read_u8, to_be_bytes);
    number!(-3_i8, write_i8, read_i8, to_be_bytes);
}

#[test]
fn numbers_come_and_go_most_significant_byte_first() {
    number!(0x0102_u16, write_u16, read_u16, to_be_bytes);
    number!(-0x0102_i16, write_i16, read_i16, to_be_bytes);
    number!(0x0102_0304_u32, write_u32, read_u32, to_be_bytes);
    number!(-0x0102_0304_i32, write_i32, read_i32, to_be_bytes);
    number!(0x0102_0304_0506_0708_u64, write_u64, read_u64, to_be_bytes);
    number!(-0x0102_0304_0506_0708_i64, write_i64, read_i64, to_be_bytes);
    number!(u128::MAX / 7, write_u128, read_u128, to_be_bytes);
    number!(i128::MIN / 7, write_i128, read_i128, to_be_bytes);
    number!(1.0_f32 / 3.0, write_f32, read_f32, to_be_bytes);
    number!(-1.0_f64 / 3.0, write_f64, read_f64, to_be_bytes);
}

#[test]
fn numbers_come_and_go_least_significant_byte_first() {
    number!(0x0102_u16, write_u16_le, read_u16_le, to_le_bytes);
    number!(-0x0102_i16, write_i16_le, read_i16_le, to_le_bytes);
    number!(0x0102_0304_u32, write_u32_le, read_u32_le, to_le_bytes);
    number!(-0x0102_0304_i32, write_i32_le, read_i32_le, to_le_bytes);
    number!(
        0x0102_0304_0506_0708_u64,
        write_u64_le,
        read_u64_le,
        to_le_bytes
    );
    number!(
        -0x0102_0304_0506_0708_i64,
        write_i64_le,
        read_i64_le,
        to_le_bytes
    );
    number!(u128::MAX / 7, write_u128_le, read_u128_le, to_le_bytes);
    number!(i128::MIN / 7, write_i128_le, read_i128_le, to_le_bytes);
    number!(1.0_f32 / 3.0, write_f32_le, read_f32_le, to_le_bytes);
    number!(-1.0_f64 / 3.0, write_f64_le, read_f64_le, to_le_bytes);
}

#[test]
fn a_number_of_one_byte_is_not_lost_with_a_dropped_read() {
    at_each_poll(|cut| {
        let mut reader = Drip::of(&[7, 8]);
        let first = cut.drive(reader.read_u8(), |_| {});
        let first = first.unwrap_or_else(|| finish(reader.read_u8()));
        assert_eq!(first.unwrap(), 7);
        assert_eq!(finish(reader.read_u8()).unwrap(), 8);
    });
}
