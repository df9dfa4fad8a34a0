//! Lines and columns: which expressions follow each other, and which block a form captures.
//!
//! An expression whose line ends in a form captures what follows: on the same line, the next
//! expression; otherwise, if the next line is indented deeper, the block of all expressions that
//! start in that column, and the further ones on their lines.

use super::expression::Reader;
use super::lexer;
use super::syntax::Syntax;
use crate::position::{Pos, SyntaxError};

/// All expressions of a program.
pub fn read(text: &str) -> Result<Vec<Syntax>, SyntaxError> {
    let end = text.chars().fold(Pos::default(), lexer::after);
    let mut reader = Reader::new(lexer::tokens(text)?, end);
    let mut program = Vec::new();
    while reader.first().is_some() {
        if reader.position().col != 0 {
            return Err(SyntaxError::new(reader.position(), "layout error"));
        }
        program.push(captured(&mut reader, 0)?);
    }
    Ok(program)
}

/// An expression of a block in column `col`, with what it captures.
fn captured(reader: &mut Reader, col: u32) -> Result<Syntax, SyntaxError> {
    let mut head = reader.expression()?;
    if reader.first().is_some() && head.capturing().is_some() {
        let at = reader.position();
        if head.span.stop.line == at.line {
            reader.enter()?;
            let next = captured(reader, col)?;
            reader.leave();
            head.attach(vec![next])?;
        } else if at.col > col {
            reader.enter()?;
            let inner = block(reader, at.col)?;
            reader.leave();
            head.attach(inner)?;
        }
    }
    Ok(head)
}

