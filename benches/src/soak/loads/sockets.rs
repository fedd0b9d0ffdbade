//! Conversations over TCP and Unix sockets, some of which are broken in the middle.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::future::try_zip;
use gristmill::net::{TcpListener, TcpStream, UnixStream};
use gristmill::time::sleep;

use super::super::stage::Stage;
use super::super::ticket::{Claim, task};
use super::super::verdict::{fault, violation};
use super::wire::{Line, Part, Wire};

/// Most bytes each way.
const AMOUNT: u64 = 256 * 1024;
/// Ports linger for a minute after an orderly end; with so many they do not run out.
const BETWEEN_TCP: Duration = Duration::from_millis(20);

pub(super) async fn run(mut stage: Stage) {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
        Ok(listener) => listener,
        Err(error) => return fault(format!("no listener: {error}")),
    };
    let mut last = Instant::now();
    while stage.goes_on().await {
        if last.elapsed() < BETWEEN_TCP {
            over_unix(&mut stage).await;
            continue;
        }
        last = Instant::now();
        if let Err(error) = over_tcp(&mut stage, &listener).await {
            fault(format!(
                "no connection over the loopback interface: {error}"
            ));
        }
    }
}

async fn over_unix(stage: &mut Stage) {
    match UnixStream::pair() {
        Ok((one, other)) => converse(stage, one, other).await,
        Err(error) => fault(format!("no pair of sockets: {error}")),
    }
}

async fn over_tcp(stage: &mut Stage, listener: &TcpListener) -> io::Result<()> {
    stage.lane.at("connecting");
    let address = listener.local_addr()?;
    let (one, (other, peer)) = try_zip(TcpStream::connect(address), listener.accept()).await?;
    if one.local_addr()? != peer {
        violation("a listener gave a connection that another one had asked for");
    }
    converse(stage, one, other).await;
    Ok(())
}

/// Has both ends play, and breaks something now and then.
async fn converse(stage: &mut Stage, one: impl Line, other: impl Line) {
    let breaks = stage.once_in(4);
    let aborts = stage.once_in(5);
    let wire = Arc::new(Wire::new(2 * stage.setting.number(), breaks || aborts));
    let mut amount = || {
        let most = if stage.once_in(4) { AMOUNT } else { 4 * 1024 };
        stage.dice.u64(0..most)
    };
    let amounts = [amount(), amount()];
    let part = |end: usize, stage: &mut Stage| Part {
        end,
        amount: amounts[end],
        breaks_after: (breaks && end == 0).then(|| stage.dice.u64(0..=amounts[0])),
        seed: stage.dice.u64(..),
    };
    let mut claims = [
        play(&wire, one, part(0, stage)),
        play(&wire, other, part(1, stage)),
    ];
    if aborts {
        stage.lane.at("waiting to abort an end");
        sleep(stage.micros(0..1_000)).await;
        let victim = stage.dice.usize(0..2);
        claims[victim].abort();
    }
    stage.lane.at("awaiting a conversation");
    for claim in claims {
        claim.result().await;
    }
}

fn play(wire: &Arc<Wire>, line: impl Line, part: Part) -> Claim {
    let wire = Arc::clone(wire);
    task(|ticket| async move {
        wire.play(line, part).await;
        ticket
    })
}
