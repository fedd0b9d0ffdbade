//! Streams of bytes cut into frames: each with its length before it, or one a line.
//!
//! [`Framed`] makes of a reader and writer a stream of what comes and a sink for what goes; [`FramedRead`] and [`FramedWrite`] do
//! the same for one way. What a frame is, a codec says:
//!
//! * [`LengthDelimitedCodec`] — its length in front, as a number of fixed width
//! * [`LinesCodec`] — a line of text
//! * [`BytesCodec`] — whatever has come
//! * one of your own, by [`Decoder`] and [`Encoder`]
//!
//! The machinery is that of the crate `asynchronous-codec`. Its own codecs of these kinds have no limit on the length of a frame, so
//! they are not here: whoever sends a length of gigabytes, or never ends a line, gets an error from those above.
//!
//! Needs the feature `codec`.
//!
//! # The end of the bytes
//!
//! Between two frames, the end of the bytes is the end of the stream of frames. Inside of one it is an error of kind
//! [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof); but the last line needs no end.
//!
//! # Examples
//!
//! ```
//! use gristmill::io::codec::{Framed, LengthDelimitedCodec, SinkExt};
//! use gristmill::net::UnixStream;
//! use gristmill::stream::StreamExt;
//!
//! gristmill::run(async {
//!     let (one, other) = UnixStream::pair()?;
//!     let mut one = Framed::new(one, LengthDelimitedCodec::new());
//!     let mut other = Framed::new(other, LengthDelimitedCodec::new());
//!     one.send("a frame".into()).await?;
//!     let frame = other.next().await.expect("the connection stands")?;
//!     assert_eq!(frame, "a frame");
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

mod length;
mod lines;

pub use asynchronous_codec::{
    Bytes, BytesCodec, BytesMut, Decoder, Encoder, Framed, FramedParts, FramedRead,
    FramedReadParts, FramedWrite, FramedWriteParts,
};
pub use futures_util::{Sink, SinkExt};
pub use length::LengthDelimitedCodec;
pub use lines::LinesCodec;
