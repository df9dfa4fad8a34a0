//! Machine code as text: one instruction a line, with its offset and the guards that it jumps to.

use std::fmt::Write;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Formatter, Instruction, IntelFormatter};

use super::Code;
use super::guard::STUB_SIZE;

/// Lists the code up to its constants. Offsets are from the code's start.
pub fn listing(code: &Code, bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_space_after_operand_separator(true);
    formatter.options_mut().set_first_operand_char_index(8);
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let at = instruction.ip() as usize;
        if instruction.is_invalid() || instruction.mnemonic() == iced_x86::Mnemonic::Int3 {
            break;
        }
        if at == code.entry {
            text.push_str("entry:\n");
        }
        if at == code.run_entry {
            text.push_str("from run:\n");
        }
        let stub = at.wrapping_sub(code.stubs);
        if stub.is_multiple_of(STUB_SIZE) && stub / STUB_SIZE < code.guards.len() {
            let number = code.first_guard + code.guards[stub / STUB_SIZE].resume;
            let _ = writeln!(text, "guard {number} fails:");
        }
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        let _ = write!(text, "{at:6x}  {line}");
        if matches!(
            instruction.flow_control(),
            FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch
        ) {
            let site = (at + instruction.len()).wrapping_sub(4) as u32;
            if let Some(guard) = code.guards.iter().find(|guard| guard.sites.contains(&site)) {
                let _ = write!(text, "  ; guard {}", code.first_guard + guard.resume);
            }
        }
        text.push('\n');
        if at >= code.run_entry && instruction.flow_control() == FlowControl::UnconditionalBranch {
            break;
        }
    }
    text
}
