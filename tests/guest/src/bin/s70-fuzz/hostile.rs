//! The hostile program: two threads of one space, each against everybody.

use core::arch::global_asm;

use freehold_abi::fault::UPCALL;
use freehold_abi::layout::{FOREVER, FRAME, USER_END, utcb};
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, CapName, Error, Tag};
use freehold_guest_tests::home::BLOCKS;
use freehold_guest_tests::random::Random;
use freehold_rt::Utcb;
use freehold_rt::call::enter;
use freehold_rt::layout::{BLOCK, STACK_END};

/// The page that the supervisor sees too: calls made, then a ring of the last of them.
pub const LOG: u32 = BLOCKS;
/// Bytes of it that one of the two threads has.
pub const LOG_BYTES: u32 = FRAME / 2;
/// Words of an entry of the ring: EAX and four registers.
pub const ENTRY_WORDS: usize = 5;
/// Entries of the ring.
pub const ENTRIES: usize = 16;
/// First word of the counts of calls that succeeded, by number.
pub const SUCCEEDED: usize = 256;
/// Words behind them: transfers of strings that came to their end, and that broke off.
pub const TRANSFERRED: usize = 300;
pub const BROKEN: usize = 301;
/// A second page that is only the program's.
pub const OWN_PAGE: u32 = BLOCKS + FRAME;

/// What it is given, by name.
pub mod given {
    use super::CapName;

    pub const SPACE: CapName = CapName(1);
    pub const THREAD: CapName = CapName(2);
    pub const ENDPOINT: CapName = CapName(3);
    pub const VICTIM: CapName = CapName(4);
    pub const BITS: CapName = CapName(5);
    pub const POOL: CapName = CapName(6);
    pub const TABLE: CapName = CapName(7);
    pub const PORT: CapName = CapName(8);
    pub const LINE: CapName = CapName(9);
    pub const PAGER: CapName = CapName(10);
    pub const TWIN: CapName = CapName(11);
    pub const LAST: u32 = 11;
}

struct Hostile {
    random: Random,
    /// It has received something, perhaps a call that it can answer.
    received: bool,
}

impl Hostile {
    fn name(&mut self) -> u32 {
        match self.random.below(8) {
            0 => self.random.below(4096),
            1 => self.random.below(128),
            2 => 0,
            _ => 1 + self.random.below(given::LAST),
        }
    }

    /// An own slot, mostly one that may be empty; or one of its own space, by name.
    fn reference(&mut self) -> u32 {
        let slot = match self.random.below(4) {
            0 => self.name(),
            _ => 16 + self.random.below(48),
        };
        match self.random.below(4) {
            0 => slot | self.name() << 12,
            1 => slot | given::SPACE.0 << 12,
            _ => slot,
        }
    }

    fn number(&mut self) -> u32 {
        match self.random.below(8) {
            0 => self.random.word(),
            1 => self.random.one_of(&[0, 1, 31, 32, 127, 128, 1022, 1023, 1024, 4095, 4096]),
            2 => self.random.one_of(&[1 << 31, u32::MAX, u32::MAX - 1, USER_END, USER_END - 1, USER_END - 4]),
            3 => self.address(),
            _ => self.random.below(40),
        }
    }

    fn address(&mut self) -> u32 {
        let base =
            self.random.one_of(&[BLOCKS, OWN_PAGE, LOG, 0, 0x40_0000, 0xBFC0_0000, 0xC000_0000, 300 << 22]);
        base.wrapping_add(self.random.one_of(&[0, 0, 4, 0x1000, 0x8000, 0xFFF, 0x3F_F000]))
    }

    fn any(&mut self) -> u32 {
        match self.random.below(4) {
            0 => self.name(),
            1 => self.reference(),
            _ => self.number(),
        }
    }

    fn range(&mut self) -> u32 {
        self.random.below(40) | self.random.below(8) << 10
    }

    fn tag(&mut self) -> u32 {
        match self.random.below(4) {
            0 => self.random.word(),
            _ => {
                self.random.below(1 << 16) << 16
                    | self.random.below(3) << 8
                    | self.random.below(20)
                    | self.random.below(2) << 14
                    | (self.random.below(8) / 7) << 15
            }
        }
    }

    /// The immediate's bit by which strings are accepted, or not.
    fn accept(&mut self) -> u32 {
        self.random.below(2) * ACCEPT
    }

