//! Memory of C: `malloc`, and what is known of its blocks.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hotloop::foreign::Foreign;

thread_local! {
    /// The live blocks that were made here, by address: how large they are.
    static BLOCKS: RefCell<BTreeMap<usize, usize>> = RefCell::default();
}

/// Why a block can't be freed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotFreed {
    /// The address is that of nothing.
    Null,
    /// It is inside a block, not where one begins.
    Inside,
}

/// A block of `malloc`, zeroed; nothing if there is no memory.
pub fn allocate(_allowed: Foreign, size: usize) -> Option<usize> {
    // SAFETY: `calloc` may be called with any size; one byte makes every block's address its own.
    let block = unsafe { libc::calloc(1, size.max(1)) };
    if block.is_null() {
        return None;
    }
    let address = block.expose_provenance();
    BLOCKS.with_borrow_mut(|blocks| blocks.insert(address, size));
    Some(address)
}

/// Frees a block of [`allocate`], or one that C has made by `malloc` and handed over.
///
/// # Errors
/// It is known not to be one.
pub fn free(_allowed: Foreign, address: usize) -> Result<(), NotFreed> {
    if address == 0 {
        return Err(NotFreed::Null);
    }
    BLOCKS.with_borrow_mut(|blocks| {
        if blocks.remove(&address).is_some() {
            return Ok(());
        }
        let below = blocks.range(..address).next_back();
        match below {
            Some((start, size)) if address - start < *size => Err(NotFreed::Inside),
            _ => Ok(()),
        }
    })?;
    // SAFETY: the block was live until here; of one that C made, who gave the permission vouches for that.
    unsafe { libc::free(std::ptr::with_exposed_provenance_mut(address)) };
    Ok(())
}

/// The bytes up to the first zero, or as many as there may be.
pub fn text(_allowed: Foreign, address: usize, most: Option<usize>) -> Vec<u8> {
    let start = std::ptr::with_exposed_provenance::<u8>(address);
    let most = most.unwrap_or(usize::MAX);
    // SAFETY: who gave the permission vouches for the program's addresses.
    unsafe {
        let length = libc::strnlen(start.cast(), most);
        std::slice::from_raw_parts(start, length).to_vec()
    }
}

/// Copies bytes, as through a buffer.
pub fn copy(_allowed: Foreign, from: usize, to: usize, count: usize) {
    let source = std::ptr::with_exposed_provenance::<u8>(from);
    let target = std::ptr::with_exposed_provenance_mut::<u8>(to);
    // SAFETY: as for `text`.
    unsafe { std::ptr::copy(source, target, count) }
}

/// Reads bytes.
pub fn read(_allowed: Foreign, from: usize, count: usize) -> Vec<u8> {
    let source = std::ptr::with_exposed_provenance::<u8>(from);
    // SAFETY: as for `text`.
    unsafe { std::slice::from_raw_parts(source, count).to_vec() }
}

/// Writes bytes.
pub fn write(_allowed: Foreign, to: usize, bytes: &[u8]) {
    let target = std::ptr::with_exposed_provenance_mut::<u8>(to);
    // SAFETY: as for `text`.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len()) }
}
