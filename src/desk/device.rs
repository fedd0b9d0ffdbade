//! What a device must be able to do for a desk.

use std::io;

/// Something that takes bytes and may block for it.
pub(crate) trait Device: Send + Sync + 'static {
    /// Hands all bytes to the operating system.
    fn put(&self, bytes: &[u8]) -> io::Result<()>;

    /// Takes the cursor back over bytes that were read and not asked for.
    ///
    /// What has no cursor says `NotSeekable`, and keeps those bytes.
    fn step_back(&self, by: u64) -> io::Result<()>;
}
