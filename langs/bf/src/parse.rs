//! Source text to operations: runs of `+-<>` become one, brackets know their partners.

use std::fmt;

use hotloop::LoopCell;

/// An operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Adds to the cell.
    Add(i32),
    /// Moves the head.
    Move(i32),
    /// Writes the cell.
    Write,
    /// Reads the cell.
    Read,
    /// `[`, with its partner's index.
    Open(u32),
    /// `]`, with its partner's index.
    Close(u32),
    /// The program's end.
    End,
}

/// A program.
#[derive(Debug)]
pub struct Program {
    /// The operations; the last one is [`Op::End`].
    pub ops: Vec<Op>,
    /// A counter for each.
    pub cells: Vec<LoopCell>,
    /// Line and column of each.
    pub places: Vec<(u32, u32)>,
}

/// An unmatched bracket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The bracket.
    pub bracket: char,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: `{}` without its partner", self.line, self.column, self.bracket)
    }
}
impl std::error::Error for SyntaxError {}

/// Reads a program; all characters but `+-<>.,[]` are comments.
///
/// # Errors
/// A bracket without its partner.
pub fn parse(text: &str) -> Result<Program, SyntaxError> {
    let mut program = Program { ops: Vec::new(), cells: Vec::new(), places: Vec::new() };
    let mut open: Vec<usize> = Vec::new();
    let (mut line, mut column) = (1, 0);
    for character in text.chars() {
        column += 1;
        let op = match character {
            '+' => Op::Add(1),
            '-' => Op::Add(-1),
            '>' => Op::Move(1),
            '<' => Op::Move(-1),
            '.' => Op::Write,
            ',' => Op::Read,
            '[' => {
                open.push(program.ops.len());
                Op::Open(0)
            }
            ']' => {
                let Some(start) = open.pop() else {
                    return Err(SyntaxError { line, column, bracket: ']' });
                };
                program.ops[start] = Op::Open(program.ops.len() as u32);
                Op::Close(start as u32)
            }
            '\n' => {
                (line, column) = (line + 1, 0);
                continue;
            }
            _ => continue,
        };
        match (program.ops.last_mut(), op) {
            (Some(Op::Add(n)), Op::Add(m)) | (Some(Op::Move(n)), Op::Move(m)) => *n += m,
            _ => {
                program.ops.push(op);
                program.places.push((line, column));
            }
        }
    }
    if let Some(start) = open.pop() {
        let (line, column) = program.places[start];
        return Err(SyntaxError { line, column, bracket: '[' });
    }
    program.ops.push(Op::End);
    program.places.push((line, column));
    program.cells.resize_with(program.ops.len(), LoopCell::default);
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_know_their_partners() {
        let program = parse("++[->+<]").unwrap();
        assert_eq!(program.ops[1], Op::Open(6));
        assert_eq!(program.ops[6], Op::Close(1));
        assert_eq!(parse("+\n ]").unwrap_err().to_string(), "2:2: `]` without its partner");
        assert_eq!(parse("[[]").unwrap_err().to_string(), "1:1: `[` without its partner");
    }
}
