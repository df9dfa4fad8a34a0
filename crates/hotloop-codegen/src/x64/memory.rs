//! Executable memory: one region, mapped twice.
//!
//! The pages are never writable and executable at the same address: code is written through one mapping of
//! an anonymous file and run through another (the way of many JITs on hardened systems). The whole limit is
//! reserved at once, so every jump reaches with 32 bits; pages are committed when they are first written.

use std::cell::RefCell;
use std::ptr::NonNull;

use crate::{CodegenError, Ranges};

/// Code begins at multiples of this.
const UNIT: usize = 64;
/// Most bytes that a limit may allow: jumps reach with 32 bits.
const MOST: usize = 1 << 30;
/// `int3`.
const TRAP: u8 = 0xcc;

/// The region.
pub struct CodeMemory {
    writable: NonNull<u8>,
    executable: NonNull<u8>,
    size: usize,
    /// What is not in use.
    free: RefCell<Ranges>,
}

fn failed(what: &str) -> CodegenError {
    CodegenError::System(format!("{what}: {}", std::io::Error::last_os_error()))
}

impl CodeMemory {
    /// Maps the shared code, at offset 0, and so many bytes for traces.
    pub fn new(shared: &[u8], limit: usize) -> Result<CodeMemory, CodegenError> {
        let start = shared.len().next_multiple_of(UNIT);
        let limit = limit.min(MOST) & !(UNIT - 1);
        let memory = CodeMemory::map((start + limit).next_multiple_of(1 << 16), Ranges::new(start, limit))?;
        memory.write(0, shared);
        Ok(memory)
    }

    fn map(size: usize, free: Ranges) -> Result<CodeMemory, CodegenError> {
        // SAFETY: plain system calls; the descriptor is ours and closed here; the kernel picks addresses.
        unsafe {
            let file = libc::memfd_create(c"hotloop-code".as_ptr(), libc::MFD_CLOEXEC);
            if file < 0 {
                return Err(failed("memfd_create"));
            }
            if libc::ftruncate(file, size as libc::off_t) != 0 {
                let error = failed("ftruncate");
                libc::close(file);
                return Err(error);
            }
            let map = |protection| {
                let at = libc::mmap(std::ptr::null_mut(), size, protection, libc::MAP_SHARED, file, 0);
                if at == libc::MAP_FAILED { None } else { NonNull::new(at.cast::<u8>()) }
            };
            let writable = map(libc::PROT_READ | libc::PROT_WRITE);
            let executable = map(libc::PROT_READ | libc::PROT_EXEC);
            let error = failed("mmap of code memory");
            libc::close(file);
            match (writable, executable) {
                (Some(writable), Some(executable)) => {
                    Ok(CodeMemory { writable, executable, size, free: RefCell::new(free) })
                }
                (one, other) => {
                    for mapping in [one, other].into_iter().flatten() {
                        libc::munmap(mapping.as_ptr().cast(), size);
                    }
                    Err(error)
                }
            }
        }
    }

    /// Room for so much code: an offset, a multiple of [`UNIT`].
    pub fn take(&self, size: usize) -> Result<usize, CodegenError> {
        self.free.borrow_mut().take(size.next_multiple_of(UNIT)).ok_or(CodegenError::OutOfCodeMemory)
    }

    /// The room is free again. Nothing runs there and nothing jumps there any more: whoever does, traps.
    pub fn give(&self, at: usize, size: usize) {
        self.write(at, &vec![TRAP; size]);
        self.free.borrow_mut().give(at, size.next_multiple_of(UNIT));
    }

    /// The offset of an address at which code runs, if it is one.
    pub fn offset_of(&self, address: usize) -> Option<usize> {
        address.checked_sub(self.executable.as_ptr() as usize).filter(|offset| *offset < self.size)
    }

    /// Overwrites code, which may be running further up the stack.
    pub fn write(&self, at: usize, code: &[u8]) {
        assert!(at + code.len() <= self.size);
        // SAFETY: within the writable mapping, to which there are no references.
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), self.writable.as_ptr().add(at), code.len()) }
    }

    /// To be called between overwriting code and running it: modified at another address than it runs at,
    /// it needs a serialising instruction (Intel SDM 3A, 9.1.3). `cpuid` takes microseconds in a virtual
    /// machine, so this is a return from interrupt to the next instruction (as Linux' `sync_core` does).
    pub fn serialise(&self) {
        // SAFETY: `iretq` pops what was pushed before it and goes on behind it, with stack and flags
        // restored.
        unsafe {
            std::arch::asm!(
                "mov {word:e}, ss",
                "push {word}",
                "lea {word}, [rsp + 8]",
                "push {word}",
                "pushfq",
                "mov {word:e}, cs",
                "push {word}",
                "lea {word}, [rip + 2f]",
                "push {word}",
                "iretq",
                "2:",
                word = out(reg) _,
            );
        }
    }

    /// The address at which code at this offset runs.
    pub fn address(&self, at: usize) -> usize {
        self.executable.as_ptr() as usize + at
    }

    /// The code itself.
    pub fn read(&self, at: usize, len: usize) -> Vec<u8> {
        assert!(at + len <= self.size);
        // SAFETY: within the mapping; nothing writes meanwhile.
        unsafe { std::slice::from_raw_parts(self.writable.as_ptr().add(at), len) }.to_vec()
    }
}

impl Drop for CodeMemory {
    fn drop(&mut self) {
        // SAFETY: both mappings are ours; no code runs any more, as running borrows the target.
        unsafe {
            libc::munmap(self.writable.as_ptr().cast(), self.size);
            libc::munmap(self.executable.as_ptr().cast(), self.size);
        }
    }
}
