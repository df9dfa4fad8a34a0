//! Runs of allocations that get their memory together.
//!
//! What: allocations of known size with nothing between them that may collect are one *run*. Its first one
//! takes the memory of all with one check of the region's limit, and makes them objects (with their
//! headers); the others only compute their address from that of an object before them in the run.
//!
//! Why it pays: of the ten to twenty instructions of an inline allocation all but the header's store are done
//! once. And what is new stays new: no write barrier for stores into an object when another one of its run
//! has been made since.
//!
//! ```text
//! v1 = new List                     48 bytes: a List, and an Items with two items at +24
//! setfield v1, 2 List.length
//! v2 = new_array 2 Items            v1 + 24
//! setfield v1, v2 List.items        no barrier
//! ```
//!
//! What it keeps true: each object has its header before anything may collect, also where a
//! guard between the allocations fails: the rest of the run is then garbage. If the region is too small for
//! the whole run, the runtime is asked for the memory of all as if it were the first one's.
//!
//! Both targets fold the same runs, so that their memory can be compared word by word.
//!
//! Source: RPython's rewrite of allocations for its nursery (`rpython/jit/backend/llsupport/rewrite.py`,
//! `gen_malloc_nursery`), which also lets an object's address be computed from the one before it.

use hotloop_ir::{Class, Op, Opcode, Operand, Trace, Var};

/// A run is no larger: where a guard in it fails, the rest is garbage.
const MOST_BYTES: usize = 256;

/// Where the memory of an allocation comes from, if it is part of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fold {
    /// The first of a run: its memory has this size, and contains these objects besides.
    First { size: usize, rest: Vec<Member> },
    /// So many bytes behind another object of the run.
    Behind { base: Var, distance: usize },
}

/// An object in the memory of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Bytes from the start of the run.
    pub offset: usize,
    /// The header without what the runtime adds.
    pub header: u64,
}

/// The folds of a trace, in the order of its operations.
#[derive(Debug, Default)]
pub struct Folds(Vec<(u32, Fold)>);

/// An allocation of the run that is being gathered.
struct Found {
    at: u32,
    size: usize,
    member: Member,
}

impl Folds {
    /// Finds the runs of a trace.
    pub fn of(trace: &Trace) -> Folds {
        let last_use = last_uses(trace);
        let mut folds = Folds::default();
        let mut run: Vec<Found> = Vec::new();
        for (at, op) in trace.ops.iter().enumerate() {
            let at = at as u32;
            match op.code.class() {
                Class::Alloc => {
                    let Some((size, header)) =
                        known_layout(trace, op).filter(|(size, _)| *size <= MOST_BYTES)
                    else {
                        folds.end(&mut run);
                        continue;
                    };
                    let offset = run.last().map_or(0, |last| last.member.offset + last.size);
                    // What the address is computed from must be there still.
                    let base = run.iter().rev().find(|found| last_use[found.at as usize] > at);
                    let base = base.filter(|_| offset + size <= MOST_BYTES);
                    match base.map(|base| (Var(base.at), offset - base.member.offset)) {
                        Some((base, distance)) => folds.0.push((at, Fold::Behind { base, distance })),
                        None => folds.end(&mut run),
                    }
                    let offset = if run.is_empty() { 0 } else { offset };
                    run.push(Found { at, size, member: Member { offset, header } });
                }
                Class::End => folds.end(&mut run),
                _ if op.code.may_collect() || op.code == Opcode::Label => folds.end(&mut run),
                _ => {}
            }
        }
        folds.end(&mut run);
        folds.0.sort_unstable_by_key(|(at, _)| *at);
        folds
    }

    /// A run ends; those of one allocation are none.
    fn end(&mut self, run: &mut Vec<Found>) {
        if let [first, .., last] = &run[..] {
            let size = last.member.offset + last.size;
            let rest = run[1..].iter().map(|found| found.member).collect();
            self.0.push((first.at, Fold::First { size, rest }));
        }
        run.clear();
    }

    /// What an operation has to do with a run.
    pub fn at(&self, at: u32) -> Option<&Fold> {
        let index = self.0.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        Some(&self.0[index].1)
    }
}

/// Size and header of the object that an operation allocates, if its length is known.
fn known_layout(trace: &Trace, op: &Op) -> Option<(usize, u64)> {
    let items = match op.code {
        Opcode::New => 0,
        _ => trace.const_of(op.args[0])?.bits,
    };
    // Longer ones than `u32` can say are an error elsewhere.
    u32::try_from(items).ok()?;
    Some(crate::eval::layout(op.type_ref().get(), items))
}

