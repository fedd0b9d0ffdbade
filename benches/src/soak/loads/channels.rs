//! Channels and queues whose ends go away in the middle.

use std::sync::Arc;
use std::time::Duration;

use gristmill::sync::{Queue, mpsc, oneshot};
use gristmill::task::yield_now;
use gristmill::time::timeout;

use super::super::ledger;
use super::super::stage::Stage;
use super::super::ticket::{Claim, Ticket, task};
use super::super::verdict::{fault, violation};

/// What goes through a channel.
struct Item {
    sender: usize,
    /// How many this sender had sent before.
    number: u64,
    ticket: Ticket,
}

impl Item {
    fn new(sender: usize, number: u64) -> Self {
        Self {
            sender,
            number,
            ticket: Ticket::new(&ledger::ITEMS),
        }
    }
}

/// What has come from each sender.
struct Order {
    next: Vec<u64>,
}

impl Order {
    fn new(senders: usize) -> Self {
        Self {
            next: vec![0; senders],
        }
    }

    /// Takes an item, which has to be the next one of its sender.
    fn take(&mut self, item: Item) {
        let next = &mut self.next[item.sender];
        if item.number != *next {
            violation(format!(
                "item {} of a sender came where {next} was due",
                item.number
            ));
        }
        *next = item.number + 1;
        item.ticket.complete();
    }
}

pub(super) async fn run(mut stage: Stage) {
    while stage.goes_on().await {
        match stage.dice.u8(0..3) {
            0 => many_to_one(&mut stage).await,
            1 => queue(&mut stage).await,
            _ => single(&mut stage).await,
        }
    }
}

/// Several senders, one receiver; any of them may go away.
async fn many_to_one(stage: &mut Stage) {
    let senders = stage.dice.usize(1..6);
    let (sender, mut receiver) = mpsc::channel(stage.dice.usize(1..32));
    let each = stage.dice.u64(0..300);
    let mut claims: Vec<_> = (0..senders)
        .map(|number| {
            let sender = sender.clone();
            let impatient = stage.once_in(3);
            task(|ticket| async move {
                send(&sender, number, each, impatient).await;
                ticket
            })
        })
        .collect();
    drop(sender);
    let spoilt = spoil(stage, &mut claims);
    let until = if stage.once_in(4) {
        stage.dice.u64(0..senders as u64 * each + 1)
    } else {
        u64::MAX
    };
    stage.lane.at("receiving from a channel");
    let mut order = Order::new(senders);
    let mut received = 0;
    while received < until {
        let Some(item) = receiver.recv().await else {
            break;
        };
        order.take(item);
        received += 1;
    }
    drop(receiver);
    stage.lane.at("awaiting senders");
    for claim in claims {
        claim.result().await;
    }
    if !spoilt && until == u64::MAX && received != senders as u64 * each {
        fault(format!(
            "{received} items came of {each} from each of {senders}"
        ));
    }
}

/// Sends as many, unless the receiver goes away. An impatient sender asks for a place again and again.
async fn send(sender: &mpsc::Sender<Item>, number: usize, each: u64, impatient: bool) {
    for n in 0..each {
        let permit = loop {
            if !impatient {
                break sender.reserve().await;
            }
            if let Ok(permit) = timeout(Duration::from_micros(50), sender.reserve()).await {
                break permit;
            }
        };
        match permit {
            Ok(permit) => permit.send(Item::new(number, n)),
            Err(_) => return,
        }
        if n % 64 == 63 {
            yield_now().await;
        }
    }
}

/// Aborts one now and then. Whether it did.
fn spoil(stage: &mut Stage, claims: &mut [Claim]) -> bool {
    let spoilt = stage.once_in(4);
    if spoilt {
        let victim = stage.dice.usize(0..claims.len());
        claims[victim].abort();
    }
    spoilt
}

/// A queue with several getters, which says when everything is done.
async fn queue(stage: &mut Stage) {
    let items = stage.dice.u64(0..400);
    let queue = Arc::new(Queue::bounded(stage.dice.usize(1..16)));
    let getter = || {
        let queue: Arc<Queue<Item>> = Arc::clone(&queue);
        task(|ticket| async move {
            while let Ok(item) = queue.get().await {
                item.ticket.complete();
                queue.task_done();
            }
            ticket
        })
    };
    let getters: Vec<_> = (0..stage.dice.u8(1..5)).map(|_| getter()).collect();
    stage.lane.at("putting into a queue");
    for number in 0..items {
        if queue.put(Item::new(0, number)).await.is_err() {
            violation("a queue that nobody had shut down was shut down");
        }
    }
    stage.lane.at("joining a queue");
    queue.join().await;
    if queue.unfinished() != 0 || !queue.is_empty() {
        violation("a queue was joined with items in it");
    }
    queue.shutdown();
    for getter in getters {
        getter.result().await;
    }
}

/// One value, to somebody who may not be there any more.
async fn single(stage: &mut Stage) {
    stage.lane.at("single values");
    for number in 0..stage.dice.u64(1..200) {
        let (sender, receiver) = oneshot::channel();
        let keeps = !stage.once_in(4);
        let getter = task(|ticket| async move {
            if keeps {
                let item: Result<Item, _> = receiver.await;
                item.expect("the sender sends").ticket.complete();
            }
            ticket
        });
        match sender.send(Item::new(0, number)) {
            Err(item) if keeps => {
                drop(item);
                fault("a receiver that waits was not there");
            }
            _ => {}
        }
        getter.result().await;
    }
}
