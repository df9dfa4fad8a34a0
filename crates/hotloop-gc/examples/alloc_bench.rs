//! Nanoseconds per object of 24 bytes, collections included, for three ways of using the heap:
//! garbage only, trees of which 131 thousand nodes stay alive, and a long list that stays alive.
//!
//! `cargo run --release -p hotloop-gc --example alloc_bench [immix]`

use hotloop_gc::{Heap, HeapOptions, Layout, Plan, Slot, SlotKind, TypeId, choose, register_type};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// `{ header, left: Ref, right: Ref }`
const PAIR_BYTES: usize = 24;

fn pair(heap: &Heap, ty: TypeId, left: *mut u8, right: *mut u8) -> *mut u8 {
    // SAFETY: the size is the type's.
    let object = unsafe { heap.alloc_unchecked(ty, PAIR_BYTES, 0) };
    let slots = object.cast::<u64>();
    // SAFETY: the object was just allocated and has these two slots.
    unsafe {
        heap.store_ref(object, slots.add(1), left as u64);
        heap.store_ref(object, slots.add(2), right as u64);
    }
    object
}

fn checked_pair(heap: &Heap, ty: TypeId) -> *mut u8 {
    heap.alloc(ty, PAIR_BYTES, 0)
}

fn tree(heap: &Heap, ty: TypeId, depth: u32) -> *mut u8 {
    if depth == 0 {
        return pair(heap, ty, std::ptr::null_mut(), std::ptr::null_mut());
    }
    let left = tree(heap, ty, depth - 1);
    let right = tree(heap, ty, depth - 1);
    pair(heap, ty, left, right)
}

fn measure(what: &str, objects: u64, run: impl FnOnce(&Heap)) {
    let heap = Heap::new(HeapOptions::default());
    heap.collect();
    let before = heap.stats();
    let start = cpu();
    run(&heap);
    let time = cpu() - start;
    let after = heap.stats();
    let collecting = after.collection_time - before.collection_time;
    println!(
        "{what:28} {:6.2} ns per object ({:5.2} of it in {} collections, {} of them young, longest {:.1} ms), \
         {:.1} MB live, {:.1} MB of pages",
        per(time, objects),
        per(collecting, objects),
        after.collections - before.collections,
        after.young_collections - before.young_collections,
        after.longest_collection.as_secs_f64() * 1e3,
        after.live_bytes as f64 / 1e6,
        after.page_bytes as f64 / 1e6,
    );
}

fn per(time: Duration, objects: u64) -> f64 {
    time.as_secs_f64() * 1e9 / objects as f64
}

/// Processor time of the process so far.
fn cpu() -> Duration {
    // SAFETY: `getrusage` fills the structure that it is given.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let of = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    of(usage.ru_utime) + of(usage.ru_stime)
}

fn main() {
    let ty = register_type(Layout {
        name: "pair",
        fixed_size: PAIR_BYTES as u32,
        slots: vec![Slot { offset: 8, kind: SlotKind::Ref }, Slot { offset: 16, kind: SlotKind::Ref }],
        trailing: None,
    });
    if std::env::args().nth(1).as_deref() == Some("immix") {
        assert!(choose(Plan::Immix));
    }
    let (start, cpu_before) = (Instant::now(), cpu());
    let heap = Heap::new(HeapOptions::default());
    println!("Heap::new {:?}, {:?} of processor time", start.elapsed(), cpu() - cpu_before);

    drop(heap);
    let null = std::ptr::null_mut();
    measure("garbage", 50_000_000, |heap| {
        for _ in 0..50_000_000 {
            black_box(pair(heap, ty, null, null));
        }
    });
    measure("garbage, size checked", 50_000_000, |heap| {
        for _ in 0..50_000_000 {
            black_box(checked_pair(heap, ty));
        }
    });
    let nodes = (1u64 << 15) - 1;
    measure("trees, 131 thousand live", 750 * nodes, |heap| {
        let kept = tree(heap, ty, 16);
        for _ in 0..750 {
            black_box(tree(heap, ty, 14));
        }
        black_box(kept);
    });
    measure("a list of 10 million", 10_000_000, |heap| {
        let mut list = null;
        for _ in 0..10_000_000 {
            list = pair(heap, ty, list, null);
        }
        black_box(list);
    });
    let heap = Heap::new(HeapOptions::default());
    let start = Instant::now();
    heap.collect();
    println!("empty collection {:?}", start.elapsed());
    let start = Instant::now();
    for _ in 0..100 {
        heap.collect();
    }
    println!("and again {:?}", start.elapsed() / 100);
}
