//! Trace files: `traces/*.trace` hold recorded traces and what the optimizer makes of them.
//!
//! ```text
//! # what the file shows
//! declarations (those of traces/declarations.txt stand before)
//! === a case [no peel] [no hoist] [no optimize]
//! the recorded trace
//! ---
//! the optimised trace, or `contradiction`
//! ```
//!
//! A loop with `[label]` may be jumped to by the cases behind it that have `[bridge of 3]`: they continue its
//! guard 3, whose live variables are their inputs. Loops with `[version 0]`, `[version 1]` and so on are versions of one
//! loop; the cases behind them with `[versions]` end at it, and with what none of them wants if they say `[misfit]`.
//!
//! `BLESS=1 cargo test -p hotloop-opt --test filetests` rewrites what stands below `---`; read the
//! difference before it is committed.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use hotloop_ir::parse::parse;
use hotloop_ir::verify::verify;
use hotloop_ir::{FieldId, Opcode, Operand, Trace, Var};
use hotloop_opt::{Label, Optimized, Options, ToLabel, Version, Wants, Ways, optimize, optimize_for};

/// The loops that the cases behind them may go on in.
#[derive(Default)]
struct Loops {
    /// At its label.
    labelled: Option<(Trace, Label)>,
    /// By number.
    versions: Vec<Wants>,
}

fn optimized(declarations: &str, header: &str, before: &str, loops: &mut Loops) -> String {
    let recorded = parse(&format!("{declarations}{before}"))
        .unwrap_or_else(|error| panic!("{header}: {error} (with the declarations in front)"));
    verify(&recorded).unwrap_or_else(|error| panic!("{header}: {error}"));
    let options = Options {
        optimize: !header.contains("[no optimize]"),
        peel: !header.contains("[no peel]"),
        hoist: !header.contains("[no hoist]"),
        label: header.contains("[label]") || header.contains("[version "),
        ..Options::default()
    };
    let number =
        |what: &str| header.split_once(what).and_then(|(_, rest)| rest.split(']').next()?.parse().ok());
    let guard: Option<usize> = number("[bridge of ");
    let labelled = loops.labelled.as_ref();
    let kept = guard.zip(labelled).map(|(guard, (trace, _))| kept(trace, guard));
    let target = kept.as_ref().zip(labelled);
    let label = target.map(|(kept, (_, label))| ToLabel { label, code: 0, kept });
    let version = |(code, wants)| Version { code, wants, tokens: &[] };
    let mut versions: Vec<Version> = (0..).zip(&loops.versions).map(version).collect();
    versions.retain(|_| header.contains("[versions]"));
    let ways = Ways { label, versions: &versions };
    let Ok(Optimized { trace, label, strays, wants, misfit }) = optimize_for(&recorded, &options, ways)
    else {
        return "contradiction\n".into();
    };
    assert_eq!((strays, misfit), (header.contains("[strays]"), header.contains("[misfit]")), "{header}");
    if let Some(label) = label {
        loops.labelled = Some((trace.clone(), label));
    }
    if let Some(version) = number("[version ") {
        loops.versions.truncate(version);
        loops.versions.push(wants);
    }
    let text = trace.to_string();
    verify(&trace).unwrap_or_else(|error| panic!("{header}: {error}\n{text}"));
    let again = parse(&format!("{declarations}{text}")).map(|trace| trace.to_string());
    assert_eq!(again.as_deref(), Ok(text.as_str()), "{header}: the text does not read back");
    text
}

/// Which inputs of a bridge are what this guard keeps.
fn kept(trace: &Trace, guard: usize) -> Vec<Operand> {
    let live = trace.resumes[guard].live();
    let input = |kept: &Operand| live.iter().position(|var| Some(*var) == kept.as_var());
    let inputs = trace.resumes[guard].kept.iter().map(|kept| input(kept).expect("a live variable"));
    inputs.map(|input| Operand::var(Var(input as u32))).collect()
}

/// The file with what the optimizer makes of its cases now.
fn renewed(common: &str, text: &str) -> String {
    let mut parts = text.split("\n=== ");
    let head = parts.next().unwrap_or_default();
    let declarations = format!("{common}\n{head}\n");
    let mut out = String::from(head);
    let mut loops = Loops::default();
    for case in parts {
        let (header, rest) = case.split_once('\n').unwrap_or((case, ""));
        let before = rest.split("\n---").next().unwrap_or_default().trim_end();
        let after = optimized(&declarations, header, before, &mut loops);
        let _ = write!(out, "\n=== {header}\n{before}\n---\n{after}");
    }
    out
}