/// Where each variable is used last for sure: not by pure operations, which may be unused themselves.
fn last_uses(trace: &Trace) -> Vec<u32> {
    let mut last_use = vec![0; trace.ops.len()];
    for (at, op) in trace.ops.iter().enumerate() {
        let mut note = |operand: Operand| {
            if let Some(var) = operand.as_var() {
                last_use[var.0 as usize] = at as u32;
            }
        };
        match op.code.class() {
            Class::Write | Class::Guard => op.operands().iter().for_each(|operand| note(*operand)),
            Class::Call | Class::End => {
                op.operands().iter().chain(trace.list(op.list)).for_each(|operand| note(*operand));
            }
            _ => {}
        }
        if op.code.is_guard() {
            trace.resumes[op.resume as usize]
                .each_desc(&mut |desc| desc.each_var(&mut |var| note(Operand::var(var))));
        }
    }
    last_use
}

#[cfg(test)]
mod tests {
    use hotloop_ir::{FieldDescr, FieldId, FieldKind, Mutability, Ty, TypeDescr, TypeRef};

    use super::*;
    use crate::fuzzing::resume_of;

    struct Build(Trace, TypeRef, FieldId);

    impl Build {
        /// Objects have 24 bytes and a field for a reference; arrays of them 24 and eight for each item.
        fn new() -> Build {
            let field = FieldId::intern(FieldDescr {
                owner: "folded".into(),
                name: "next".into(),
                offset: 8,
                kind: FieldKind::Ref,
                mutability: Mutability::Mutable,
            });
            let ty = TypeRef::intern(TypeDescr {
                name: "folded".into(),
                id: 9,
                fixed_size: 24,
                fields: vec![field],
                items: Some((FieldKind::Ref, Mutability::Mutable)),
                virtualizable: false,
            });
            Build(Trace::new(), ty, field)
        }

        fn op(&mut self, op: Op) -> Operand {
            self.0.push(op).into()
        }

        fn object(&mut self) -> Operand {
            let ty = self.1;
            self.op(Op::new(Opcode::New, &[]).with_descr(ty.0))
        }

        fn array(&mut self, length: Operand) -> Operand {
            let ty = self.1;
            self.op(Op::new(Opcode::NewArray, &[length]).with_descr(ty.0))
        }

        fn link(&mut self, from: Operand, to: Operand) {
            let field = self.2;
            self.op(Op::new(Opcode::SetField, &[from, to]).with_descr(field.0));
        }

        fn check(&self, expected: &[(u32, Fold)]) {
            assert_eq!(Folds::of(&self.0).0, expected);
        }
    }

    fn first(size: usize, rest: &[(usize, u64)]) -> Fold {
        Fold::First { size, rest: rest.iter().map(|&(offset, header)| Member { offset, header }).collect() }
    }

    fn behind(base: u32, distance: usize) -> Fold {
        Fold::Behind { base: Var(base), distance }
    }

    #[test]
    fn allocations_in_a_row_are_one() {
        let mut build = Build::new();
        let two = build.0.push_const(Ty::Int, 2);
        let a = build.object();
        let b = build.array(two);
        build.link(a, b);
        let c = build.object();
        build.link(b, c);
        let fold = first(24 + 40 + 24, &[(24, 9 | 2 << 32), (64, 9)]);
        build.check(&[(0, fold), (1, behind(0, 24)), (3, behind(1, 40))]);
    }

    #[test]
    fn an_address_that_is_gone_ends_the_run() {
        let mut build = Build::new();
        let (a, b) = (build.object(), build.object());
        build.link(b, a);
        let c = build.object();
        let d = build.object();
        build.link(c, d);
        // The first one is used after the second is made; neither after the third.
        build.check(&[
            (0, first(48, &[(24, 9)])),
            (1, behind(0, 24)),
            (3, first(48, &[(24, 9)])),
            (4, behind(3, 24)),
        ]);
    }

    #[test]
    fn what_may_collect_ends_the_run() {
        let mut build = Build::new();
        let number = build.op(Op::new(Opcode::Input, &[]).with_descr(Ty::Int.number()));
        let a = build.object();
        let b = build.array(number);
        let c = build.object();
        build.link(a, b);
        build.link(a, c);
        build.check(&[]);
    }

    #[test]
    fn a_run_fits_in_two_lines() {
        let mut build = Build::new();
        let many = build.0.push_const(Ty::Int, 26);
        let a = build.object();
        let b = build.array(many);
        let c = build.array(many);
        build.link(a, b);
        build.link(a, c);
        build.check(&[(0, first(256, &[(24, 9 | 26 << 32)])), (1, behind(0, 24))]);
    }

    #[test]
    fn guards_keep_addresses_and_do_not_end_runs() {
        let mut build = Build::new();
        let condition = build.op(Op::new(Opcode::Input, &[]).with_descr(Ty::Int.number()));
        let a = build.object();
        let guard = |build: &mut Build, live: Operand| {
            build.0.resumes.push(resume_of(live.as_var()));
            let mut op = Op::new(Opcode::GuardTrue, &[condition]);
            op.resume = build.0.resumes.len() as u32 - 1;
            build.op(op);
        };
        guard(&mut build, a);
        build.object();
        guard(&mut build, a);
        build.check(&[(1, first(48, &[(24, 9)])), (3, behind(1, 24))]);
    }
}