    /// A list of strings or buffers: mostly on its own page and what lies behind, which is often missing.
    fn list(&mut self, count: usize, first: usize) {
        let utcb = Utcb::current();
        let likely = 1 + self.random.below(4);
        let number = if self.random.below(12) == 0 { self.number() } else { likely };
        utcb.set(count, number);
        for index in 0..number.min(utcb::STRINGS_MAX as u32) {
            let (mut address, mut bytes) =
                (OWN_PAGE + 1400 * index + self.random.below(300), 1 + self.random.below(800));
            match self.random.below(24) {
                // Not its log: the supervisor believes what it says.
                0 if first != utcb::BUFFERS => address = self.address(),
                1 => {
                    address =
                        self.random.one_of(&[0, 0xBFC0_0000, USER_END - 64, USER_END, u32::MAX, OWN_PAGE])
                }
                2 => bytes = self.number(),
                3 => bytes = 4096,
                // Half of it is missing.
                4..=6 => (address, bytes) = (OWN_PAGE + FRAME - 40, 80),
                _ => {}
            }
            utcb.set(first + 2 * index as usize, address);
            utcb.set(first + 2 * index as usize + 1, bytes);
        }
    }

    /// What a call with strings, and a fault, find in the UTCB.
    fn fill_utcb(&mut self) {
        let utcb = Utcb::current();
        // No wait takes long; slots for items, ranges and memory are at hand.
        utcb.set(utcb::SEND_LIMIT, self.random.below(3));
        utcb.set(utcb::RECEIVE_LIMIT, 1 + self.random.below(2));
        utcb.set(utcb::SLOTS_FIRST, self.random.one_of(&[16, 40, 126, 5000]));
        utcb.set(utcb::SLOTS_COUNT, self.random.below(4));
        utcb.set(utcb::RANGES_COUNT, self.random.below(6));
        for index in 0..8 {
            let word = self.number();
            utcb.set(utcb::RANGES + index, word);
        }
        self.list(utcb::STRINGS_COUNT, utcb::STRINGS);
        self.list(utcb::BUFFERS_COUNT, utcb::BUFFERS);
        for limit in utcb::SEND_FAULT_MINE..=utcb::RECEIVE_FAULT_OTHER {
            let likely = self.random.below(4);
            utcb.set(limit, if self.random.below(8) == 0 { FOREVER } else { likely });
        }
        let stack = (utcb.address() & !(BLOCK - 1)) + STACK_END;
        let handler = freehold_hostile_upcall as *const () as u32;
        let (eip, esp) = (self.address(), self.address());
        utcb.set(utcb::UPCALL_EIP, self.random.one_of(&[handler, handler, handler, eip]));
        utcb.set(utcb::UPCALL_ESP, self.random.one_of(&[stack, stack, stack, esp]));
    }

