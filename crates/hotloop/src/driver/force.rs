//! Natives look at frames that a trace keeps to itself: they are made, from the description behind the call.
//!
//! All traces of the run that wait for the call give up their frames together, from the outermost inwards. What was
//! made is kept until the run is left, which is right behind the call: there the interpreter goes on with the same
//! objects. Nothing else of the state is rebuilt before that, as the call's result belongs to it.
//!
//! A call in which this happens often is recorded anew: its trace then writes the frames back before it.

use hotloop_codegen::{CodeId, Exits, Site};
use hotloop_ir::ObjectKind;
use hotloop_record::make_objects;

use super::Vm;
use super::entries::resolve;
use super::leave::Allocator;
use super::tables::Tables;
use crate::frames::{Owner, Run};
use crate::interpreter::Interpreter;
use crate::runtime::JitOptions;

/// The objects that were made for a run whose frames somebody has looked at: for each of its traces, outermost first.
pub(super) type Made = Vec<Vec<u64>>;

impl<I: Interpreter> Vm<'_, I> {
    /// Runs a compiled trace until it is left; what was made for who has looked.
    ///
    /// # Safety
    /// The code is of this machine's target, and the inputs fit its trace.
    pub(super) unsafe fn execute(&self, code: CodeId, inputs: &[u64], exits: &mut Exits) -> Made {
        let context = self.interpreter.runtime().context();
        let depth = self.made.borrow().len();
        self.made.borrow_mut().push(Made::new());
        Run::begin(self, depth, context, || {
            let context = std::ptr::from_ref(context).cast_mut();
            // SAFETY: the caller's promise; the context lives for ever, and only its atomics and the heap's own
            // cells are written through it.
            unsafe { self.target.execute(code, context, inputs, exits) };
        });
        self.made.borrow_mut().pop().unwrap_or_default()
    }

    /// What the exits of the run would be now.
    fn waiting(&self, site: Site) -> Exits {
        let mut exits = Exits::default();
        // SAFETY: the run waits in the call that it has left word of.
        unsafe { self.target.waiting(site, &mut exits) };
        exits
    }

    /// Makes the frames of a run.
    #[cold]
    fn make_frames(&self, run: &Run<'_>, exits: &Exits) {
        let kept = self.kept.borrow().len();
        let mut made = Made::new();
        let callers = self.make_callers(exits, &mut made);
        let (guard, words) = exits.get(0);
        let left = self.left_at(guard);
        let words = resolve(words, left.types(), &callers);
        made.push(make_objects(&left.trace, left.resume(), &left.live, &words, &Allocator(self)));
        self.made.borrow_mut()[run.depth] = made;
        self.kept.borrow_mut().truncate(kept);
        self.tables.borrow_mut().summary.forces += 1;
        run.set_forced();
    }

    /// The address of the run's own frame.
    fn own_frame(&self, exits: &Exits) -> Option<u64> {
        let (guard, words) = exits.get(exits.len() - 1);
        let left = self.left_at(guard);
        left.resume().objects.iter().find_map(|object| match object.kind {
            ObjectKind::Existing(operand) => {
                let at = left.live.iter().position(|live| operand.as_var() == Some(*live))?;
                Some(words[at])
            }
            _ => None,
        })
    }

    /// How many frames the innermost trace may have handed over.
    fn handed_over(&self, exits: &Exits) -> usize {
        self.left_at(exits.get(0).0).resume().objects.len()
    }
}

impl<I: Interpreter> Owner for Vm<'_, I> {
    fn look(&self, run: &Run<'_>, frame: u64) -> Option<u64> {
        let site = run.site();
        let number = site.number_of(frame);
        if site.guard != Site::FORCED {
            let exits = self.waiting(site);
            let mine = match number {
                Some(number) => number < self.handed_over(&exits),
                None => self.own_frame(&exits) == Some(frame),
            };
            if !mine {
                return None;
            }
            self.make_frames(run, &exits);
        }
        let made = self.made.borrow();
        made[run.depth].last()?.get(number?).copied()
    }

    fn force(&self, run: &Run<'_>) {
        let site = run.site();
        if site.guard != Site::FORCED {
            let exits = self.waiting(site);
            self.make_frames(run, &exits);
        }
    }
}

impl<P: Copy + PartialEq> Tables<P> {
    /// A trace was left because somebody had looked at its frames in a call. If that happens often, frames are
    /// written back before that call from now on.
    pub fn looked_in(&mut self, guard: u32, jit: &JitOptions) {
        if self.guards[guard as usize].failures < jit.trace_eagerness {
            return;
        }
        let compiled = self.trace(self.guards[guard as usize].trace);
        let (head, root) = (compiled.head, compiled.root);
        if let Some(place) = self.place(guard)
            && !self.looked.contains(&place)
        {
            self.looked.push(place);
        }
        let head = &mut self.heads[head];
        if head.roots().any(|one| one == root) {
            head.forget();
            self.sweep = true;
        }
    }
}
