//! The heap's contract, seen from outside: what is reachable survives (through every kind of slot
//! and every kind of root), what is not is reclaimed, limits hold, heaps follow each other.

use hotloop_gc::{
    BumpRegion, Heap, HeapOptions, Layout, MAX_BUMP_BYTES, REF_TAG, Request, Slot, SlotKind, Trailing,
    TypeId, alloc_slow, register_type,
};
use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// `{ header, next: Ref, other: Value, number: Raw }`
const NODE_BYTES: usize = 32;
const NEXT: usize = 1;
const OTHER: usize = 2;
const NUMBER: usize = 3;

struct Types {
    node: TypeId,
    /// An array of plain references.
    refs: TypeId,
    /// An array of tagged words, after one raw word.
    values: TypeId,
    bytes: TypeId,
}

fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| Types {
        node: register_type(Layout {
            name: "node",
            fixed_size: NODE_BYTES as u32,
            slots: vec![
                Slot { offset: 8, kind: SlotKind::Ref },
                Slot { offset: 16, kind: SlotKind::Value },
                Slot { offset: 24, kind: SlotKind::Raw },
            ],
            trailing: None,
        }),
        refs: array("refs", 8, SlotKind::Ref, 8),
        values: array("values", 16, SlotKind::Value, 8),
        bytes: array("bytes", 8, SlotKind::Raw, 1),
    })
}

fn array(name: &'static str, fixed_size: u32, kind: SlotKind, elem_size: u32) -> TypeId {
    register_type(Layout { name, fixed_size, slots: vec![], trailing: Some(Trailing { kind, elem_size }) })
}

fn new_array(heap: &Heap, ty: TypeId, len: u32) -> *mut u8 {
    heap.alloc(ty, hotloop_gc::layout(ty).size(len), len)
}

/// Reads the word at `index` of an object.
fn get(object: *mut u8, index: usize) -> u64 {
    // SAFETY: the tests read words of live objects.
    unsafe { object.cast::<u64>().add(index).read() }
}

/// Writes the word at `index` of an object through the barrier.
fn set(heap: &Heap, object: *mut u8, index: usize, word: u64) {
    // SAFETY: the tests write words of live objects.
    unsafe { heap.store_ref(object, object.cast::<u64>().add(index), word) };
}

fn as_ref(word: u64) -> *mut u8 {
    word as *mut u8
}

fn as_value(object: *mut u8) -> u64 {
    object as u64 + REF_TAG
}

fn new_node(heap: &Heap, next: *mut u8, other: u64, number: u64) -> *mut u8 {
    let node = heap.alloc(types().node, NODE_BYTES, 0);
    assert_eq!((get(node, NEXT), get(node, OTHER), get(node, NUMBER)), (0, 0, 0), "memory comes zeroed");
    set(heap, node, NEXT, next as u64);
    set(heap, node, OTHER, other);
    set(heap, node, NUMBER, number);
    node
}

/// Overwrites the dead part of the stack, where stale words would keep garbage alive.
#[inline(never)]
fn clear_stack() {
    black_box([0u64; 4096]);
}

/// Allocates garbage of every size.
#[inline(never)]
fn make_garbage(heap: &Heap, bytes: usize) {
    let start = heap.stats().allocated_bytes;
    let mut turn = 0u64;
    while heap.stats().allocated_bytes - start < bytes as u64 {
        turn += 1;
        let list = new_node(heap, std::ptr::null_mut(), 1, turn);
        let array = new_array(heap, types().refs, (turn % 100) as u32);
        set(heap, list, NEXT, array as u64);
        if turn.is_multiple_of(1000) {
            black_box(new_array(heap, types().bytes, 50_000));
        }
    }
}

#[inline(never)]
fn make_list(heap: &Heap, length: u64) -> *mut u8 {
    let mut list = std::ptr::null_mut();
    for number in 0..length {
        // Every other node hangs on the tagged field.
        list = if number % 2 == 0 {
            new_node(heap, list, 7, number)
        } else {
            new_node(heap, std::ptr::null_mut(), if list.is_null() { 0 } else { as_value(list) }, number)
        };
    }
    list
}