#[test]
fn traces() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let common = std::fs::read_to_string(folder.join("declarations.txt")).expect("the declarations");
    let entries = std::fs::read_dir(&folder).expect("the folder of traces");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "trace"));
    files.sort();
    assert!(!files.is_empty());
    let bless = std::env::var_os("BLESS").is_some();
    let mut differ = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a trace file");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let new = renewed(&common, &text);
        if new != text && bless {
            std::fs::write(&path, &new).expect("a trace file that can be written");
        } else if new != text {
            differ.push(format!("{name}:\n{}", difference(&text, &new)));
        }
    }
    assert!(differ.is_empty(), "{}\n(BLESS=1 accepts this)", differ.join("\n"));
}

/// The lines from the first to the last that differ, of both.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let mut out = String::new();
    for (sign, lines) in [("-", &old), ("+", &new)] {
        for line in &lines[same..lines.len() - tail] {
            let _ = writeln!(out, "{sign} {line}");
        }
    }
    out
}

/// The text form can't say which stable fields a trace relies on; so this one is built by hand.
#[test]
fn validity_is_checked_once_until_something_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let declarations = std::fs::read_to_string(folder.join("declarations.txt")).expect("the declarations");
    let text = "a = input int
        instr 0 [a] events 0
        guard_valid !0
        guard_valid !0
        b = call look1 [null] !0
        guard_valid !1
        c = call any1 [b] !1
        guard_valid !2
        guard_valid !2
        loop [c]
        event 0 call_reads -> b
        event 1 call_writes -> c";
    let mut recorded = parse(&format!("{declarations}{text}")).expect("a trace");
    recorded.stable.push((0x1000, FieldId::by_name("Cell", "shape").expect("the field")));
    for (peel, checks) in [(false, 2), (true, 3)] {
        let trace = optimize(&recorded, &Options { peel, ..Options::default() }).expect("no contradiction");
        assert_eq!(trace.stable, recorded.stable);
        let found = trace.ops.iter().filter(|op| op.code == Opcode::GuardValid).count();
        assert_eq!(found, checks, "{trace}");
    }
}

/// Where a bridge has called what may write, and the loop relies on stable fields, the check in the preamble is needed.
#[test]
fn a_bridge_that_calls_goes_by_the_check_of_stable_fields() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let declarations = std::fs::read_to_string(folder.join("declarations.txt")).expect("the declarations");
    let read = |text: &str| parse(&format!("{declarations}{text}")).expect("a trace");
    let loop_text = "k = input int
        n = input int
        instr 0 [k, n] events 0
        guard_valid !0
        c = int_lt k, n
        guard_true c !0
        CALL
        d = int_eq k, 77
        guard_false d !BEHIND
        k1 = int_add k, 1
        loop [k1, n]
        EVENT";
    // A call in the loop, after which the check comes late; a call in the bridge.
    for (stable, in_loop, in_bridge, jumps) in [
        (false, false, false, true),
        (false, false, true, true),
        (true, false, false, true),
        (true, false, true, false),
        (false, true, false, true),
        (true, true, false, false),
    ] {
        let call = ["", "x = call any1 [k] !0"][usize::from(in_loop)];
        let event = ["", "event 0 call_writes -> x"][usize::from(in_loop)];
        let text = loop_text.replace("CALL", call).replace("EVENT", event);
        let mut recorded = read(&text.replace("BEHIND", &u32::from(in_loop).to_string()));
        if stable {
            recorded.stable.push((0x1000, FieldId::by_name("Cell", "shape").expect("the field")));
        }
        let options = Options { label: true, hoist: false, ..Options::default() };
        let found = optimize_for(&recorded, &options, Ways::default());
        let Ok(Optimized { trace, label: Some(label), .. }) = found else { panic!("a loop with a label") };
        // The last guard: behind the call, if there is one.
        let guard = trace.resumes.len() - 1;
        let kept = kept(&trace, guard);
        let call = ["", "y = call any1 [null] !0"][usize::from(in_bridge)];
        let event = ["", "event 0 call_writes -> y"][usize::from(in_bridge)];
        let events = u32::from(in_bridge);
        let bridge = read(&format!(
            "k = input int\nn = input int\ninstr 0 [k, n] events 0\n{call}\nk1 = int_add_ovf k, 1 !{events}\n\
             instr 0 [k1, n] events {events}\nenter 0 [k1, n]\n{event}"
        ));
        let label = Some(ToLabel { label: &label, code: 0, kept: &kept });
        let ways = Ways { label, versions: &[] };
        let bridge = optimize_for(&bridge, &options, ways).expect("no contradiction").trace;
        let jumped = bridge.ops.last().is_some_and(|op| op.code == Opcode::EnterLabel);
        assert_eq!(jumped, jumps, "{stable} {in_loop} {in_bridge}\n{trace}\n{bridge}");
    }
}