    /// Arguments that make sense more often than chance would have it.
    fn likely(&mut self, call: Call) -> (u32, [u32; 4]) {
        let immediate = self.random.word() >> 8;
        let small = self.random.below(32);
        let four = small & !3;
        let place = self.address() & !0xFFF | self.random.one_of(&[0, 0, given::SPACE.0]);
        let (limit, count) = (self.random.below(8), 1 + self.random.below(6));
        match call {
            Call::Call | Call::Send => {
                let endpoint = self.random.one_of(&[
                    given::VICTIM.0,
                    given::VICTIM.0,
                    given::ENDPOINT.0,
                    given::PAGER.0,
                ]);
                (self.accept(), [endpoint, self.tag(), self.any(), self.any()])
            }
            Call::Receive => {
                let from = [given::ENDPOINT.0, given::ENDPOINT.0, given::BITS.0];
                (self.accept(), [self.random.one_of(&from), 0, 0, 0])
            }
            Call::ReplyReceive | Call::Reply => {
                let to = self.random.one_of(&[0, 0, small]);
                (to | self.accept(), [given::ENDPOINT.0, self.tag(), self.any(), self.any()])
            }
            Call::Notify => (0, [given::BITS.0, self.any(), 0, 0]),
            Call::Copy => {
                let to = self.random.one_of(&[0, 0, small]);
                let immediate = to | self.random.below(3) << 12 | self.random.below(2) << 16;
                (immediate, [self.number() & 0x1FFF, OWN_PAGE + self.random.below(4096), self.number(), 0])
            }
            Call::SaveReply => (0, [16 + self.random.below(48), 0, 0, 0]),
            Call::Derive => {
                let argument =
                    self.random.one_of(&[0, self.random.clone().word(), small | 3 << 10, 1023 << 10]);
                (immediate, [self.name(), self.reference(), argument, self.number()])
            }
            Call::Move => (0, [self.reference(), self.reference(), 0, 0]),
            Call::Delete | Call::Revoke | Call::CapInfo | Call::MakeEndpoint | Call::MakeNotification => {
                (0, [self.reference(), 0, 0, 0])
            }
            Call::MakeCapNode => {
                (0, [given::POOL.0, small, self.random.one_of(&[0, given::SPACE.0]), 1 + limit])
            }
            Call::MakeSpace => (0, [given::POOL.0, four, self.reference(), (small << 22) | count]),
            Call::MakeTable => {
                (0, [given::POOL.0, four, self.reference(), self.random.one_of(&[0, given::SPACE.0, small])])
            }
            Call::MakeThread => {
                let free = BLOCKS + ((2 + small) << 12);
                let at = self.random.one_of(&[place, free, free]);
                (immediate & 1, [given::POOL.0, small | self.random.below(32) << 10, self.reference(), at])
            }
            Call::Hook => {
                let index = self.random.one_of(&[300, 301, 302, 2, 1, 256, small]);
                (
                    immediate & 7,
                    [
                        self.random.one_of(&[given::TABLE.0, small + 16]),
                        self.random.one_of(&[0, given::SPACE.0, small]),
                        index,
                        0,
                    ],
                )
            }
            Call::Unhook => (
                0,
                [
                    self.random.one_of(&[0, given::SPACE.0, small]),
                    self.random.one_of(&[300, 301, 302, small + 2]),
                    0,
                    0,
                ],
            ),
            Call::Update => {
                let utcb = Utcb::current();
                for update in 0..4 {
                    let somewhere = self.address();
                    let words = [
                        self.random.one_of(&[given::POOL.0, given::TABLE.0, small]),
                        self.range(),
                        self.random.one_of(&[0, given::SPACE.0, given::TABLE.0, small + 16]),
                        self.random.one_of(&[BLOCKS + (small << 12), somewhere, (300 << 22) + (small << 12)])
                            & !0xFFF
                            | self.random.below(512),
                    ];
                    words
                        .into_iter()
                        .enumerate()
                        .for_each(|(word, value)| utcb.set(3 + 4 * update + word, value));
                }
                (0, [self.random.below(5), 0, 0, 0])
            }
            Call::Validate => (0, [given::TABLE.0, self.range(), OWN_PAGE + 4 * small, 0]),
            Call::Unmap => {
                let from = self.random.one_of(&[0, given::SPACE.0, given::TABLE.0]);
                (0, [from, self.random.one_of(&[BLOCKS >> 12, 300 << 10, 600]) + small, count, 0])
            }
            Call::RevokeRange => (0, [self.random.one_of(&[given::POOL.0, given::TABLE.0]), small, count, 0]),
            Call::Reclaim => (0, [given::POOL.0, small, count, 0]),
            Call::Withdraw => (0, [self.random.one_of(&[given::TABLE.0, small + 16]), 0, 0, 0]),
            Call::StartThread => (
                immediate & 0x1F01,
                [
                    self.random.one_of(&[given::THREAD.0, given::TWIN.0, small + 16]),
                    self.address(),
                    self.address(),
                    self.name() | (self.random.below(2) * UPCALL),
                ],
            ),
            Call::StopThread | Call::ThreadInfo => {
                (0, [self.random.one_of(&[given::THREAD.0, given::TWIN.0, small + 16, small + 16]), 0, 0, 0])
            }
            Call::SpaceInfo => {
                (0, [self.random.one_of(&[0, given::SPACE.0]), self.random.one_of(&[u32::MAX, small]), 0, 0])
            }
            Call::KernelInfo => (0, [0, small, 0, 0]),
            Call::IrqBind => (0, [given::LINE.0, self.random.one_of(&[0, given::BITS.0]), 0, 0]),
            Call::IrqAck => (0, [given::LINE.0, 0, 0, 0]),
            Call::PortIn | Call::PortOut => (0, [given::PORT.0, 0x80, 1, 1]),
            Call::PortWrite => (0, [given::PORT.0, 0x80, self.random.below(300), 0]),
            Call::Null | Call::Design => (immediate, [self.any(), self.any(), self.any(), self.any()]),
        }
    }

