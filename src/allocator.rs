//! The allocator of the program, and how much it has given out.
//!
//! Threads count for themselves and add to the common counter now and then, so that counting costs nothing that can be
//! measured; the counter is exact to some kilobytes a thread.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};

use tikv_jemallocator::Jemalloc;

/// Pages that nobody used for a second go back to the system. Threads that do nothing any more would keep theirs, so that a
/// thread of the allocator does it.
#[expect(unsafe_code, reason = "jemalloc reads its options under this name")]
#[cfg(target_os = "linux")]
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static OPTIONS: &[u8; 85] =
    b"background_thread:true,max_background_threads:1,dirty_decay_ms:1000,muzzy_decay_ms:0\0";

/// How far a thread's count may be from what it has told.
const UNTOLD: isize = 32 << 10;
/// An allocation that is looked at before it is made.
const LARGE: usize = 1 << 20;
/// Who asks for more than this at once may go on without it.
const HUGE: usize = 64 << 20;

/// Bytes in use.
static IN_USE: AtomicIsize = AtomicIsize::new(0);
/// Bytes at which the program ends rather than take the machine with it; set while statements run.
pub(crate) static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

thread_local! {
    static UNTOLD_HERE: Cell<isize> = const { Cell::new(0) };
}

/// jemalloc, counted: queries allocate and free many small buffers on all cores, at which it is faster than the system's, and a
/// process that runs for weeks does not keep what its threads have freed.
pub(crate) struct Counting(pub Jemalloc);

/// Bytes that the program has allocated and not freed.
pub(crate) fn in_use() -> usize {
    IN_USE.load(Relaxed).max(0).unsigned_abs()
}

fn count(bytes: isize) {
    // A thread that is ending counts no more.
    let _ = UNTOLD_HERE.try_with(|here| {
        let untold = here.get() + bytes;
        if untold.abs() < UNTOLD {
            here.set(untold);
        } else {
            here.set(0);
            IN_USE.fetch_add(untold, Relaxed);
        }
    });
}

/// Ends the program if it would hold too much: no statement can be ended in the midst of an allocation.
fn look_before(bytes: usize) {
    if bytes >= LARGE && in_use().saturating_add(bytes) > MOST.load(Relaxed) {
        end(format_args!(
            "a statement asked for {} MiB at once while the program held {} MiB; that is far more than --memory-limit",
            bytes >> 20,
            in_use() >> 20
        ));
    }
}

/// What jemalloc gave. Where it gave nothing for something small, the program ends with a word; Rust would abort it without one.
fn look_after(at: *mut u8, bytes: usize) -> *mut u8 {
    if at.is_null() && bytes < HUGE {
        end(format_args!(
            "the system gives this process no more memory (`ulimit -v`); it holds {} MiB",
            in_use() >> 20
        ));
    }
    at
}

/// Ends the program without allocating anything.
#[cold]
fn end(why: fmt::Arguments<'_>) -> ! {
    let mut text = Text { bytes: [0; 512], length: 0 };
    let _ = writeln!(
        text,
        "error: {why}. The program ended; run what it was doing again, what is stored already is not stored twice"
    );
    let _ = std::io::Write::write_all(&mut std::io::stderr(), &text.bytes[..text.length]);
    std::process::exit(1)
}

struct Text {
    bytes: [u8; 512],
    length: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = &mut self.bytes[self.length..];
        let length = text.len().min(left.len());
        left[..length].copy_from_slice(&text.as_bytes()[..length]);
        self.length += length;
        Ok(())
    }
}

#[expect(unsafe_code, reason = "an allocator is unsafe by nature; each call is handed on to jemalloc as it came")]
// SAFETY: jemalloc keeps the contract of GlobalAlloc, and counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        look_before(layout.size());
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        let at = unsafe { self.0.alloc(layout) };
        look_after(at, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        look_before(layout.size());
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        let at = unsafe { self.0.alloc_zeroed(layout) };
        look_after(at, layout.size())
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old bytes may live beside the new ones while they are copied.
        look_before(size);
        count(size as isize - layout.size() as isize);
        // SAFETY: as the caller promises.
        let at = unsafe { self.0.realloc(at, layout, size) };
        look_after(at, size)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { self.0.dealloc(at, layout) }
    }
}
