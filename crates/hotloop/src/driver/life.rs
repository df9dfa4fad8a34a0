//! The life of compiled code: which traces are freed, and when.
//!
//! The unit is the tree: a root trace and its bridges. A tree dies when its root is replaced, retired or
//! invalid; when nobody has entered it for `loop_longevity` recordings and no living tree goes on in it
//! (RPython's `memmgr.py`); or, oldest first, when the limit on code memory is reached. What goes on in a
//! dead tree dies with it: a bridge alone, so that its guard leaves to the interpreter again, or a whole tree.
//!
//! ```text
//! condemn   nobody gets there any more: heads and guards forget it; its table entries still answer
//! release   its memory and all its numbers are used again
//! ```
//!
//! Between the two it may be running further up the stack (a native function that it called is at work), or
//! be wanted by a recording (`Tables::pins`). Invariant: whatever a condemned trace that is still running can
//! go on in is not released before it; no other trace goes on in a condemned one.

use std::sync::atomic::Ordering;

use super::Vm;
use super::tables::Tables;
use crate::interpreter::Interpreter;

/// Which traces of a table.
struct Marks(Vec<bool>);

impl Marks {
    fn none(count: usize) -> Marks {
        Marks(vec![false; count])
    }

    fn has(&self, trace: usize) -> bool {
        self.0[trace]
    }

    /// Whether that is new.
    fn add(&mut self, trace: usize) -> bool {
        !std::mem::replace(&mut self.0[trace], true)
    }
}

impl<P: Copy> Tables<P> {
    /// Whether the tree of this root can still be entered.
    fn is_current(&self, root: usize) -> bool {
        self.traces[root].as_ref().is_some_and(|compiled| {
            !compiled.condemned
                && compiled.invalid.load(Ordering::Relaxed) == 0
                && self.heads[compiled.head].roots().any(|one| one == root)
        })
    }

    /// Marks what can't be without the marked ones: what goes on in them, and their bridges.
    fn close(&self, marks: &mut Marks) {
        let mut changed = true;
        while changed {
            changed = false;
            for (index, compiled) in self.living() {
                let parent = compiled.parent.map(|guard| self.guards[guard as usize].trace);
                let lost = parent.is_some_and(|parent| marks.has(parent))
                    || compiled.links.iter().any(|link| marks.has(*link));
                if lost && !marks.has(index) {
                    marks.add(index);
                    changed = true;
                }
            }
        }
    }

    /// What is to be condemned: trees that can't be entered any more, or have not been for long.
    fn dead(&self, longevity: u32) -> Marks {
        let mut dead = Marks::none(self.traces.len());
        for (index, compiled) in self.living() {
            if !self.is_current(compiled.root) || compiled.invalid.load(Ordering::Relaxed) != 0 {
                dead.add(index);
            }
        }
        self.close(&mut dead);
        // What is left is alive if it was used, or if what is alive goes on in it.
        let mut alive = Marks::none(self.traces.len());
        let mut todo: Vec<usize> = Vec::new();
        for (index, compiled) in self.living() {
            let age = self.generation.wrapping_sub(self.heads[compiled.head].used);
            if !dead.has(index) && compiled.root == index && age <= longevity && alive.add(index) {
                todo.push(index);
            }
        }
        while let Some(root) = todo.pop() {
            for (index, compiled) in self.living() {
                if compiled.root != root || dead.has(index) {
                    continue;
                }
                for link in &compiled.links {
                    let Some(target) = &self.traces[*link] else { continue };
                    if alive.add(target.root) {
                        todo.push(target.root);
                    }
                }
            }
        }
        for (index, compiled) in self.living() {
            if !alive.has(compiled.root) {
                dead.add(index);
            }
        }
        dead
    }

    /// The root of the tree that was not used for the longest time; never one that is wanted right now.
    fn oldest(&self) -> Option<usize> {
        let wanted: Vec<usize> =
            self.pins.iter().filter_map(|pin| Some(self.traces[*pin].as_ref()?.root)).collect();
        let roots = self.living().filter(|(index, compiled)| compiled.root == *index);
        roots
            .filter(|(root, _)| !wanted.contains(root))
            .map(|(root, compiled)| (self.generation.wrapping_sub(self.heads[compiled.head].used), root))
            .filter(|(age, _)| *age > 0)
            .max()
            .map(|(_, root)| root)
    }
}

