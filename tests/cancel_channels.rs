//! Waits for what passes between tasks that are given up, wherever they wait, lose no item and no place, and nothing is sent twice.

mod common;

use common::cut::{ByHand, now};
use common::ends::{End, at_every_end};
use common::{Count, Probe};
use gristmill::sync::{
    LifoQueue, Mutex, PriorityQueue, Promise, Queue, broadcast, mpsc, oneshot, watch,
};
use std::sync::Arc;
use std::task::Poll;

/// What is awaited by `&mut`, lent to a future that may be a task.
fn lent<T>(value: T) -> (Arc<Mutex<T>>, Arc<Mutex<T>>) {
    let lent = Arc::new(Mutex::new(value));
    (Arc::clone(&lent), lent)
}

/// What was lent, once whoever had it is gone.
fn back<T>(lent: Arc<Mutex<T>>) -> T {
    let Ok(lent) = Arc::try_unwrap(lent) else {
        panic!("somebody still has it");
    };
    lent.into_inner()
}

/// A full channel of one place, in which somebody sends or reserves, and somebody behind sends 9. Each item that `between` receives
/// makes room for one.
fn fill<T, F>(end: &mut End, wait: impl FnOnce(mpsc::Sender<u32>) -> F) -> Option<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(1).expect("a place");
    let mut behind = None;
    let mut received = Vec::new();
    let got = end.of(wait(sender.clone()), |poll| {
        behind.get_or_insert_with(|| ByHand::waiting(sender.send(9)));
        if poll == 2 {
            received.push(receiver.try_recv().expect("one is there"));
        }
    });
    // Nobody who gave up keeps a place: all that was sent is received, and each once.
    received.extend(receiver.try_recv());
    if let Some(mut behind) = behind {
        received.extend(receiver.try_recv());
        behind.now().expect("a place");
        received.extend(receiver.try_recv());
    }
    let is_done = usize::from(got.is_some());
    let was_sent = received.iter().filter(|item| **item == 2).count();
    assert_eq!(was_sent, is_done, "{received:?}");
    assert_eq!(received.first(), Some(&1));
    assert_eq!((sender.capacity(), receiver.len()), (1, 0));
    got
}

#[test]
fn a_send_that_is_given_up_has_sent_nothing_and_keeps_no_place() {
    at_every_end(|end| {
        fill(
            end,
            |sender| async move { sender.send(2).await.expect("open") },
        );
    });
    at_every_end(|end| {
        fill(end, |sender| async move {
            sender.reserve().await.expect("open").send(2)
        });
    });
    at_every_end(|end| {
        fill(end, |sender| async move {
            for permit in sender.reserve_many(1).await.expect("open") {
                permit.send(2);
            }
        });
    });
    at_every_end(|end| {
        fill(end, |sender| async move {
            let permit = sender.reserve_owned().await.expect("open");
            drop(permit.send(2));
        });
    });
}

#[test]
fn places_collected_by_who_gives_up_are_free_again() {
    at_every_end(|end| {
        let (sender, mut receiver) = mpsc::channel(3);
        for n in 0..3 {
            sender.try_send(n).expect("a place");
        }
        let own = sender.clone();
        let reserve = async move { own.reserve_many(2).await.expect("open").len() };
        let got = end.of(reserve, |_| {
            let _ = receiver.try_recv();
        });
        assert!(got.is_none_or(|places| places == 2));
        while receiver.try_recv().is_ok() {}
        assert_eq!(sender.capacity(), 3);
        assert_eq!(sender.strong_count(), 1);
    });
}

#[test]
fn a_closed_channel_ends_when_who_waits_for_a_place_gives_up() {
    at_every_end(|end| {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(1).expect("a place");
        let own = sender.clone();
        let got = end.of(async move { own.send(2).await }, |poll| match poll {
            1 => assert!(receiver.try_recv().is_ok()),
            _ => receiver.close(),
        });
        receiver.close();
        let mut left = Vec::new();
        while let Some(item) = now(receiver.recv()) {
            left.push(item);
        }
        assert_eq!(left.contains(&2), got == Some(Ok(())));
        assert_eq!(receiver.capacity(), 1);
    });
}