fn check_list(mut list: *mut u8, length: u64) {
    for number in (0..length).rev() {
        assert_eq!(get(list, NUMBER), number);
        list = if number % 2 == 0 { as_ref(get(list, NEXT)) } else { as_ref(get(list, OTHER) - REF_TAG) };
    }
    assert!(list.is_null());
}

#[test]
fn lists_survive_through_fields_and_values() {
    let heap = Heap::new(HeapOptions::default());
    let list = make_list(&heap, 100_000);
    heap.collect();
    make_garbage(&heap, 100 << 20);
    heap.collect();
    check_list(black_box(list), 100_000);
    let live = heap.stats().live_bytes;
    assert!((3_200_000..3_300_000).contains(&live), "{live} bytes live");
    assert!(heap.stats().collections >= 4);
}

#[inline(never)]
fn make_tree(heap: &Heap, depth: u64) -> *mut u8 {
    let tree = new_array(heap, types().refs, 2);
    if depth > 0 {
        for child in 0..2 {
            let child_tree = make_tree(heap, depth - 1);
            set(heap, tree, 1 + child, child_tree as u64);
        }
    }
    tree
}

fn count_tree(tree: *mut u8) -> usize {
    if tree.is_null() { 0 } else { 1 + count_tree(as_ref(get(tree, 1))) + count_tree(as_ref(get(tree, 2))) }
}

#[test]
fn trees_survive_while_they_are_built() {
    let heap = Heap::new(HeapOptions { stress: Some(50), ..Default::default() });
    let tree = make_tree(&heap, 11);
    assert_eq!(count_tree(black_box(tree)), (1 << 12) - 1);
}

#[test]
fn trailing_arrays_are_scanned_small_and_large() {
    let heap = Heap::new(HeapOptions::default());
    for len in [10u32, 1000, 3000, 100_000] {
        let refs = new_array(&heap, types().refs, len);
        let values = new_array(&heap, types().values, len);
        for index in 0..u64::from(len) {
            let node = new_node(&heap, std::ptr::null_mut(), 0, index);
            set(&heap, refs, 1 + index as usize, node as u64);
            let node = new_node(&heap, std::ptr::null_mut(), 0, index + 1);
            // A number among the references: its tag bits say so.
            let word = if index % 10 == 9 { 0x2000_0000_0008 } else { as_value(node) };
            set(&heap, values, 2 + index as usize, word);
        }
        clear_stack();
        heap.collect();
        make_garbage(&heap, 40 << 20);
        for index in 0..u64::from(len) {
            assert_eq!(get(as_ref(get(refs, 1 + index as usize)), NUMBER), index);
            let word = get(values, 2 + index as usize);
            if index % 10 != 9 {
                assert_eq!(get(as_ref(word - REF_TAG), NUMBER), index + 1);
            }
        }
    }
}

/// Calls `check` after a collection in which only `word` keeps the list alive that it is made of.
fn kept_alive_by(make_word: fn(*mut u8) -> u64, object_of: fn(u64) -> *mut u8) {
    let heap = Heap::new(HeapOptions::default());
    #[inline(never)]
    fn make(heap: &Heap, make_word: fn(*mut u8) -> u64) -> u64 {
        make_word(make_list(heap, 1001))
    }
    let word = black_box(make(&heap, make_word));
    clear_stack();
    heap.collect();
    clear_stack();
    make_garbage(&heap, 40 << 20);
    check_list(object_of(black_box(word)), 1001);
}

#[test]
fn a_local_keeps_its_object_alive() {
    kept_alive_by(|object| object as u64, as_ref);
}

#[test]
fn an_interior_pointer_keeps_its_object_alive() {
    kept_alive_by(|object| object as u64 + 31, |word| as_ref(word - 31));
}

