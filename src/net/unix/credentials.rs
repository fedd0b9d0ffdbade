//! Who the process at the other end of a Unix socket is, by the word of the operating system.

use std::io;
use std::os::fd::AsFd;

/// Who the process at the other end is; made by [`UnixStream::peer_cred`](crate::net::UnixStream::peer_cred).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UCred {
    uid: u32,
    gid: u32,
    pid: Option<i32>,
}

impl UCred {
    /// The user that it runs as.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The group that it runs as.
    pub fn gid(&self) -> u32 {
        self.gid
    }

    /// Its number, if the operating system tells. The process may have ended since, and the number be another's.
    pub fn pid(&self) -> Option<i32> {
        self.pid
    }

    #[cfg(target_os = "linux")]
    pub(in crate::net) fn of_peer(socket: &impl AsFd) -> io::Result<Self> {
        let peer = rustix::net::sockopt::socket_peercred(socket)?;
        Ok(Self {
            uid: peer.uid.as_raw(),
            gid: peer.gid.as_raw(),
            pid: Some(peer.pid.as_raw_nonzero().get()),
        })
    }

    #[cfg(not(target_os = "linux"))]
    pub(in crate::net) fn of_peer(_: &impl AsFd) -> io::Result<Self> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "gristmill can tell who the peer of a Unix socket is on Linux only",
        ))
    }
}
