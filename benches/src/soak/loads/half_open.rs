//! Peers that are there and say nothing, or have closed one way, or take nothing.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream as Peer};
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::TcpStream;
use gristmill::time::timeout;
use socket2::SockRef;

use super::super::pattern::{fill, first_wrong};
use super::super::stage::Stage;
use super::super::verdict::{fault, violation};

/// More than the system buffers on a connection, as a rule. Not allocated, since allocators keep what was large once.
static FLOOD: [u8; 4 << 20] = [0; 4 << 20];

pub(super) async fn run(mut stage: Stage) {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) {
        Ok(listener) => listener,
        Err(error) => return fault(format!("no listener: {error}")),
    };
    while stage.goes_on().await {
        if let Err(error) = meet(&mut stage, &listener).await {
            fault(format!("beside a half-open peer: {error}"));
        }
    }
}

async fn meet(stage: &mut Stage, listener: &TcpListener) -> io::Result<()> {
    stage.lane.at("connecting to a plain socket");
    let mut stream = TcpStream::connect(listener.local_addr()?).await?;
    // The connection is there already, so this does not block.
    let (peer, _) = listener.accept()?;
    match stage.dice.u8(0..3) {
        0 => silent(stage, &mut stream).await,
        1 => takes_nothing(stage, &mut stream).await,
        _ => closed_one_way(stage, &mut stream, &peer).await?,
    }
    // A reset, so that no port lingers.
    SockRef::from(&peer).set_linger(Some(Duration::ZERO))
}

/// Nothing comes, so a read ends when the patience does.
async fn silent(stage: &mut Stage, stream: &mut TcpStream) {
    stage.lane.at("reading from a silent peer");
    let patience = stage.micros(0..5_000);
    if let Ok(read) = timeout(patience, stream.read(&mut [0; 64])).await {
        fault(format!("a silent peer was heard: {read:?}"));
    }
}

/// The buffers fill up, so a write ends when the patience does.
async fn takes_nothing(stage: &mut Stage, stream: &mut TcpStream) {
    stage.lane.at("writing to a peer that takes nothing");
    let patience = stage.micros(0..10_000);
    match timeout(patience, stream.write_all(&FLOOD)).await {
        Err(_) => {}
        // Buffers of this size are possible, if unusual.
        Ok(Ok(())) => {}
        Ok(Err(error)) => fault(format!("a peer that only waits gave {error}")),
    }
}

/// The peer has closed its way, and still hears.
async fn closed_one_way(
    stage: &mut Stage,
    stream: &mut TcpStream,
    mut peer: &Peer,
) -> io::Result<()> {
    const LAST_WORDS: usize = 1_000;
    stage.lane.at("reading what was said before the end");
    let number = stage.setting.number();
    let mut words = [0; LAST_WORDS];
    fill(&mut words, number, 0);
    peer.write_all(&words)?;
    peer.shutdown(Shutdown::Write)?;
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await?;
    if heard.len() != LAST_WORDS || first_wrong(&heard, number, 0).is_some() {
        violation("what was said before the end is not what came");
    }
    stage.lane.at("writing after the peer's end");
    stream.write_all(&words).await?;
    stream.close().await?;
    let mut answer = Vec::new();
    // It has been closed, so this does not block.
    peer.read_to_end(&mut answer)?;
    if answer != words {
        violation("what was written after the peer's end did not arrive");
    }
    Ok(())
}
