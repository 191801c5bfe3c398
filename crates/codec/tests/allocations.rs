//! Counts allocations: once a codec and a concealer are made, there are none.
//!
//! A global allocator cannot be written without `unsafe`; the crate itself forbids it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use offhook_codec::{Concealer, decoder, encoder};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn nothing_allocates_after_construction() {
    let mut encoders = ["PCMU", "PCMA"].map(|name| encoder(name, 8000).unwrap());
    let mut decoders = ["PCMU", "PCMA"].map(|name| decoder(name, 8000).unwrap());
    let mut concealer = Concealer::new(8000);
    let (mut samples, mut payload) = ([1000; 160], [0; 160]);

    let before = ALLOCATIONS.get();
    assert_ne!(before, 0, "the counter counts");
    for round in 0..100 {
        for (encoder, decoder) in encoders.iter_mut().zip(&mut decoders) {
            encoder.encode(&samples, &mut payload).unwrap();
            decoder.decode(&payload, &mut samples).unwrap();
        }
        match round % 3 {
            0 => concealer.conceal(&mut samples),
            _ => concealer.received(&mut samples),
        }
    }
    assert_eq!(ALLOCATIONS.get(), before);
}