/// All expressions that start in column `col`, and those after them on their lines.
fn block(reader: &mut Reader, col: u32) -> Result<Vec<Syntax>, SyntaxError> {
    let mut block = Vec::new();
    while reader.first().is_some() && reader.position().col == col {
        block.push(captured(reader, col)?);
        let line = block[block.len() - 1].span.stop.line;
        while reader.first().is_some() && reader.position().line == line && reader.position().col > col {
            block.push(captured(reader, col)?);
        }
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::super::lexer::Literal;
    use super::super::syntax::{Bracketed, SyntaxKind};
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match read(text) {
            Ok(program) => show_all(&program),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "forms of {text:?}");
    }

    fn show_all(items: &[Syntax]) -> String {
        items.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    fn bracketed(open: &str, inner: &Bracketed, close: &str) -> String {
        let capture = match inner.capture.is_empty() {
            true => String::new(),
            false => format!("<{}>", show_all(&inner.capture)),
        };
        format!("{open}{}{close}{capture}", show_all(&inner.items))
    }

    /// Operators fully bracketed as prefix calls, captures between `<` and `>`.
    fn show(syntax: &Syntax) -> String {
        match &syntax.kind {
            SyntaxKind::Literal(Literal::Int(value)) => value.to_string(),
            SyntaxKind::Literal(literal) => format!("{literal:?}"),
            SyntaxKind::Name(name) => name.text.to_string(),
            SyntaxKind::Form(form) => bracketed("(", form, ")"),
            SyntaxKind::List(list) => bracketed("[", list, "]"),
            SyntaxKind::Operator(name, operands) => format!("{}{{{}}}", name.text, show_all(operands)),
            SyntaxKind::Chain(names, operands) => {
                let names: Vec<&str> = names.iter().map(|name| &*name.text).collect();
                format!("{}{{{}}}", names.join(""), show_all(operands))
            }
            SyntaxKind::And(operands) => format!("and{{{}}}", show_all(operands)),
            SyntaxKind::Or(operands) => format!("or{{{}}}", show_all(operands)),
            SyntaxKind::Not(_, operand) => format!("not{{{}}}", show(operand)),
            SyntaxKind::Attr(object, name) => format!("{}.{}", show(object), name.text),
            SyntaxKind::Index(object, items) => format!("{}[{}]", show(object), show_all(items)),
            SyntaxKind::Let(target, value) => format!("{}={}", show(target), show(value)),
            SyntaxKind::Set(target, value) => format!("{}:={}", show(target), show(value)),
            SyntaxKind::Augment(name, target, value) => {
                format!("{}{}={}", show(target), name.text, show(value))
            }
        }
    }

    #[test]
    fn precedence() {
        check("1 + 2 * 3", "+{1 *{2 3}}");
        check("10 - 3 - 2", "-{-{10 3} 2}");
        check("1 << 2 + 1", "<<{1 +{2 1}}");
        check("1 | 2 & 3", "|{1 &{2 3}}");
        check("{1 + 2} * 3", "*{+{1 2} 3}");
        check("a and b or c and not d < e", "or{and{a b} and{c not{<{d e}}}}");
        check("not a and b", "and{not{a} b}");
        check("a < b <= c + 1", "<<={a b +{c 1}}");
    }

    #[test]
    fn whitespace_decides_what_an_operator_is() {
        check("(f n-1)", "(f -{n 1})");
        check("(f n -1)", "(f n -expr{1})");
        check("(f n - 1)", "(f -{n 1})");
        check("(f n! m!)", "(f expr!{n} expr!{m})");
        check("(f -a.b[1] ~c -x!)", "(f -expr{a.b[1]} ~expr{c} -expr{expr!{x}})");
        check("(f a[0] a [0])", "(f a[0] a [0])");
        check("(print (+ 1 2 3))", "1:8: expected term, got +");
        check("({+} 1 2)", "(+ 1 2)");
        check("{<=}", "<=");
    }

    #[test]
    fn assignments() {
        check("x = y = 4", "x=y=4");
        check("x += 1 + 2", "x+=+{1 2}");
        check("a.b[1] := c or d", "a.b[1]:=or{c d}");
        check("x <<= 4", "x<<=4");
        check("x <= 4", "<={x 4}");
    }

    #[test]
    fn captures() {
        check(
            "f = (func n)\n    (if a)\n        b\n    (else)\n        c\n(g)",
            "f=(func n)<(if a)<b> (else)<c>> (g)",
        );
        check("a = (func) (return 3)", "a=(func)<(return 3)>");
        check("(f) (g) (h)", "(f)<(g)<(h)>>");
        check("(w a)\n    b | c\n    d e (f)\n      (g)\n        1", "(w a)<|{b c} d e (f)<(g)<1>>>");
        check("(f) + (g x) + 1\n  y", "+{+{(f) (g x)<y>} 1}");
        check("x = [1 2]\n  3", "x=[1 2]<3>");
    }

    #[test]
    fn layout_errors() {
        check(" (print 1)", "1:1: layout error");
        check("x = 1 y = 2", "1:6: layout error");
        check("(f)\n    a\n  b", "3:2: layout error");
        check("x\n  y", "2:2: layout error");
    }

    #[test]
    fn brackets_that_do_not_close() {
        check("(f (g 1)", "1:0: form truncates at 1:8");
        check("(f [1)", "1:3: list truncates at 1:5");
        check("a[1\n", "1:1: [] truncates at 2:0");
        check("{a b}", "1:0: group truncates at 1:3");
        check("1 + )", "1:4: expected term, got )");
        check("x = ", "1:4: expected term, got eof");
        check("a.1", "1:2: expected symbol, got 1");
    }

    #[test]
    fn depth_is_an_error_not_a_crash() {
        for text in
            ["(".repeat(100_000), "-".repeat(100_000) + "x", "not ".repeat(100_000), "a=".repeat(100_000)]
        {
            assert!(read(&text).unwrap_err().message.contains("too deeply nested"));
        }
        let blocks: String = (0..1000).map(|depth| format!("{}(f)\n", " ".repeat(depth))).collect();
        assert!(read(&blocks).unwrap_err().message.contains("too deeply nested"));
        assert!(read(&("a".to_owned() + &" + a".repeat(400))).is_err());
        assert!(read(&("a".to_owned() + &" + a".repeat(390))).is_ok());
        assert!(read(&("a".to_owned() + &" or a".repeat(9000))).is_ok());
        assert!(read(&("(".repeat(90) + &")".repeat(90))).is_ok());
    }
}
