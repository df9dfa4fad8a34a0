//! The positions at which entries return. A caller's trace expects its callees to return at one of them, and guards its
//! number.

use std::rc::Rc;

use hotloop_ir::{Opcode, Trace};

use super::tables::Position;

/// Of so few positions none is forgotten.
const FEW: usize = 8;

/// A position at which entries return: that of the instruction that returns.
#[derive(Clone, Debug)]
pub(crate) struct ReturnPoint<P> {
    pub position: Position<P>,
    /// The frame's slots that are handed over.
    pub slots: Rc<Vec<u32>>,
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
    /// The number of a position at which entries return.
    pub fn number(&mut self, position: Position<P>, slots: impl FnOnce() -> Vec<u32>) -> u32
    where
        P: PartialEq,
    {
        let same = |known: &ReturnPoint<P>| {
            let known = &known.position;
            known.pc == position.pc && known.raising == position.raising && known.greens == position.greens
        };
        if let Some(index) = self.points.iter().position(|known| known.as_ref().is_some_and(same)) {
            return index as u32;
        }
        let point = Some(ReturnPoint { position, slots: Rc::new(slots()) });
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