impl<I: Interpreter> Vm<'_, I> {
    /// A recording begins. Code ages by recordings, so a program in its steady state loses none.
    pub(super) fn next_generation(&self) {
        let longevity = self.interpreter.runtime().jit().loop_longevity;
        let due = {
            let mut tables = self.tables.borrow_mut();
            tables.generation = tables.generation.wrapping_add(1);
            tables.generation.is_multiple_of(longevity.isqrt().max(1))
        };
        if due {
            self.sweep();
        }
    }

    /// Condemns what is dead, and releases what is condemned, as far as that is possible now.
    #[cold]
    pub(super) fn sweep(&self) {
        let longevity = self.interpreter.runtime().jit().loop_longevity;
        let mut tables = self.tables.borrow_mut();
        tables.bury();
        let dead = tables.dead(longevity);
        self.condemn(&mut tables, &dead);
        self.release(&mut tables);
        tables.sweep = false;
    }

    /// Frees the oldest tree, because there is no room. Whether that made some.
    pub(super) fn evict(&self) -> bool {
        let mut tables = self.tables.borrow_mut();
        let before = tables.summary.freed;
        while let Some(root) = tables.oldest() {
            let head = tables.traces[root].as_ref().map_or(0, |compiled| compiled.head);
            // Should the loop come back: not too often.
            tables.heads[head].aborts += 1;
            let mut dead = Marks::none(tables.traces.len());
            dead.add(root);
            tables.close(&mut dead);
            self.condemn(&mut tables, &dead);
            self.release(&mut tables);
            if tables.summary.freed != before {
                return true;
            }
        }
        false
    }

    fn condemn(&self, tables: &mut Tables<I::Pc>, dead: &Marks) {
        let eagerness = self.interpreter.runtime().jit().trace_eagerness;
        for index in 0..tables.traces.len() {
            let Some(compiled) = tables.traces[index].as_mut().filter(|compiled| !compiled.condemned) else {
                continue;
            };
            if !dead.has(index) {
                continue;
            }
            compiled.condemned = true;
            tables.condemned += 1;
            let head = &mut tables.heads[compiled.head];
            match compiled.parent {
                None if head.trace == Some(index) => {
                    head.trace = None;
                    head.cold = true;
                }
                None if head.plain == Some(index) => head.plain = None,
                None => head.versions.retain(|version| *version != index),
                Some(number) => {
                    self.target.detach(number);
                    let guard = &mut tables.guards[number as usize];
                    if !dead.has(guard.trace) {
                        (guard.failures, guard.eagerness) = (0, eagerness);
                        head.bridges = head.bridges.saturating_sub(1);
                    }
                }
            }
        }
    }

    fn release(&self, tables: &mut Tables<I::Pc>) {
        if tables.condemned == 0 {
            return;
        }
        let parked = self.parked.borrow();
        let suspended: Vec<_> = parked.iter().map(super::stacks::Parked::target).collect();
        let running = self.target.running(&suspended);
        let mut held = Marks::none(tables.traces.len());
        let mut todo: Vec<usize> = tables.pins.clone();
        todo.extend(parked.iter().flat_map(super::stacks::Parked::pins));
        for (index, compiled) in tables.traces.iter().enumerate() {
            if compiled.as_ref().is_some_and(|compiled| running.contains(&compiled.code)) {
                todo.push(index);
            }
        }
        while let Some(index) = todo.pop() {
            if held.add(index)
                && let Some(compiled) = &tables.traces[index]
            {
                todo.extend(&compiled.links);
            }
        }
        for index in 0..tables.traces.len() {
            if !held.has(index) && tables.traces[index].as_ref().is_some_and(|compiled| compiled.condemned) {
                tables.forget(index, |code| {
                    let size = self.target.code_size(code);
                    // SAFETY: it does not run (or it would be held), and what goes on in it is condemned with
                    // it and held no more than it is.
                    unsafe { self.target.free(code) };
                    size as u64
                });
            }
        }
    }
}
