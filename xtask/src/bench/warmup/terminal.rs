//! A child that writes to a pseudo terminal, and how much CPU time it had used at each of its lines.
//!
//! Whoever reads a child's lines learns of them too late on a busy machine. So the child is stopped at
//! every `write` (a seccomp filter says "ask the tracer", `ptrace` is told), its clock is read, and it
//! goes on: the stamps are exact, and nothing but its lines takes longer.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;

use crate::Result;

/// CPU seconds (of all its threads) that the child had used when it wrote each of its lines.
pub fn stamps(command: &mut Command) -> Result<Vec<f64>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |what: &str| format!("{program}: {what}: {}", io::Error::last_os_error());
    let (mut here, there) = terminal()?;
    // SAFETY: between fork and exec it makes system calls only.
    unsafe { command.pre_exec(ask_to_be_stopped) };
    let child = command
        .stdin(Stdio::null())
        .stdout(there)
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| format!("can't start {program}: {error}"))?;
    // The command keeps the terminal's other end open, which would hide the child's end.
    command.stdout(Stdio::null());
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        // The read fails when the child has closed its end; what came before is all there is.
        let _ = here.read_to_end(&mut text);
        text.iter().filter(|byte| **byte == b'\n').count()
    });
    let pid = child.id() as libc::pid_t;
    let stamps = follow(pid).map_err(|what| failed(&what))?;
    let lines = reader.join().unwrap_or_default();
    if lines != stamps.len() {
        return Err(format!("{program} wrote {lines} lines in {} pieces", stamps.len()));
    }
    Ok(stamps)
}

/// In the child: the parent is told of every `write`.
fn ask_to_be_stopped() -> io::Result<()> {
    let instruction = |code, k, jf| libc::sock_filter { code, jt: 0, jf, k };
    let mut filter = [
        // The system call's number is the first word of what a filter sees.
        instruction((libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, 0, 0),
        instruction((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, libc::SYS_write as u32, 1),
        instruction((libc::BPF_RET | libc::BPF_K) as u16, libc::SECCOMP_RET_TRACE, 0),
        instruction((libc::BPF_RET | libc::BPF_K) as u16, libc::SECCOMP_RET_ALLOW, 0),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: these calls change this process only; the filter lives until the last one has copied it.
    let done = unsafe {
        libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets the child run to its end and stamps its writes to standard output.
fn follow(pid: libc::pid_t) -> std::result::Result<Vec<f64>, String> {
    let mut stamps = Vec::new();
    let mut clock = 0;
    let mut status = 0;
    // Its threads that have been seen; each stops first of all, because it is followed.
    let mut threads = vec![pid];
    // SAFETY: here and below the pointers are to live locals of the types that are written; the child is
    // this thread's tracee and not reaped before the loop ends.
    let stopped = unsafe { libc::waitpid(pid, &mut status, 0) };
    if stopped != pid || !libc::WIFSTOPPED(status) {
        return Err("it did not start".to_string());
    }
    let options = libc::PTRACE_O_TRACESECCOMP | libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_EXITKILL;
    // SAFETY: as above.
    unsafe {
        libc::ptrace(libc::PTRACE_SETOPTIONS, pid, 0, options);
        libc::clock_getcpuclockid(pid, &mut clock);
    }
    let (mut thread, mut signal) = (pid, 0);
    loop {
        // SAFETY: as above.
        let continued = unsafe { libc::ptrace(libc::PTRACE_CONT, thread, 0, signal) };
        if continued != 0 && thread == pid {
            return Err("it can't be continued".to_string());
        }
        loop {
            // SAFETY: as above.
            thread = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | libc::__WNOTHREAD) };
            if thread <= 0 {
                return Err("it can't be waited for".to_string());
            }
            if thread == pid || libc::WIFSTOPPED(status) {
                break;
            }
            // Another thread has ended.
        }
        if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
            return Ok(stamps);
        }
        if !libc::WIFSTOPPED(status) {
            return Err(format!("it ended with wait status {status}"));
        }
        signal = 0;
        if !threads.contains(&thread) {
            threads.push(thread);
            continue;
        }
        if status >> 8 == libc::SIGTRAP | libc::PTRACE_EVENT_CLONE << 8 {
            continue;
        }
        if status >> 8 != libc::SIGTRAP | libc::PTRACE_EVENT_SECCOMP << 8 {
            // A signal of its own: it shall have it. (A trap says that it has become another program.)
            let own = libc::WSTOPSIG(status);
            signal = if own == libc::SIGTRAP { 0 } else { own };
            continue;
        }
        // SAFETY: an all-zero value is a valid one of this plain C struct; otherwise as above.
        let registers = unsafe {
            let mut registers: libc::user_regs_struct = std::mem::zeroed();
            libc::ptrace(libc::PTRACE_GETREGS, thread, 0, &mut registers);
            registers
        };
        let last = registers.rsi.wrapping_add(registers.rdx).wrapping_sub(1);
        if registers.rdi == libc::STDOUT_FILENO as u64 && byte_at(pid, last) == b'\n' {
            let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: as above.
            unsafe { libc::clock_gettime(clock, &mut time) };
            stamps.push(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9);
        }
    }
}

/// A byte of the stopped child's memory; 0 if there is none.
fn byte_at(pid: libc::pid_t, address: u64) -> u8 {
    let mut byte = 0u8;
    let here = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let there = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: 1 };
    // SAFETY: one byte is written, to a live local; the kernel checks the child's address.
    unsafe { libc::process_vm_readv(pid, &here, 1, &there, 1, 0) };
    byte
}

/// A pseudo terminal: the end to read and the end to write.
fn terminal() -> Result<(File, OwnedFd)> {
    let (mut here, mut there) = (-1, -1);
    let null = std::ptr::null_mut();
    // SAFETY: both pointers are to live locals; the others may be null.
    let outcome = unsafe { libc::openpty(&mut here, &mut there, null, null.cast(), null.cast()) };
    if outcome != 0 {
        return Err(format!("no pseudo terminal: {}", io::Error::last_os_error()));
    }
    // SAFETY: openpty has just opened both descriptors, and nobody else owns them.
    unsafe {
        // Only as its standard output shall the child inherit one of them.
        libc::fcntl(here, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(there, libc::F_SETFD, libc::FD_CLOEXEC);
        Ok((File::from_raw_fd(here), OwnedFd::from_raw_fd(there)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`threads_are_followed`] runs.
    #[test]
    fn prints_in_a_thread() {
        std::thread::spawn(|| println!("one")).join().unwrap();
    }

    #[test]
    fn threads_are_followed() {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let outcome = stamps(command.args(["--nocapture", "prints_in_a_thread"]));
        // The tests' own lines come several in one piece; what counts is that it ran to its end.
        assert!(
            outcome.is_ok() || outcome.as_ref().is_err_and(|error| error.contains(" pieces")),
            "{outcome:?}"
        );
    }

    #[test]
    fn each_line_gets_the_time_used_until_then() {
        let script = "echo one; i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo two";
        let stamps = stamps(Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!(stamps.len(), 2);
        assert!(stamps[1] > stamps[0] + 0.005, "{stamps:?}");
        assert!(super::stamps(Command::new("sh").args(["-c", "exit 3"])).is_err());
    }
}