#[test]
fn a_tagged_word_keeps_its_object_alive() {
    kept_alive_by(as_value, |word| as_ref(word - REF_TAG));
}

#[test]
fn an_interior_pointer_keeps_a_large_array_alive() {
    let heap = Heap::new(HeapOptions::default());
    #[inline(never)]
    fn make(heap: &Heap) -> u64 {
        let array = new_array(heap, types().bytes, 10_000_000);
        // SAFETY: a byte inside the array.
        unsafe { array.add(8 + 9_999_999).write(42) };
        array as u64 + 8 + 9_999_999
    }
    let last = black_box(make(&heap));
    clear_stack();
    heap.collect();
    assert!(heap.stats().live_bytes > 10_000_000);
    make_garbage(&heap, 40 << 20);
    // SAFETY: the array is alive, which is what the test is about.
    assert_eq!(unsafe { *(black_box(last) as *const u8) }, 42);
    let array = heap.contains(last as usize).expect("the array is there");
    assert_eq!(array as u64, last - 9_999_999 - 8);
}

#[test]
fn contains_finds_objects_only() {
    let heap = Heap::new(HeapOptions::default());
    let node = new_node(&heap, std::ptr::null_mut(), 0, 0);
    for offset in 0..NODE_BYTES {
        assert_eq!(heap.contains(node as usize + offset), Some(node));
    }
    assert_eq!(heap.contains(node as usize + NODE_BYTES), None, "the free part of the region");
    assert_eq!(heap.contains(&raw const heap as usize), None);
    assert_eq!(heap.contains(0), None);
    assert_eq!(heap.contains(usize::MAX), None);
}

