//! The C peers: compiled with gcc -O2, and looked at, because gcc proves overflow checks away where it
//! can and a loop without them would be another program than ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs;
use crate::{Result, process};

/// Compiles `file` into `scratch`; nothing if there is no gcc.
pub fn compile(file: &str, scratch: &Path) -> Result<Option<PathBuf>> {
    if process::answers("gcc", &["--version"]).is_none() {
        return Ok(None);
    }
    let program = scratch.join(file.trim_end_matches(".c"));
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-Wall", "-Wextra", "-o"]).arg(&program).arg(programs::folder().join(file));
    let outcome = process::run(&mut gcc, None)?;
    if outcome.succeeded() {
        Ok(Some(program))
    } else {
        Err(format!("bench/{file} does not compile:\n{}", outcome.stderr_text()))
    }
}

/// The most overflow tests (`jo`, `seto`) in any one innermost loop of the program; nothing if there is
/// no objdump.
pub fn overflow_checks_in_a_loop(program: &Path) -> Result<Option<usize>> {
    if process::answers("objdump", &["--version"]).is_none() {
        return Ok(None);
    }
    let outcome =
        process::run(Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(program), None)?;
    if !outcome.succeeded() {
        return Err(format!("objdump failed:\n{}", outcome.stderr_text()));
    }
    Ok(Some(count_in_loops(&outcome.stdout_text())))
}

/// One instruction of a disassembly: its address, its name, and where it jumps to if it says so.
struct Instruction<'a> {
    address: u64,
    name: &'a str,
    target: Option<u64>,
}

fn count_in_loops(disassembly: &str) -> usize {
    let instructions = disassembly.lines().filter_map(parse).collect::<Vec<_>>();
    let is_jump = |name: &str| name.starts_with('j');
    // A loop is what lies between a backward jump and its target; it is innermost if no other one lies
    // within.
    let loops = instructions.iter().filter_map(|jump| {
        let target = jump.target.filter(|&target| is_jump(jump.name) && target <= jump.address)?;
        Some((target, jump.address))
    });
    let loops = loops.collect::<Vec<_>>();
    let innermost = loops.iter().filter(|&&(start, end)| {
        !loops.iter().any(|&other| other != (start, end) && start <= other.0 && other.1 <= end)
    });
    let checks = |&(start, end): &(u64, u64)| {
        let within = instructions.iter().filter(|instruction| (start..=end).contains(&instruction.address));
        within.filter(|instruction| ["jo", "seto"].contains(&instruction.name)).count()
    };
    innermost.map(checks).max().unwrap_or(0)
}

/// `    122f:\tjo     1262 <addmul+0x62>`
fn parse(line: &str) -> Option<Instruction<'_>> {
    let (address, rest) = line.trim_start().split_once(":\t")?;
    let mut words = rest.split_whitespace();
    let name = words.next()?;
    let target = words.next().and_then(|word| u64::from_str_radix(word, 16).ok());
    Some(Instruction { address: u64::from_str_radix(address, 16).ok()?, name, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_counted_in_the_innermost_loop() {
        let text = "\
0000000000001200 <addmul>:
    1218:\tmov    %r8,%rax
    1222:\tjo     1262 <addmul+0x62>
    1228:\tmov    %rdx,%rax
    122b:\timul   %rcx,%rax
    122f:\tjo     1262 <addmul+0x62>
    1231:\tadd    %rdx,%rax
    1234:\tjo     1262 <addmul+0x62>
    1242:\tjne    1228 <addmul+0x28>
    1248:\tjo     1262 <addmul+0x62>
    124b:\tjne    1218 <addmul+0x18>
    1262:\tlea    0xd9f(%rip),%rdi        # 2008 <_IO_stdin_used+0x8>
";
        assert_eq!(count_in_loops(text), 2);
        assert_eq!(count_in_loops("    1: \tret\n"), 0);
    }
}
