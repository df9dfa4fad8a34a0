//! The positions at which entries return. A caller's trace expects its callees to return at one of them, and guards its
//! number.

use std::rc::Rc;

use hotloop_ir::{Opcode, Part, Trace};

use super::tables::Position;

/// Of so few positions none is forgotten.
const FEW: usize = 8;

/// For one position there are so few ways to return.
const MOST_WAYS: usize = 3;

/// A position at which entries return, that of the instruction that returns, and what they hand over there.
#[derive(Clone, Debug)]
pub(crate) struct ReturnPoint<P> {
    pub position: Position<P>,
    /// What is handed over.
    pub results: Rc<Vec<Part>>,
    /// What is not, because it is as the caller has passed it.
    pub same: Rc<Vec<Part>>,
}

/// All of them, by number.
#[derive(Debug)]
pub(crate) struct Returns<P> {
    points: Vec<Option<ReturnPoint<P>>>,
    /// How many of them were in use when that was last looked at; 0: to be looked at.
    kept: usize,
}

impl<P> Default for Returns<P> {
    fn default() -> Self {
        Returns { points: Vec::new(), kept: FEW }
    }
}

impl<P: Clone> Returns<P> {
    /// The number of a position at which entries return with these parts, of which some are as they were passed:
    /// of the known ways to return there the one that hands over least. (What one path through a function leaves
    /// alone, another may not.)
    pub fn number(
        &mut self,
        position: Position<P>,
        parts: impl FnOnce() -> Vec<Part>,
        unchanged: impl Fn(Part) -> bool,
    ) -> u32
    where
        P: PartialEq,
    {
        let ways = self.points.iter().enumerate().filter_map(|(index, known)| {
            let known = known.as_ref()?;
            let (here, there) = (&position, &known.position);
            let same = here.pc == there.pc && here.raising == there.raising && here.greens == there.greens;
            same.then_some((index, known))
        });
        let fits = |known: &ReturnPoint<P>| known.same.iter().all(|part| unchanged(*part));
        let best = ways.clone().filter(|(_, known)| fits(known)).max_by_key(|(_, known)| known.same.len());
        if let Some((index, _)) = best {
            return index as u32;
        }
        let full = ways.count() + 1 >= MOST_WAYS;
        let (same, results) = parts().into_iter().partition(|part| !full && unchanged(*part));
        let point = Some(ReturnPoint { position, results: Rc::new(results), same: Rc::new(same) });
        match self.points.iter().position(Option::is_none) {
            Some(index) => {
                self.points[index] = point;
                index as u32
            }
            None => {
                self.points.push(point);
                self.points.len() as u32 - 1
            }
        }
    }

    /// The position of this number, at which a trace returns.
    pub fn at(&self, number: u32) -> ReturnPoint<P> {
        self.points[number as usize].clone().expect("a position at which traces return")
    }

    /// Positions in code that is gone are not to be taken for those of other code.
    pub fn recheck(&mut self) {
        self.kept = 0;
    }

    /// Positions at which no trace returns, and at which none expects its callees to, lose their numbers. Only while
    /// nothing is recorded or compiled: that may be about to mention them.
    pub fn forget<'t>(&mut self, traces: impl Iterator<Item = &'t Trace>) {
        if self.points.len() < 2 * self.kept {
            return;
        }
        let mut used = vec![false; self.points.len()];
        for trace in traces {
            for op in &trace.ops {
                let number = match op.code {
                    Opcode::Return => Some(u64::from(op.descr)),
                    // Of these some compare the number that a callee has returned with.
                    Opcode::GuardValue => trace.const_of(op.args[1]).map(|constant| constant.bits),
                    _ => None,
                };
                if let Some(used) = number.and_then(|number| used.get_mut(usize::try_from(number).ok()?)) {
                    *used = true;
                }
            }
        }
        for (point, used) in self.points.iter_mut().zip(&used) {
            if !used {
                *point = None;
            }
        }
        self.kept = used.iter().filter(|used| **used).count().max(FEW);
    }
}