/// Runs the test of this name in a process of its own: what the process counts, its pages for one, is then
/// not what other tests do at the same time. Gives its exit status and what it wrote to standard error.
fn alone(test: &str, body: impl FnOnce()) -> Option<(Option<i32>, String)> {
    const CHILD: &str = "HOTLOOP_GC_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        body();
        return None;
    }
    let output = std::process::Command::new(std::env::current_exe().expect("this is a program"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("the test program runs again");
    Some((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[test]
fn garbage_is_reclaimed() {
    let answer = alone("garbage_is_reclaimed", || {
        let heap = Heap::new(HeapOptions { limit_bytes: Some(64 << 20), ..HeapOptions::default() });
        let list = make_list(&heap, 10_000);
        make_garbage(&heap, 2 << 30);
        check_list(black_box(list), 10_000);
        let stats = heap.stats();
        assert!(stats.allocated_bytes >= 2 << 30);
        assert!(!heap.over_limit());
        assert!(stats.page_bytes < 64 << 20, "{} bytes of pages", stats.page_bytes);
        // One for every 8 MB, half of the nursery, because nothing new survives.
        assert!((240..280).contains(&stats.collections), "{} collections", stats.collections);
    });
    if let Some((status, message)) = answer {
        assert_eq!(status, Some(0), "{message}");
    }
}

/// A small generator of pseudo-random numbers (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// An object as it should be: its address, where its number is, and the places with what they refer to.
struct Expected {
    address: *mut u8,
    number_at: usize,
    edges: Vec<(usize, bool, Option<usize>)>,
}

#[test]
fn random_graphs_survive() {
    const ROOTS: usize = 300;
    let heap = Heap::new(HeapOptions { nursery_bytes: Some(64 << 10), ..HeapOptions::default() });
    let roots = black_box(new_array(&heap, types().refs, ROOTS as u32));
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut objects: Vec<Expected> = Vec::new();
    let mut rooted: [Option<usize>; ROOTS] = [None; ROOTS];
    let link = |objects: &mut Vec<Expected>, from: usize, edge: usize, to: Option<usize>| {
        let (place, tagged, _) = objects[from].edges[edge];
        let word = to.map_or(0, |to| objects[to].address as u64 + if tagged { REF_TAG } else { 0 });
        set(&heap, objects[from].address, place, word);
        objects[from].edges[edge].2 = to;
    };
    for step in 0..120_000 {
        // An object that is reachable: some steps from a root.
        let mut pick = |objects: &Vec<Expected>| {
            let mut object = rooted[random.below(ROOTS)]?;
            for _ in 0..random.below(6) {
                let edges = &objects[object].edges;
                let next = (!edges.is_empty()).then(|| edges[random.below(edges.len())].2).flatten();
                object = next.unwrap_or(object);
            }
            Some(object)
        };
        let (one, two) = (pick(&objects), pick(&objects));
        match (random.below(4), one) {
            (0, Some(from)) if !objects[from].edges.is_empty() => {
                let edge = random.below(objects[from].edges.len());
                link(&mut objects, from, edge, two);
            }
            _ => {
                let number = objects.len();
                // Arrays of all sizes: within a line, over lines, in the space of large objects.
                let length = match random.below(400) {
                    0 => 2100,
                    1..20 => random.below(300),
                    _ => random.below(12),
                };
                let (address, number_at, edges) = if random.below(2) == 0 {
                    let node = heap.alloc(types().node, NODE_BYTES, 0);
                    (node, NUMBER, vec![(NEXT, false, None), (OTHER, true, None)])
                } else {
                    let array = new_array(&heap, types().values, length as u32);
                    (array, 1, (0..length).map(|index| (2 + index, true, None)).collect())
                };
                set(&heap, address, number_at, (number as u64) << 3);
                objects.push(Expected { address, number_at, edges });
                for target in [one, two] {
                    let count = objects[number].edges.len();
                    if count != 0 {
                        link(&mut objects, number, random.below(count), target);
                    }
                }
                let root = random.below(ROOTS);
                rooted[root] = Some(number);
                set(&heap, roots, 1 + root, address as u64);
            }
        }
        if step % 30_000 == 29_999 {
            heap.collect();
        }
        if step % 2_000 == 0 {
            check_graph(&objects, roots, &rooted);
        }
    }
    let stats = heap.stats();
    assert!(stats.young_collections > 10, "{} young collections", stats.young_collections);
    black_box(roots);
}

/// Compares all that is reachable with what is expected.
fn check_graph(objects: &[Expected], roots: *mut u8, rooted: &[Option<usize>]) {
    let mut seen = vec![false; objects.len()];
    let mut next: Vec<usize> = Vec::new();
    for (index, root) in rooted.iter().enumerate() {
        assert_eq!(get(roots, 1 + index), root.map_or(0, |root| objects[root].address as u64));
        next.extend(root);
    }
    while let Some(number) = next.pop() {
        if std::mem::replace(&mut seen[number], true) {
            continue;
        }
        let object = &objects[number];
        assert_eq!(get(object.address, object.number_at), (number as u64) << 3, "another object is there");
        for &(place, tagged, to) in &object.edges {
            let word = to.map_or(0, |to| objects[to].address as u64 + if tagged { REF_TAG } else { 0 });
            assert_eq!(get(object.address, place), word, "object {number}, word {place}");
            next.extend(to);
        }
    }
}

#[test]
fn stress_collects_at_every_allocation() {
    let heap = Heap::new(HeapOptions { stress: Some(1), ..Default::default() });
    let list = make_list(&heap, 300);
    let array = new_array(&heap, types().bytes, 100_000);
    check_list(black_box(list), 300);
    assert!(heap.stats().collections >= 301);
    assert_eq!(heap.contains(array as usize + 77), Some(array));
}

#[test]
fn the_limit_is_reported() {
    let heap = Heap::new(HeapOptions { limit_bytes: Some(8 << 20), ..HeapOptions::default() });
    let flag = Arc::new(AtomicU32::new(0));
    let told = flag.clone();
    heap.set_request(Box::new(move |what| {
        if what == Request::OverLimit {
            told.store(1, Ordering::Relaxed);
        }
    }));
    #[inline(never)]
    fn exceed(heap: &Heap, flag: &AtomicU32) {
        let mut list = std::ptr::null_mut();
        let mut count = 0u64;
        while flag.load(Ordering::Relaxed) == 0 {
            list = new_node(heap, list, 0, count);
            count += 1;
            assert!(count < 1_000_000, "the limit is never noticed");
        }
        assert!(heap.over_limit());
        assert!(count * 32 >= 8 << 20);
        assert!(count * 32 < 10 << 20, "noticed late: {count} nodes");
        // Allocation goes on above the limit.
        for number in 0..10_000 {
            list = new_node(heap, list, 0, number);
        }
        black_box(list);
    }
    exceed(&heap, &flag);
    // Where the heap allocates may be found on the stack.
    make_garbage(&heap, 1 << 20);
    clear_stack();
    heap.collect();
    assert!(!heap.over_limit(), "letting go brings the heap back under its limit");
}

#[test]
fn an_allocation_can_be_made_to_fail() {
    let heap = Heap::new(HeapOptions { fail_at: Some(5), ..HeapOptions::default() });
    for number in 1..20 {
        new_node(&heap, std::ptr::null_mut(), 0, number);
        assert_eq!(heap.over_limit(), number == 5);
    }
}

#[test]
fn try_alloc_refuses_what_does_not_fit() {
    let heap = Heap::new(HeapOptions { limit_bytes: Some(64 << 20), ..HeapOptions::default() });
    let ty = types().bytes;
    let size = |len| hotloop_gc::layout(ty).size(len);
    assert_eq!(heap.try_alloc(ty, size(100 << 20), 100 << 20), None);
    let arrays = Rc::new(Cell::new([0u64; 8]));
    let scanned = arrays.clone();
    let roots = heap.add_roots(Box::new(move |visit| scanned.get().into_iter().for_each(visit)));
    #[inline(never)]
    fn fill(heap: &Heap, arrays: &Cell<[u64; 8]>, size: usize) -> usize {
        let mut held = [0; 8];
        let mut count = 0;
        while let Some(array) = heap.try_alloc(types().bytes, size, 15 << 20) {
            held[count] = array as u64;
            arrays.set(held);
            count += 1;
        }
        count
    }
    assert_eq!(fill(&heap, &arrays, size(15 << 20)), 4, "four arrays of 15 MB fit into 64 MB");
    assert!(heap.try_alloc(ty, size(1000), 1000).is_some());
    arrays.set([0; 8]);
    clear_stack();
    assert!(heap.try_alloc(ty, size(50 << 20), 50 << 20).is_some(), "garbage makes room");
    heap.remove_roots(roots);
}

#[test]
fn root_scanners_keep_objects_alive() {
    let heap = Heap::new(HeapOptions::default());
    // The word is kept where the stack scan cannot see it: in memory of the Rust heap.
    let cell = Rc::new(Cell::new(0u64));
    let scanned = cell.clone();
    let roots = heap.add_roots(Box::new(move |visit| {
        visit(0);
        visit(u64::MAX);
        visit(scanned.get());
    }));
    #[inline(never)]
    fn fill(heap: &Heap, cell: &Cell<u64>) {
        cell.set(as_value(make_list(heap, 1001)));
    }
    #[inline(never)]
    fn check(cell: &Cell<u64>) {
        check_list(as_ref(cell.get() - REF_TAG), 1001);
    }
    fill(&heap, &cell);
    clear_stack();
    heap.collect();
    make_garbage(&heap, 40 << 20);
    check(&cell);
    heap.remove_roots(roots);
    clear_stack();
    heap.collect();
    assert!(heap.stats().live_bytes < 10_000, "the list is garbage without its scanner");
}

#[test]
fn threads_have_heaps_at_the_same_time() {
    hotloop_gc::prepare();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..3 {
                    let heap = Heap::new(HeapOptions::default());
                    let list = make_list(&heap, 1000);
                    make_garbage(&heap, 20 << 20);
                    heap.collect();
                    check_list(black_box(list), 1000);
                    // Only what the heap itself holds is counted.
                    assert!((32_000..100_000).contains(&heap.stats().live_bytes));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no heap failed");
    }
}

#[test]
fn a_thread_that_blocks_is_not_waited_for() {
    let (told, wait) = std::sync::mpsc::channel();
    let (away, is_away) = std::sync::mpsc::channel();
    let blocked = std::thread::spawn(move || {
        let heap = Heap::new(HeapOptions::default());
        let list = make_list(&heap, 10_000);
        // SAFETY: the closure does not use the heap.
        let collections = unsafe {
            heap.blocking(|| {
                away.send(()).expect("the other thread is there");
                wait.recv().expect("the other thread is done")
            })
        };
        assert!(heap.stats().collections >= collections, "this heap was collected, too");
        check_list(black_box(list), 10_000);
        make_garbage(&heap, 20 << 20);
        check_list(black_box(list), 10_000);
    });
    is_away.recv().expect("the other thread is there");
    let heap = Heap::new(HeapOptions::default());
    let list = make_list(&heap, 1000);
    make_garbage(&heap, 50 << 20);
    heap.collect();
    check_list(black_box(list), 1000);
    told.send(heap.stats().collections).expect("the other thread is there");
    // Waiting for the other thread is blocking, too.
    // SAFETY: the closure does not use the heap.
    unsafe { heap.blocking(|| blocked.join().expect("its list was kept")) };
}

#[test]
fn a_thread_that_ends_is_not_waited_for() {
    std::thread::spawn(|| {
        let heap = Heap::new(HeapOptions::default());
        black_box(make_list(&heap, 1000));
        std::mem::forget(heap);
    })
    .join()
    .expect("the thread ended");
    let heap = Heap::new(HeapOptions::default());
    make_garbage(&heap, 20 << 20);
    heap.collect();
}

#[test]
fn a_thread_that_does_not_allocate_is_asked_to_stop() {
    let done = Arc::new(AtomicU32::new(0));
    let seen = done.clone();
    let other = std::thread::spawn(move || {
        let heap = Heap::new(HeapOptions::default());
        let stop = Arc::new(AtomicU32::new(0));
        let asked = stop.clone();
        heap.set_request(Box::new(move |_| asked.store(1, Ordering::Relaxed)));
        seen.store(1, Ordering::Release);
        let list = make_list(&heap, 1000);
        while seen.load(Ordering::Acquire) != 2 {
            if stop.swap(0, Ordering::Relaxed) != 0 {
                heap.safepoint();
            }
            std::hint::spin_loop();
        }
        check_list(black_box(list), 1000);
        heap.stats().collections
    });
    while done.load(Ordering::Acquire) == 0 {
        std::thread::yield_now();
    }
    let heap = Heap::new(HeapOptions::default());
    for _ in 0..5 {
        heap.collect();
    }
    done.store(2, Ordering::Release);
    // SAFETY: the closure does not use the heap.
    let collections = unsafe { heap.blocking(|| other.join().expect("its list was kept")) };
    assert!(collections >= 5);
}

/// An old object that refers to new ones only.
#[test]
fn old_objects_keep_new_ones_alive() {
    let heap = Heap::new(HeapOptions::default());
    let table = new_array(&heap, types().refs, 1000);
    let large = new_array(&heap, types().values, 10_000);
    for round in 0..20 {
        heap.collect_young();
        for index in 0..1000 {
            let node = new_node(&heap, std::ptr::null_mut(), 7, index * round);
            set(&heap, table, 1 + index as usize, node as u64);
            set(&heap, large, 2 + index as usize, as_value(new_node(&heap, node, 7, index)));
        }
        clear_stack();
        heap.collect_young();
        make_garbage(&heap, 1 << 20);
        for index in 0..1000 {
            let node = as_ref(get(table, 1 + index as usize));
            assert_eq!(get(node, NUMBER), index * round);
            let other = as_ref(get(large, 2 + index as usize) - REF_TAG);
            assert_eq!((get(other, NUMBER), get(other, NEXT)), (index, node as u64));
        }
    }
    let stats = heap.stats();
    assert!(stats.young_collections >= 40);
    clear_stack();
    heap.collect();
    let exact = heap.stats().live_bytes;
    assert!((152_000..160_000).contains(&exact), "{exact} bytes live");
}

/// What is counted as alive after young collections is what was alive when it was looked at.
#[test]
fn young_collections_count_what_they_find() {
    let heap = Heap::new(HeapOptions::default());
    let table = new_array(&heap, types().refs, 1000);
    heap.collect();
    let before = heap.stats().live_bytes;
    for index in 0..1000 {
        let node = new_node(&heap, std::ptr::null_mut(), 7, index);
        set(&heap, table, 1 + index as usize, node as u64);
        if index % 100 == 99 {
            heap.collect_young();
        }
    }
    let after = heap.stats().live_bytes;
    assert_eq!(after - before, 32_000);
    black_box(table);
}

#[test]
fn garbage_that_got_old_is_reclaimed() {
    let heap = Heap::new(HeapOptions { limit_bytes: Some(64 << 20), ..HeapOptions::default() });
    for _ in 0..100 {
        let list = make_list(&heap, 100_000);
        heap.collect_young();
        check_list(black_box(list), 100_000);
    }
    let stats = heap.stats();
    assert!(stats.young_collections < stats.collections);
    assert!(stats.page_bytes < 100 << 20, "{} bytes of pages", stats.page_bytes);
    assert!(!heap.over_limit());
}

#[test]
#[should_panic(expected = "already has a Heap")]
fn a_thread_has_one_heap() {
    let _first = Heap::new(HeapOptions::default());
    let _second = Heap::new(HeapOptions::default());
}

#[test]
#[should_panic(expected = "wrong size")]
fn the_size_is_checked() {
    let heap = Heap::new(HeapOptions::default());
    heap.alloc(types().node, 24, 0);
}

/// What a trace does to allocate, as the crate's documentation has it.
fn alloc_as_a_trace_does(bump: *mut BumpRegion, header: u64, size: usize) -> *mut u8 {
    assert!(size <= MAX_BUMP_BYTES);
    // SAFETY: the documented sequence, on the heap's thread.
    unsafe {
        let object = (*bump).cursor;
        let end = object + size;
        if end > (*bump).limit {
            return alloc_slow(bump, header, size);
        }
        (*bump).cursor = end;
        (object as *mut u64).write(header);
        object as *mut u8
    }
}

#[test]
fn traces_allocate_inline() {
    for stress in [None, Some(1000)] {
        let heap = Heap::new(HeapOptions { stress, ..HeapOptions::default() });
        let header = u64::from(types().node.0) | heap.header_bits();
        let bump = heap.bump();
        let mut list = std::ptr::null_mut();
        for number in 0..20_000 {
            let node = alloc_as_a_trace_does(bump, header, NODE_BYTES);
            set(&heap, node, NEXT, list as u64);
            set(&heap, node, NUMBER, number);
            list = node;
        }
        heap.collect();
        let mut at = black_box(list);
        for number in (0..20_000).rev() {
            assert_eq!(get(at, NUMBER), number);
            assert_eq!(heap.contains(at as usize + 20), Some(at));
            at = as_ref(get(at, NEXT));
        }
        assert_eq!(heap.stats().allocated_bytes, 20_000 * NODE_BYTES as u64);
    }
}

#[test]
fn far_above_the_limit_the_process_ends() {
    let answer = alone("far_above_the_limit_the_process_ends", || {
        let heap = Heap::new(HeapOptions { limit_bytes: Some(16 << 20), ..HeapOptions::default() });
        let table = new_array(&heap, types().refs, 10_000);
        for index in 1..=10_000 {
            set(&heap, table, index, new_array(&heap, types().bytes, 100_000) as u64);
        }
    });
    if let Some((status, message)) = answer {
        assert_eq!(status, Some(1), "{message}");
        assert!(message.contains("hotloop: out of memory"), "{message}");
    }
}