    /// Something with the reply capability that it may hold.
    fn answer(&mut self) -> (u32, [u32; 4]) {
        let call =
            self.random.one_of(&[Call::Copy, Call::Copy, Call::SaveReply, Call::Reply, Call::ReplyReceive]);
        self.received = call == Call::Copy || call == Call::SaveReply;
        let place = OWN_PAGE + self.random.below(2048);
        let bytes = self.random.one_of(&[0, 1, 64, 200, 256, 257, 5000]);
        match call {
            Call::Copy => {
                (call as u32 | self.random.below(4) << 20, [self.random.below(64), place, bytes, 0])
            }
            Call::SaveReply => (call as u32, [16 + self.random.below(48), 0, 0, 0]),
            _ => {
                let tag = self.random.below(4) | self.random.below(2) << 14;
                (call as u32 | self.accept() << 8, [given::ENDPOINT.0, tag, self.any(), self.any()])
            }
        }
    }

    fn next(&mut self) -> (u32, [u32; 4]) {
        // A transfer takes two that come together.
        let messages = [
            Call::Call,
            Call::Call,
            Call::Send,
            Call::Receive,
            Call::Receive,
            Call::ReplyReceive,
            Call::Reply,
        ];
        let call = match self.random.below(3) {
            0 => Some(self.random.one_of(&messages)),
            _ => Call::from_word(self.random.below(40)),
        };
        // What takes its means away comes less often, or nothing else would get far.
        let harsh = matches!(
            call,
            Some(Call::Delete | Call::Revoke | Call::Reclaim | Call::StopThread | Call::Unhook)
        );
        let call = if harsh && self.random.below(4) != 0 { Some(Call::Derive) } else { call };
        if self.received && self.random.below(4) != 0 {
            return self.answer();
        }
        match call {
            Some(call) if self.random.below(8) != 0 => {
                let (immediate, registers) = self.likely(call);
                (call as u32 | immediate << 8, registers)
            }
            Some(call) => {
                let registers = [self.any(), self.any(), self.any(), self.any()];
                (call as u32 | self.random.word() << 8, registers)
            }
            None => (
                self.random.word() | Call::ALL.len() as u32,
                [self.any(), self.any(), self.any(), self.any()],
            ),
        }
    }
}

// An upcall: from the beginning, as if the fault had not been.
global_asm!(
    ".pushsection .text.hostile_upcall, \"ax\"",
    ".globl freehold_hostile_upcall",
    "freehold_hostile_upcall:",
    "xor ebp, ebp",
    "sub esp, 12",
    "push eax",
    "call {upcall}",
    "ud2",
    ".popsection",
    upcall = sym upcall,
);

unsafe extern "C" {
    fn freehold_hostile_upcall();
}

extern "C" fn upcall(seed: u32) {
    let utcb = Utcb::current();
    let mut random = Random::new((seed ^ utcb.get(utcb::UPCALL + 7)) | 1);
    // Now and then it leaves it unfinished.
    if random.below(4) != 0 {
        utcb.set(utcb::UPCALL, 0);
    }
    main(random.word());
}

/// Makes calls for ever. The two threads stand next to each other, which tells them apart.
pub fn main(seed: u32) {
    let mut hostile = Hostile { random: Random::new(seed), received: false };
    let utcb = Utcb::current();
    let twin = utcb.address() >> BLOCK.ilog2() & 1;
    let log = (LOG + twin * LOG_BYTES) as *mut u32;
    let count = |word: usize| {
        // SAFETY: the page is the program's and the supervisor's to write; if it is not there any more,
        // the fault ends this program, which is as good an end as any.
        unsafe { log.add(word).write_volatile(log.add(word).read_volatile().wrapping_add(1)) };
    };
    loop {
        hostile.fill_utcb();
        let (eax, registers) = hostile.next();
        // SAFETY: as above.
        unsafe {
            let entry = log.add(16 + log.read_volatile() as usize % ENTRIES * ENTRY_WORDS);
            entry.write_volatile(eax);
            for (index, word) in registers.into_iter().enumerate() {
                entry.add(1 + index).write_volatile(word);
            }
        }
        count(0);
        let (status, after) = enter(eax, registers);
        let call = Call::from_word(eax);
        let sends = matches!(call, Some(Call::Call | Call::Send | Call::Reply | Call::ReplyReceive));
        let receives = matches!(call, Some(Call::Call | Call::Receive | Call::ReplyReceive));
        let error = Error::from_status(status);
        if status == 0 {
            count(SUCCEEDED + (eax & 0xFF) as usize);
            hostile.received |= matches!(call, Some(Call::Receive | Call::ReplyReceive));
            let sent = sends && Tag(registers[1]).has_strings();
            if sent || receives && after[1] != registers[1] && Tag(after[1]).has_strings() {
                count(TRANSFERRED);
            }
        } else if (sends || receives) && matches!(error, Some(Error::FaultMine | Error::FaultTheirs)) {
            count(BROKEN);
        }
    }
}
