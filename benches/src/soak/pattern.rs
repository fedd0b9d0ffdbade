//! Bytes that tell their stream and their place in it, so that one that is lost, doubled or in the wrong place shows.

/// The byte at `place` of the stream.
fn byte(stream: u64, place: u64) -> u8 {
    // Different in neighbours, in neighbouring pages, and in neighbouring streams.
    (place
        ^ (place >> 8).wrapping_mul(31)
        ^ (place >> 16).wrapping_mul(97)
        ^ stream.wrapping_mul(57)) as u8
}

/// Fills `buffer` with what stands at `place` of the stream.
pub(super) fn fill(buffer: &mut [u8], stream: u64, place: u64) {
    for (own, place) in buffer.iter_mut().zip(place..) {
        *own = byte(stream, place);
    }
}

/// The place of the first byte that does not belong where it is.
pub(super) fn first_wrong(bytes: &[u8], stream: u64, place: u64) -> Option<u64> {
    bytes
        .iter()
        .zip(place..)
        .find(|&(&own, place)| own != byte(stream, place))
        .map(|(_, place)| place)
}
