//! The calls that a trace has inlined at the point that its recording has reached.

use std::rc::Rc;

use super::tables::LoopCell;

/// The cells of the functions that are inlined at a position, innermost last; nothing if there are none. They live
/// as long as the code that the position is in, or returns to.
pub(super) type Inlined = Option<Rc<[*const LoopCell]>>;

/// A call that is part of the trace.
struct Call {
    /// The cell of the function's entry.
    function: *const LoopCell,
    /// The address of the calling frame; nothing where the trace's parent has inlined the call.
    caller: Option<u64>,
}

/// The calls that are inlined, innermost last.
#[derive(Default)]
pub(super) struct Calls {
    stack: Vec<Call>,
    /// Their functions, as positions keep them; shared until they change.
    functions: Inlined,
}

impl Calls {
    /// Those of the position at which a bridge starts.
    pub fn inherited(functions: Inlined) -> Calls {
        let stack = functions.iter().flat_map(|cells| cells.iter());
        let stack = stack.map(|function| Call { function: *function, caller: None }).collect();
        Calls { stack, functions }
    }

    /// This frame calls a function.
    pub fn push(&mut self, function: *const LoopCell, caller: u64) {
        self.stack.push(Call { function, caller: Some(caller) });
        self.share();
    }

    /// This frame is current again: calls that it made have returned. Whether there were any in this trace.
    pub fn back_in(&mut self, frame: u64) -> bool {
        let call = self.stack.iter().rposition(|call| call.caller == Some(frame));
        if let Some(depth) = call {
            self.stack.truncate(depth);
            self.share();
        }
        call.is_some()
    }

    /// A frame is left for one that has not called in this trace: the call was inlined by the trace's parent.
    pub fn left(&mut self) {
        if self.inherits() {
            self.stack.pop();
            self.share();
        }
    }

    /// How often a function is inlined.
    pub fn depth(&self, function: *const LoopCell) -> usize {
        self.stack.iter().filter(|call| call.function == function).count()
    }

    /// The innermost function.
    pub fn innermost(&self) -> Option<&LoopCell> {
        // SAFETY: counter cells live as long as the code that they are kept with, which is being executed.
        self.stack.last().map(|call| unsafe { &*call.function })
    }

    /// Whether the innermost one was inlined by the trace's parent.
    pub fn inherits(&self) -> bool {
        self.stack.last().is_some_and(|call| call.caller.is_none())
    }

    /// The functions, to be kept with a position.
    pub fn functions(&self) -> Inlined {
        self.functions.clone()
    }

    fn share(&mut self) {
        self.functions = match self.stack.as_slice() {
            [] => None,
            stack => Some(stack.iter().map(|call| call.function).collect()),
        };
    }
}
