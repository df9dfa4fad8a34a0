//! Which registers are read later: by going backward over a function until nothing changes.

use hotloop::Live;

use super::{Code, Instr, Operand, Reg};

/// Larger tables, of functions with many instructions and registers, are not made.
const MOST_WORDS: usize = 1 << 20;

/// For each instruction a bit for each register: whether it or a later one reads what lies there when it begins.
pub(crate) struct Later {
    bits: Vec<u64>,
    words: usize,
}

impl Later {
    /// Of a function that is whole, its labels bound. Nothing if it is too large.
    pub fn find(code: &Code) -> Option<Later> {
        let words = usize::from(code.slots).div_ceil(64).max(1);
        let size = words * code.instrs.len();
        if size > MOST_WORDS {
            return None;
        }
        let mut later = Later { bits: vec![0; size], words };
        let mut set = vec![0; words];
        while (0..code.instrs.len())
            .rev()
            .fold(false, |changed, at| later.update(code, at, &mut set) | changed)
        {}
        Some(later)
    }

    /// Looks at one instruction again; whether that changed something. `set` is room for work.
    fn update(&mut self, code: &Code, at: usize, set: &mut [u64]) -> bool {
        let instr = code.instrs[at];
        set.fill(0);
        let add = |set: &mut [u64], from: &[u64]| {
            set.iter_mut().zip(from).for_each(|(word, other)| *word |= other);
        };
        if falls_through(instr) {
            add(set, self.at(at + 1));
        }
        instr.operands(|_, operand| {
            if let Operand::Label(target) = operand {
                add(set, self.at(target.index()));
            }
        });
        let (reads, writes) = effects(instr);
        for reg in writes {
            set[reg.index() / 64] &= !bit(reg);
        }
        for reg in reads {
            set[reg.index() / 64] |= bit(reg);
        }
        if let Some(handler) = code.handler(at) {
            let own = set[handler.dst.index() / 64] & bit(handler.dst);
            add(set, self.at(handler.target.index()));
            set[handler.dst.index() / 64] &= !bit(handler.dst) | own;
        }
        let old = &mut self.bits[at * self.words..][..self.words];
        let changed = old != set;
        old.copy_from_slice(set);
        changed
    }

    fn at(&self, at: usize) -> &[u64] {
        &self.bits[at * self.words..][..self.words]
    }

    /// Whether this register is among them.
    pub fn reads(&self, at: usize, reg: u16) -> bool {
        self.at(at)[usize::from(reg) / 64] & bit(Reg(reg)) != 0
    }

    /// The same of all registers, as far as there is room for it.
    pub fn live(&self, at: usize) -> Live {
        let last = self.at(at).iter().enumerate().rfind(|(_, word)| **word != 0);
        let below = last.map_or(0, |(index, word)| index as u32 * 64 + u64::BITS - word.leading_zeros());
        Live::new(below, self.at(at)[0])
    }
}

fn bit(reg: Reg) -> u64 {
    1 << (reg.index() % 64)
}

/// Whether the next instruction may follow.
pub(crate) fn falls_through(instr: Instr) -> bool {
    !matches!(
        instr,
        Instr::Jump { .. }
            | Instr::Loop { .. }
            | Instr::Return { .. }
            | Instr::End {}
            | Instr::AssertFail {}
            | Instr::Raise { .. }
    )
}

/// The registers that an instruction reads and writes.
fn effects(instr: Instr) -> (Vec<Reg>, Vec<Reg>) {
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    let (mut base, mut count) = (None, 0);
    instr.operands(|name, operand| match (name, operand) {
        ("dst", Operand::Reg(reg)) => writes.push(reg),
        ("base", Operand::Reg(reg)) => base = Some(reg),
        ("count", Operand::Int(number)) => count = number as u16,
        (_, Operand::Reg(reg)) => reads.push(reg),
        _ => {}
    });
    if let Instr::Invoke { base, count, .. } = instr {
        writes.extend([base, Reg(base.0 + 1)]);
        reads.extend((base.0 + 2..base.0 + 2 + count).map(Reg));
    } else if let Some(base) = base {
        let extra = match instr {
            Instr::Call { .. } => 1,
            Instr::CallMethod { .. } => 2,
            _ => 0,
        };
        reads.extend((base.0..base.0 + count + extra).map(Reg));
    }
    if let Instr::LoadMethod { dst, .. } = instr {
        writes.push(Reg(dst.0 + 1));
    }
    (reads, writes)
}