/// Sends 1, 2 and 3; whatever the receiver that gives up has not got, the next one gets, in order.
fn receive<F>(end: &mut End, wait: impl FnOnce(Arc<Mutex<mpsc::Receiver<u32>>>) -> F)
where
    F: Future<Output = Vec<u32>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(3);
    let (own, lent) = lent(receiver);
    let mut sent = 0;
    let got = end.of(wait(lent), |_| {
        sent += 1;
        sender.try_send(sent).expect("a place");
    });
    let mut receiver = back(own);
    let mut all = got.unwrap_or_default();
    while let Ok(item) = receiver.try_recv() {
        all.push(item);
    }
    assert_eq!(all, (1..=sent).collect::<Vec<_>>());
    assert_eq!(sender.capacity(), 3);
}

#[test]
fn a_receive_that_is_given_up_takes_no_item_along() {
    at_every_end(|end| {
        receive(end, |receiver| async move {
            Vec::from_iter(receiver.lock().await.recv().await)
        });
    });
    at_every_end(|end| {
        receive(end, |receiver| async move {
            let mut many = Vec::new();
            receiver.lock().await.recv_many(&mut many, 5).await;
            many
        });
    });
}

#[test]
fn a_receive_from_an_unbounded_channel_that_is_given_up_takes_no_item_along() {
    at_every_end(|end| {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (own, lent) = lent(receiver);
        let receive = async move {
            let mut receiver = lent.lock().await;
            let mut items = Vec::from_iter(receiver.recv().await);
            receiver.recv_many(&mut items, 2).await;
            // What was received and not handed on goes with the future: this is for the receiver to see.
            items.len()
        };
        let drops = Count::default();
        let mut sent = 0;
        let got = end.of(receive, |_| {
            sent += 1;
            sender.send(drops.on_drop()).expect("a receiver");
        });
        let mut receiver = back(own);
        let mut left = 0;
        while receiver.try_recv().is_ok() {
            left += 1;
        }
        // Two calls, so at most one item was on its way inside of the future.
        let taken = sent - left;
        assert!(taken <= 2 && got.is_none_or(|got| got == taken));
        drop(receiver);
        assert_eq!(drops.get(), sent);
    });
}

#[test]
fn a_wait_for_a_receiver_to_close_that_is_given_up_is_forgotten() {
    at_every_end(|end| {
        let (sender, receiver) = mpsc::channel::<Probe>(1);
        let (unbounded, other) = mpsc::unbounded_channel::<Probe>();
        let mut ends = vec![];
        let closed = async move {
            sender.closed().await;
            unbounded.closed().await;
        };
        let mut receivers = (Some(receiver), Some(other));
        let got = end.of(closed, |poll| {
            ends.push(poll);
            match poll {
                2 => drop(receivers.0.take()),
                4 => drop(receivers.1.take()),
                _ => {}
            }
        });
        assert!(got.is_none() || ends.len() >= 4);
    });
}

#[test]
fn a_wait_for_a_value_that_is_given_up_leaves_it_to_the_next() {
    at_every_end(|end| {
        let (sender, receiver) = oneshot::channel();
        let (own, lent) = lent(receiver);
        let mut sender = Some(sender);
        let wait = async move { (&mut *lent.lock().await).await };
        // The receiver itself is the future here.
        let got = end.may_keep_waker().of(wait, |poll| {
            if poll == 2 {
                sender.take().expect("once").send(5).expect("a receiver");
            }
        });
        let mut receiver = back(own);
        if let Some(sender) = sender {
            sender.send(5).expect("a receiver");
        }
        let left = receiver.try_recv().ok();
        assert_eq!(got.and_then(Result::ok).or(left), Some(5));
    });
}

