#![expect(unsafe_code, reason = "allocates the memory of tasks' cells")]
//! Memory of tasks that have ended, kept for tasks to come.
//!
//! A spawn allocates and an end frees, and both often happen on different threads, or thousands of times in a row: what
//! general allocators do worst. So blocks of a few sizes are kept here: a list for each thread, which costs no atomic
//! operation, and a depot for all, which lists that run over or run dry trade with in batches.
//!
//! # Invariants
//!
//! * F1 — A block is in one list or with one caller. Blocks of a class all have that class's layout, so any of them serves
//!   any caller of the class.
//! * F2 — A free block's first word is the link to the next, or null; its other bytes mean nothing.
//! * F3 — What is kept is bounded: two batches a class and thread, that is 510 KiB a thread at the very most, and [`DEPOT_BYTES`] for all.

use crate::sync::StaticMutex;
use crate::sync::static_atomic::{AtomicUsize, Ordering};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::{self, NonNull};

/// Sizes grow by this.
const STEP: usize = 16;
/// The smallest block. With it all sizes are what an allocator that puts 8 bytes before each block serves without waste: of a
/// million tasks, the bytes between a cell's size and its block's count a million times.
const SMALLEST: usize = 24;
/// Classes: up to 504 bytes. Larger cells come from the allocator, which takes long for their size anyway.
const CLASSES: usize = 31;
/// What every block is aligned to; cells that want more come from the allocator.
const ALIGN: usize = 8;
/// Blocks that go to the depot, or come from it, at a time.
const BATCH: usize = 32;
/// What the depot keeps at most: the cells of some twenty thousand small tasks.
const DEPOT_BYTES: usize = 4 << 20;

/// Memory for a value of this layout. Never null.
#[inline]
pub(super) fn allocate(layout: Layout) -> NonNull<u8> {
    match class_of(layout) {
        Some(class) => LOCAL
            .try_with(|local| local.lists[class].take(class))
            // The thread's own list is gone already: it is ending.
            .unwrap_or_else(|_| from_allocator(block(class))),
        None => from_allocator(layout),
    }
}

/// Takes memory back.
///
/// # Safety
///
/// It is from [`allocate`] with the same layout, and nobody uses it any more.
#[inline]
pub(super) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    match class_of(layout) {
        Some(class) => {
            let kept = LOCAL.try_with(|local| {
                // SAFETY: the caller's block, of this class by its layout.
                unsafe { local.lists[class].put(class, memory) }
            });
            if kept.is_err() {
                // SAFETY: F1, blocks of a class have that class's layout.
                unsafe { dealloc(memory.as_ptr(), block(class)) }
            }
        }
        // SAFETY: without a class it came from the allocator as it was asked for.
        None => unsafe { dealloc(memory.as_ptr(), layout) },
    }
}

/// The class whose blocks serve this layout.
#[inline]
const fn class_of(layout: Layout) -> Option<usize> {
    if layout.size() == 0 || layout.size() > size_of_block(CLASSES - 1) || layout.align() > ALIGN {
        return None;
    }
    Some(layout.size().saturating_sub(SMALLEST).div_ceil(STEP))
}

/// The layout of a class's blocks.
const fn block(class: usize) -> Layout {
    match Layout::from_size_align(size_of_block(class), ALIGN) {
        Ok(layout) => layout,
        Err(_) => unreachable!(),
    }
}

const fn size_of_block(class: usize) -> usize {
    SMALLEST + class * STEP
}

fn from_allocator(layout: Layout) -> NonNull<u8> {
    // SAFETY: no layout that comes here has size zero: a cell has a header.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            lists: [const { List::new() }; CLASSES],
        }
    };
}

/// A thread's lists.
struct Local {
    lists: [List; CLASSES],
}

impl Drop for Local {
    fn drop(&mut self) {
        for (class, list) in self.lists.iter().enumerate() {
            Chain(list.head.replace(ptr::null_mut())).give_back(class);
        }
    }
}

/// One thread's free blocks of one class: a list in use, and a full batch behind it.
struct List {
    head: Cell<*mut Free>,
    len: Cell<usize>,
}

/// A free block.
struct Free {
    next: *mut Free,
}

impl List {
    const fn new() -> Self {
        Self {
            head: Cell::new(ptr::null_mut()),
            len: Cell::new(0),
        }
    }

    #[inline]
    fn take(&self, class: usize) -> NonNull<u8> {
        let Some(head) = NonNull::new(self.head.get()) else {
            return self.refill(class);
        };
        // SAFETY: F1 and F2, the block is this list's, and free.
        self.head.set(unsafe { head.as_ref() }.next);
        self.len.set(self.len.get() - 1);
        head.cast()
    }

    #[cold]
    fn refill(&self, class: usize) -> NonNull<u8> {
        match DEPOT.take(class) {
            Some(chain) => {
                self.head.set(chain.0);
                self.len.set(BATCH);
                self.take(class)
            }
            None => from_allocator(block(class)),
        }
    }

