//! An instruction: from its bytes to what matters of it.

use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Formatter, InstructionInfoFactory, IntelFormatter, Mnemonic,
    OpAccess, OpKind, Register,
};

/// Bytes of the longest instruction.
pub const LONGEST: usize = 15;
/// Where the kernel begins in every space: what executes above is the kernel.
const KERNEL: u32 = 0xC000_0000;

/// What is said of an instruction beside where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// It begins a section that is timed: RDTSC, with a prefix for DS that means nothing to it.
    Opens,
    /// It ends one: the same, with a prefix for ES.
    Closes,
    /// It loads CR3.
    LoadsCr3,
    /// INVLPG.
    InvalidatesPage,
}

/// An instruction at its place.
#[derive(Debug)]
pub struct Code {
    /// Its address.
    pub address: u32,
    /// Its bytes.
    pub size: u32,
    /// What it is.
    pub kind: Kind,
    /// Whether it is repeated, each iteration counting as one instruction.
    pub repeats: bool,
    /// At how many places it loads or stores at least, if it comes to its end.
    pub accesses: usize,
    /// The instruction.
    pub instruction: iced_x86::Instruction,
}

impl Code {
    /// Decodes the bytes of one instruction of 32-bit code.
    pub fn decode(address: u32, bytes: &[u8]) -> Code {
        let instruction = Decoder::with_ip(32, bytes, address.into(), DecoderOptions::NONE).decode();
        let loads_cr3 =
            instruction.op0_kind() == OpKind::Register && instruction.op0_register() == Register::CR3;
        let kind = match (instruction.mnemonic(), instruction.segment_prefix()) {
            (Mnemonic::Rdtsc, _) => mark(bytes),
            (Mnemonic::Invlpg, _) => Kind::InvalidatesPage,
            (Mnemonic::Mov, _) if loads_cr3 => Kind::LoadsCr3,
            _ => Kind::Plain,
        };
        let mut factory = InstructionInfoFactory::new();
        let used = factory.info(&instruction).used_memory().iter();
        let accesses = match instruction.flow_control() {
            // What INT does to memory it does in the kernel's name, and with the kernel's stack.
            FlowControl::Interrupt => 0,
            _ => used.filter(|used| used.access() != OpAccess::NoMemAccess).count(),
        };
        Code {
            address,
            size: bytes.len() as u32,
            kind,
            repeats: instruction.has_rep_prefix() || instruction.has_repne_prefix(),
            accesses,
            instruction,
        }
    }

    /// Whether it is the kernel's.
    pub fn is_kernel(&self) -> bool {
        self.address >= KERNEL
    }

    /// The address of the instruction behind it.
    pub fn next(&self) -> u32 {
        self.address.wrapping_add(self.size)
    }

    /// The instruction as text, as Intel writes it.
    pub fn text(&self) -> String {
        let mut formatter = IntelFormatter::new();
        let options = formatter.options_mut();
        options.set_hex_prefix("0x");
        options.set_hex_suffix("");
        options.set_uppercase_hex(false);
        options.set_small_hex_numbers_in_decimal(true);
        options.set_space_after_operand_separator(true);
        options.set_branch_leading_zeros(false);
        options.set_show_branch_size(false);
        let mut text = String::new();
        formatter.format(&self.instruction, &mut text);
        text
    }
}

/// What a reading of the cycle counter marks.
fn mark(bytes: &[u8]) -> Kind {
    match bytes.first() {
        Some(0x3E) => Kind::Opens,
        Some(0x26) => Kind::Closes,
        _ => Kind::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Kind {
        Code::decode(0x1000, bytes).kind
    }

    #[test]
    fn the_marks_are_readings_of_the_counter_with_a_prefix() {
        assert_eq!(kind(&[0x3E, 0x0F, 0x31]), Kind::Opens);
        assert_eq!(kind(&[0x26, 0x0F, 0x31]), Kind::Closes);
        assert_eq!(kind(&[0x0F, 0x31]), Kind::Plain);
        assert_eq!(kind(&[0x3E, 0x8B, 0x00]), Kind::Plain, "mov eax, ds:[eax]");
    }

    #[test]
    fn what_drops_translations_is_told_apart() {
        assert_eq!(kind(&[0x0F, 0x22, 0xD8]), Kind::LoadsCr3);
        assert_eq!(kind(&[0x0F, 0x22, 0xC0]), Kind::Plain, "mov cr0, eax");
        assert_eq!(kind(&[0x0F, 0x20, 0xD8]), Kind::Plain, "mov eax, cr3");
        assert_eq!(kind(&[0x0F, 0x01, 0x38]), Kind::InvalidatesPage);
        assert_eq!(kind(&[0x0F, 0x01, 0x18]), Kind::Plain, "lidt [eax]");
    }

    #[test]
    fn memory_is_reached_by_operands_and_by_the_stack() {
        let accesses = |bytes: &[u8]| Code::decode(0x1000, bytes).accesses;
        assert_eq!(accesses(&[0x8B, 0x00]), 1, "mov eax, [eax]");
        assert_eq!(accesses(&[0x50]), 1, "push eax");
        assert_eq!(accesses(&[0xFF, 0x30]), 2, "push [eax]");
        assert_eq!(accesses(&[0xF3, 0xA5]), 2, "rep movsd");
        assert_eq!(accesses(&[0x8D, 0x00]), 0, "lea eax, [eax]");
        assert_eq!(accesses(&[0x0F, 0x34]), 0, "sysenter");
        assert_eq!(accesses(&[0xCD, 0x80]), 0, "int 0x80");
    }

    #[test]
    fn an_instruction_knows_its_place_and_its_text() {
        let code = Code::decode(0xC010_0000, &[0xF3, 0xAB]);
        assert!(code.is_kernel() && code.repeats);
        assert_eq!((code.next(), code.text().as_str()), (0xC010_0002, "rep stosd [edi]"));
        let code = Code::decode(0xBFFF_FFFE, &[0xEB, 0x10]);
        assert!(!code.is_kernel() && !code.repeats);
        assert_eq!(code.text(), "jmp 0xc0000010");
    }
}
