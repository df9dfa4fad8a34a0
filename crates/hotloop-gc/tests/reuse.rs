//! Private objects: given back they are used again, unless somebody else may refer to them.

use hotloop_gc::{Heap, HeapOptions, Layout, Slot, SlotKind, Trailing, TypeId, layout, register_type, share};
use std::sync::OnceLock;

/// `{ header, caller: Ref, number: Raw, slots: [Value] }`
fn frame_type() -> TypeId {
    static TYPE: OnceLock<TypeId> = OnceLock::new();
    *TYPE.get_or_init(|| new_type("frame"))
}

fn new_type(name: &'static str) -> TypeId {
    let slots = vec![Slot { offset: 8, kind: SlotKind::Ref }];
    let trailing = Some(Trailing { kind: SlotKind::Value, elem_size: 8 });
    register_type(Layout { name, fixed_size: 24, slots, trailing })
}

fn new(heap: &Heap, ty: TypeId, caller: *mut u8, len: u32) -> *mut u8 {
    // SAFETY: the size is the layout's; the first field holds a reference or nothing.
    unsafe {
        let object = heap.alloc_private(ty, layout(ty).fixed_size as usize, layout(ty).size(len), len);
        object.cast::<*mut u8>().add(1).write(caller);
        object.cast::<u64>().add(2).write(0);
        object
    }
}

fn words(object: *mut u8, count: usize) -> Vec<u64> {
    // SAFETY: the objects of these tests are alive, with so many words.
    (0..count).map(|index| unsafe { object.cast::<u64>().add(index).read() }).collect()
}

fn give_back(heap: &Heap, object: *mut u8) {
    // SAFETY: the object lives.
    unsafe { heap.give_back(object) };
}

#[test]
fn the_last_one_given_back_is_the_first_to_be_used_and_is_clear() {
    let heap = Heap::new(HeapOptions::default());
    let ty = frame_type();
    let (one, two) = (new(&heap, ty, std::ptr::null_mut(), 3), new(&heap, ty, std::ptr::null_mut(), 3));
    let header = words(one, 1);
    // SAFETY: the object has six words; what is written is no reference.
    unsafe { two.cast::<u64>().add(5).write(8) };
    give_back(&heap, one);
    give_back(&heap, two);
    let allocated = heap.stats().allocated_bytes;
    assert_eq!(new(&heap, ty, std::ptr::null_mut(), 3), two);
    assert_eq!(new(&heap, ty, std::ptr::null_mut(), 3), one);
    assert_eq!(heap.stats().allocated_bytes, allocated);
    assert_eq!(words(two, 6), [header[0], 0, 0, 0, 0, 0]);
    let third = new(&heap, ty, std::ptr::null_mut(), 3);
    assert!(third != one && third != two);
}

#[test]
fn only_objects_of_the_same_type_and_length_take_the_place() {
    let heap = Heap::new(HeapOptions::default());
    let (ty, other) = (frame_type(), new_type("another frame"));
    let one = new(&heap, ty, std::ptr::null_mut(), 3);
    give_back(&heap, one);
    assert_ne!(new(&heap, ty, std::ptr::null_mut(), 4), one);
    assert_ne!(new(&heap, other, std::ptr::null_mut(), 3), one);
    assert_eq!(new(&heap, ty, std::ptr::null_mut(), 3), one);
    // Longer ones than pools are for.
    let long = new(&heap, ty, std::ptr::null_mut(), 1000);
    give_back(&heap, long);
    assert_ne!(new(&heap, ty, std::ptr::null_mut(), 1000), long);
}

#[test]
fn what_was_shared_is_not_used_again_nor_what_it_refers_to() {
    let heap = Heap::new(HeapOptions::default());
    let ty = frame_type();
    let bottom = new(&heap, ty, std::ptr::null_mut(), 1);
    let middle = new(&heap, ty, bottom, 2);
    let top = new(&heap, ty, middle, 3);
    // SAFETY: the object lives.
    unsafe { share(middle) };
    for object in [top, middle, bottom] {
        give_back(&heap, object);
    }
    assert_eq!(new(&heap, ty, std::ptr::null_mut(), 3), top);
    assert_ne!(new(&heap, ty, std::ptr::null_mut(), 2), middle);
    assert_ne!(new(&heap, ty, std::ptr::null_mut(), 1), bottom);
    assert_eq!(words(middle, 2)[1], bottom as u64);
}

#[test]
fn a_collection_forgets_what_was_given_back_and_old_objects_are_kept() {
    let heap = Heap::new(HeapOptions::default());
    let ty = frame_type();
    let given = new(&heap, ty, std::ptr::null_mut(), 3);
    let kept = new(&heap, ty, std::ptr::null_mut(), 3);
    give_back(&heap, given);
    heap.collect_young();
    assert_ne!(new(&heap, ty, std::ptr::null_mut(), 3), given, "its memory may be anything's now");
    assert_eq!(heap.contains(kept as usize), Some(kept));
    give_back(&heap, kept);
    assert_ne!(new(&heap, ty, std::ptr::null_mut(), 3), kept, "old objects need a write barrier");
}