#[test]
fn a_receiver_that_is_dropped_is_told_to_the_sender_and_drops_what_was_sent() {
    at_every_end(|end| {
        let (sender, receiver) = oneshot::channel();
        let drops = Count::default();
        let mut sender = Some(sender);
        let got = end.of(receiver, |poll| {
            if poll == 2 {
                let sender = sender.take().expect("once");
                sender.send(drops.on_drop()).expect("a receiver");
            }
        });
        if let Some(sender) = sender {
            assert!(sender.is_closed());
            assert!(sender.send(drops.on_drop()).is_err());
        }
        drop(got);
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn a_wait_for_a_value_to_be_unwanted_that_is_given_up_is_forgotten() {
    at_every_end(|end| {
        let (sender, receiver) = oneshot::channel::<u32>();
        let (promise, promised) = Promise::<u32>::new();
        let (own, lent) = lent((sender, promise));
        let mut wanted = (Some(receiver), Some(promised));
        let wait = async move {
            let mut both = lent.lock().await;
            both.0.closed().await;
            both.1.abandoned().await;
        };
        let got = end.of(wait, |poll| match poll {
            2 => drop(wanted.0.take()),
            4 => drop(wanted.1.take()),
            _ => {}
        });
        let (sender, promise) = back(own);
        assert_eq!(sender.is_closed(), wanted.0.is_none());
        assert_eq!(promise.is_abandoned(), wanted.1.is_none());
        assert!(got.is_none() || promise.is_abandoned());
    });
}

#[test]
fn a_promise_that_nobody_awaits_any_more_gives_its_result_back() {
    at_every_end(|end| {
        let (promise, promised) = Promise::new();
        let mut promise = Some(promise);
        let got = end.of(promised, |poll| {
            if poll == 2 {
                promise
                    .take()
                    .expect("once")
                    .set_result(3)
                    .expect("awaited");
            }
        });
        if let Some(promise) = promise {
            assert!(promise.is_abandoned());
            assert_eq!(promise.set_result(3), Err(3));
        }
        assert!(got.is_none_or(|got| got.expect("kept") == 3));
    });
}

#[test]
fn a_wait_for_a_change_that_is_given_up_misses_none() {
    at_every_end(|end| {
        let (sender, receiver) = watch::channel(0);
        let (own, lent) = lent(receiver);
        let wait = async move {
            let mut receiver = lent.lock().await;
            receiver.changed().await.expect("a sender");
            *receiver
                .wait_for(|value| *value >= 2)
                .await
                .expect("a sender")
        };
        let mut value = 0;
        let got = end.of(wait, |_| {
            value += 1;
            sender.send(value).expect("followed");
        });
        assert!(got.is_none_or(|got| got >= 2));
        let mut receiver = back(own);
        assert_eq!(*receiver.borrow_and_update(), value);
        // The next change is seen, and only that.
        drop(ByHand::waiting(receiver.changed()));
        sender.send(value + 1).expect("followed");
        now(receiver.changed()).expect("a sender");
    });
}

#[test]
fn waits_for_the_followers_to_go_that_are_given_up_are_forgotten() {
    at_every_end(|end| {
        let (watched, follower) = watch::channel(0);
        let (sent, receiver) = broadcast::channel::<u32>(1);
        let mut both = (Some(follower), Some(receiver));
        let closed = async move {
            watched.closed().await;
            sent.closed().await;
        };
        end.of(closed, |poll| match poll {
            2 => drop(both.0.take()),
            4 => drop(both.1.take()),
            _ => {}
        });
    });
}

#[test]
fn every_receiver_gets_each_item_though_one_gives_up() {
    at_every_end(|end| {
        let (sender, receiver) = broadcast::channel(8);
        let mut other = sender.subscribe();
        let (own, lent) = lent(receiver);
        let receive = async move { lent.lock().await.recv().await };
        let mut sent = 0;
        let got = end.of(receive, |_| {
            sent += 1;
            sender.send(sent).expect("two receivers");
        });
        let mut receiver = back(own);
        let mut mine: Vec<u32> = got.into_iter().flatten().collect();
        mine.extend(std::iter::from_fn(|| receiver.try_recv().ok()));
        let others: Vec<u32> = std::iter::from_fn(|| other.try_recv().ok()).collect();
        assert_eq!((mine, others), ((1..=sent).collect(), (1..=sent).collect()));
        assert!(sender.is_empty());
    });
}

/// The same for each order of a queue.
macro_rules! give_up_on_a_queue {
    ($($queue:ident),*) => {$(
        at_every_end(|end| {
            let queue = Arc::new($queue::bounded(1));
            let own = Arc::clone(&queue);
            let drops = Count::default();
            queue.try_put(Numbered(1, drops.on_drop())).expect("a place");
            let item = Numbered(2, drops.on_drop());
            let mut behind = None;
            let mut got = Vec::new();
            let put = end.of(async move { own.put(item).await.is_ok() }, |poll| {
                let third = Numbered(3, drops.on_drop());
                behind.get_or_insert_with(|| ByHand::waiting(queue.put(third)));
                if poll == 2 {
                    got.push(queue.try_get().expect("one is there").0);
                }
            });
            got.extend(queue.try_get().map(|item| item.0));
            got.extend(queue.try_get().map(|item| item.0));
            let mut count = 1 + usize::from(put == Some(true));
            if let Some(mut behind) = behind {
                assert!(behind.now().is_ok(), "its place is its own");
                got.extend(queue.try_get().map(|item| item.0));
                count += 1;
            }
            assert_eq!(got.len(), count, "{got:?}");
            assert_eq!(got.contains(&2), put.is_some());
            assert_eq!(queue.unfinished(), count);
            assert!(queue.try_put(Numbered(4, drops.on_drop())).is_ok(), "its place is free");
        });
        at_every_end(|end| {
            let queue = Arc::new($queue::unbounded());
            let own = Arc::clone(&queue);
            let drops = Count::default();
            let mut behind = None;
            let mut put = 0;
            let got = end.of(async move { own.get().await.is_ok() }, |poll| {
                behind.get_or_insert_with(|| ByHand::waiting(queue.get()));
                if poll >= 2 {
                    put += 1;
                    assert!(queue.try_put(Numbered(put, drops.on_drop())).is_ok());
                }
            });
            let mut taken = u32::from(got.is_some());
            if let Some(mut behind) = behind {
                // What was handed to the one that gave up has come to the one behind it.
                taken += u32::from(matches!(behind.poll(), Poll::Ready(Ok(_))));
            }
            while queue.try_get().is_ok() {
                taken += 1;
            }
            assert_eq!((taken, drops.get()), (put, put as usize));
        });
    )*};
}

/// An item that counts its drop.
struct Numbered(u32, #[expect(dead_code, reason = "its drop counts")] Probe);

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Numbered {}

impl PartialOrd for Numbered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numbered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

#[test]
fn puts_and_gets_that_are_given_up_lose_no_item_and_no_place() {
    give_up_on_a_queue!(Queue, LifoQueue, PriorityQueue);
}

#[test]
fn a_wait_for_all_to_be_done_that_is_given_up_is_forgotten() {
    at_every_end(|end| {
        let queue = Arc::new(Queue::unbounded());
        queue.try_put(1).expect("a place");
        let own = Arc::clone(&queue);
        end.of(async move { own.join().await }, |poll| {
            if poll == 2 {
                queue.task_done();
            }
        });
        if queue.unfinished() > 0 {
            let other = ByHand::waiting(queue.join());
            queue.task_done();
            other.woken();
        }
    });
}