    /// # Safety
    ///
    /// The block is of this class, and the caller's.
    #[inline]
    unsafe fn put(&self, class: usize, memory: NonNull<u8>) {
        let free = memory.cast::<Free>();
        // SAFETY: the block is the caller's, and large and aligned enough for a link.
        unsafe {
            free.write(Free {
                next: self.head.get(),
            });
        }
        self.head.set(free.as_ptr());
        self.len.set(self.len.get() + 1);
        if self.len.get() == 2 * BATCH {
            self.run_over(class);
        }
    }

    /// Gives the newer half to the depot, or back to the allocator.
    #[cold]
    fn run_over(&self, class: usize) {
        let first = self.head.get();
        let mut last = first;
        for _ in 1..BATCH {
            // SAFETY: F1 and F2, the list has two batches of free blocks.
            last = unsafe { (*last).next };
        }
        // SAFETY: as above.
        self.head.set(unsafe { (*last).next });
        self.len.set(BATCH);
        // SAFETY: as above; the chain ends here now.
        unsafe { (*last).next = ptr::null_mut() };
        if let Err(chain) = DEPOT.put(class, Chain(first)) {
            chain.give_back(class);
        }
    }
}

/// Free blocks of one class, by their links.
struct Chain(*mut Free);

// SAFETY: the blocks are nobody's but the chain's (F1).
unsafe impl Send for Chain {}

impl Chain {
    fn give_back(self, class: usize) {
        let mut next = self.0;
        while let Some(free) = NonNull::new(next) {
            // SAFETY: F1 and F2, the chain's own block, free.
            next = unsafe { free.as_ref() }.next;
            // SAFETY: F1, a block of the class, and nobody's from here on.
            unsafe { dealloc(free.as_ptr().cast(), block(class)) };
        }
    }
}

static DEPOT: Depot = Depot::new();

/// Full batches, for all threads.
struct Depot {
    chains: [StaticMutex<Vec<Chain>>; CLASSES],
    bytes: AtomicUsize,
}

impl Depot {
    const fn new() -> Self {
        Self {
            chains: [const { StaticMutex::new(Vec::new()) }; CLASSES],
            bytes: AtomicUsize::new(0),
        }
    }

    /// Keeps a batch, or gives it back when there is enough.
    fn put(&self, class: usize, chain: Chain) -> Result<(), Chain> {
        let bytes = BATCH * block(class).size();
        // ORDERING: Relaxed, here and below; a bound that nothing else hangs on.
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > DEPOT_BYTES {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(chain);
        }
        self.chains[class].lock().push(chain);
        Ok(())
    }

    fn take(&self, class: usize) -> Option<Chain> {
        let chain = self.chains[class].lock().pop()?;
        // ORDERING: Relaxed, see `put`.
        self.bytes
            .fetch_sub(BATCH * block(class).size(), Ordering::Relaxed);
        Some(chain)
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::thread;

    /// Blocks on their way to another thread.
    struct Parcel(Vec<NonNull<u8>>);

    // SAFETY: whoever has the parcel owns the blocks.
    unsafe impl Send for Parcel {}

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).expect("a layout")
    }

    #[test]
    fn a_block_has_room_for_what_was_asked_for() {
        for size in 1..=700 {
            let layout = layout(size);
            if let Some(class) = class_of(layout) {
                let fits = size.max(SMALLEST)..size.max(SMALLEST) + STEP;
                assert!(fits.contains(&block(class).size()), "{size}");
            } else {
                assert!(size > 504);
            }
            let memory = allocate(layout);
            // SAFETY: fresh memory of that size.
            unsafe { memory.write_bytes(0xa5, size) };
            // SAFETY: taken back as it was asked for.
            unsafe { free(memory, layout) };
        }
    }

    #[test]
    fn what_one_thread_frees_another_gets_and_nobody_gets_a_block_twice() {
        const BLOCKS: usize = 5 * BATCH;
        let layout = layout(200);
        let rounds = if cfg!(miri) { 2 } else { 50 };
        let (send, receive) = std::sync::mpsc::channel::<Parcel>();
        let freeing = thread::spawn(move || {
            for Parcel(blocks) in receive {
                for memory in blocks {
                    // SAFETY: allocated below with this layout, and sent away.
                    unsafe { free(memory, layout) };
                }
            }
        });
        for _ in 0..rounds {
            let blocks: Vec<_> = (0..BLOCKS).map(|_| allocate(layout)).collect();
            assert_eq!(blocks.iter().collect::<HashSet<_>>().len(), BLOCKS);
            assert!(send.send(Parcel(blocks)).is_ok(), "the thread listens");
        }
        drop(send);
        freeing.join().expect("no panic");
    }

    #[test]
    fn the_depot_keeps_no_more_than_its_bound() {
        let depot = Depot::new();
        let class = CLASSES - 1;
        let mut kept = 0;
        while depot.put(class, Chain(ptr::null_mut())).is_ok() {
            kept += BATCH * block(class).size();
            assert!(kept <= DEPOT_BYTES);
        }
        assert!(depot.take(class).is_some());
        assert!(depot.put(class, Chain(ptr::null_mut())).is_ok());
    }
}
