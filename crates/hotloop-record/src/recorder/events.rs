//! Events: what an instruction did that replay must count, and the log that feeds them.

use hotloop_ir::{Event, EventKind, Opcode, Operand, Ty};

use super::{Fed, Recorder, check};
use crate::Red;

impl Recorder {
    /// Counts an event; in replay, what the log says of it.
    pub(crate) fn count_event(&mut self, code: Opcode, descr: u32, args: &[Red]) -> Option<Fed> {
        let event = self.event;
        self.event += 1;
        if let Some(fed) = self.check_event(code, descr, args) {
            return Some(fed);
        }
        if self.feed.front().is_some_and(|entry| entry.event == event) {
            let entry = self.feed.pop_front()?;
            let expected = check(code, descr);
            assert!(
                entry.check == expected,
                "internal error: replay met event {event} ({:#x}) where {:#x} was recorded",
                expected,
                entry.check
            );
            if let Fed::Result(value, raised) = entry.fed {
                self.keep_answer(value.bits, raised.bits);
            }
            return Some(entry.fed);
        }
        None
    }

    pub(crate) fn note_event(
        &mut self,
        kind: EventKind,
        object: Operand,
        result: Operand,
        raised: Operand,
        check: u32,
    ) {
        if self.recording {
            self.trace.events.push(Event { kind, object, result, raised, check });
        }
    }

    /// An event that was fed counts in the bridge, too: its guards in the same instruction must feed it again.
    pub(super) fn note_fed(&mut self, kind: EventKind, object: Red, result: Red, ty: Ty, check: u32) {
        if self.recording {
            let object = self.operand(object, Ty::Ref);
            let result = if kind == EventKind::Write { Operand::NONE } else { self.operand(result, ty) };
            self.note_event(kind, object, result, Operand::NONE, check);
        }
    }
}
