//! Stretches with interrupts off: from one place at which an interrupt could come in to the next.
//!
//! All that is needed of the processor is told here: each instruction of the kernel before it is executed. A program's
//! own instructions are of no interest: before and behind each of them an interrupt can come in.
//!
//! What must hold: whether an interrupt could come in is decided as the processor does. STI opens behind the
//! instruction that follows it, so `sti; cli` opens nothing. CLI closes before it counts. Gates and SYSENTER close.
//! IRET brings back what was: open, if a program goes on or the kernel's own window; that shows in what is executed
//! next, a gate (whatever a program does, it comes back through one) or the CLI that ends a window. Where an interrupt
//! could come in at a boundary but none does, a stretch ends and the next one begins all the same.
//!
//! The first stretch begins with the first entry into the kernel: boot is none. One that never ends is none either.

use std::collections::BTreeMap;

/// An address in the kernel.
pub type Address = u32;

/// What an instruction has to do with interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Plain,
    /// An exception or interrupt leads to it.
    Event,
    /// A program's instruction that is made for that leads to it, and is the stretch's first.
    Called,
    /// It is STI.
    Sti,
    /// It is CLI.
    Cli,
    /// It is IRET.
    Iret,
}

/// A stretch that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Its instructions, each iteration of a `rep` instruction counting one.
    pub length: u64,
    /// The kernel's first instruction in it.
    pub first: Address,
    /// How often each was executed.
    pub executed: BTreeMap<Address, u64>,
}

impl Stretch {
    /// The instruction that was executed most often.
    fn main(&self) -> Address {
        let most = self.executed.iter().max_by_key(|&(&address, &times)| (times, address));
        most.map_or(self.first, |(&address, _)| address)
    }
}

/// Whether an interrupt could come in at the present boundary between two instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interrupts {
    Off,
    /// From the boundary on that so many instructions lie before.
    OnFrom(u64),
    /// From that boundary on, if the IRET before it went where they are on.
    OnIfReturned(u64),
}

/// The stretches of a boot.
#[derive(Debug)]
pub struct Stretches {
    /// Stretches of at least this length are kept, the longest for each instruction that is most frequent in some.
    floor: u64,
    /// Instructions so far.
    executed: u64,
    interrupts: Interrupts,
    /// Instructions before the stretch that runs; `None` before the first.
    begin: Option<u64>,
    /// Whether the instruction that entered the kernel belongs to it.
    called: bool,
    /// Its instructions as they came, each with those before it; one that is repeated stands here once.
    path: Vec<(Address, u64)>,
    /// How many are over.
    count: u64,
    longest: Option<Stretch>,
    kept: BTreeMap<Address, Stretch>,
}

impl Stretches {
    /// None yet.
    pub fn new(floor: u64) -> Stretches {
        Stretches {
            floor,
            executed: 0,
            interrupts: Interrupts::Off,
            begin: None,
            called: false,
            path: Vec::new(),
            count: 0,
            longest: None,
            kept: BTreeMap::new(),
        }
    }

    /// The instruction at `address` is about to be executed.
    pub fn executes(&mut self, address: Address, step: Step) {
        match step {
            Step::Plain => {}
            Step::Event => self.enter(false),
            Step::Called => self.enter(true),
            Step::Sti if !self.are_on() => self.interrupts = Interrupts::OnFrom(self.executed + 2),
            Step::Iret if !self.are_on() => self.interrupts = Interrupts::OnIfReturned(self.executed + 1),
            Step::Sti | Step::Iret => {}
            Step::Cli => {
                if self.begin.is_some() {
                    self.enter(false);
                }
                self.interrupts = Interrupts::Off;
            }
        }
        if self.begin.is_some() && self.path.last().is_none_or(|&(before, _)| before != address) {
            self.path.push((address, self.executed));
        }
        self.executed += 1;
    }

    /// Interrupts, if they are on, are off from here on.
    fn enter(&mut self, called: bool) {
        let Some(end) = self.opened() else { return };
        self.end(end);
        self.called = called;
        self.interrupts = Interrupts::Off;
        self.begin = Some(self.executed);
        self.path.clear();
    }

    /// Whether a STI holds, perhaps only from the next boundary on.
    fn are_on(&self) -> bool {
        matches!(self.interrupts, Interrupts::OnFrom(_))
    }

    /// Since which boundary an interrupt could come in, if one can at this one. To be asked only where that changes.
    fn opened(&self) -> Option<u64> {
        match self.interrupts {
            Interrupts::OnFrom(boundary) if self.executed >= boundary => Some(boundary),
            // What is executed next shows where it went. Whatever is executed later has not to do with it.
            Interrupts::OnIfReturned(boundary) if self.executed == boundary => Some(boundary),
            _ => None,
        }
    }

    fn end(&mut self, end: u64) {
        let Some(begin) = self.begin else { return };
        let length = end - begin + u64::from(self.called);
        self.count += 1;
        let is_longest = self.longest.as_ref().is_none_or(|longest| length > longest.length);
        if !is_longest && length < self.floor {
            return;
        }
        let mut executed = BTreeMap::new();
        // What is behind the end is here already.
        let lasts = self.path.iter().skip(1).map(|&(_, before)| before.min(end)).chain([end]);
        for (&(address, begin), last) in self.path.iter().zip(lasts).filter(|((_, begin), _)| *begin < end) {
            *executed.entry(address).or_default() += last - begin;
        }
        let stretch = Stretch { length, first: self.path[0].0, executed };
        if length >= self.floor {
            let kept = self.kept.entry(stretch.main()).or_insert_with(|| stretch.clone());
            if length > kept.length {
                *kept = stretch.clone();
            }
        }
        if is_longest {
            self.longest = Some(stretch);
        }
    }

    /// How many are over.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest, and the longest others that are at least as long as was asked for, one for each instruction that
    /// is the most frequent in some.
    pub fn longest(&self) -> impl Iterator<Item = &Stretch> {
        let longest = self.longest.iter();
        longest.chain(self.kept.values().filter(|kept| Some(*kept) != self.longest.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSENTER: Address = 0xC000_1000;
    const TRAP: Address = 0xC000_2000;
    const AFTER_TRAP: Address = TRAP + 16;
    const WORK: Address = 0xC000_3000;
    const WINDOW: Address = 0xC000_4000;

    /// A processor that executes what it is told to.
    struct Processor(Stretches);

    impl Processor {
        /// Boot is over, and a program runs.
        fn booted() -> Processor {
            let mut processor = Processor(Stretches::new(0));
            processor.run(WORK, 1_000_000).window().run(WORK, 7).iret();
            assert_eq!(processor.0.count(), 0, "boot is none");
            processor
        }

        /// So many instructions at `address`.
        fn run(&mut self, address: Address, instructions: u64) -> &mut Processor {
            let first = match address {
                SYSENTER => Step::Called,
                TRAP | AFTER_TRAP => Step::Event,
                _ => Step::Plain,
            };
            for index in 0..instructions {
                self.0.executes(address, if index == 0 { first } else { Step::Plain });
            }
            self
        }

        /// One instruction.
        fn one(&mut self, step: Step) -> &mut Processor {
            self.0.executes(WINDOW, step);
            self
        }

        fn iret(&mut self) -> &mut Processor {
            self.one(Step::Iret)
        }

        /// STI, SYSEXIT.
        fn sysexit(&mut self) -> &mut Processor {
            self.one(Step::Sti).run(WORK, 1)
        }

        /// STI, NOP: the next instruction is one before which interrupts come in.
        fn open(&mut self) -> &mut Processor {
            self.one(Step::Sti).run(WINDOW + 1, 1)
        }

        /// CLI.
        fn close(&mut self) -> &mut Processor {
            self.one(Step::Cli)
        }

        fn window(&mut self) -> &mut Processor {
            self.open().close()
        }

        /// A handler of so many instructions, IRET included.
        fn handler(&mut self, instructions: u64) -> &mut Processor {
            self.run(TRAP, instructions - 1).iret()
        }

        /// How many are over, and the longest.
        fn found(&self) -> (u64, u64) {
            let longest = self.0.longest().map(|stretch| stretch.length).max();
            (self.0.count(), longest.unwrap_or(0))
        }
    }

    #[test]
    fn a_call_is_counted_with_the_instruction_that_made_it_and_the_one_that_ends_it() {
        let mut processor = Processor::booted();
        processor.run(SYSENTER, 10).run(WORK, 20).sysexit();
        assert_eq!(processor.found(), (0, 0), "an interrupt could come in now; nothing has shown that yet");
        processor.run(SYSENTER, 5);
        assert_eq!(processor.found(), (1, 1 + 10 + 20 + 2));
    }

    #[test]
    fn what_interrupts_a_program_is_counted_from_the_kernels_first_instruction() {
        let mut processor = Processor::booted();
        processor.handler(40).handler(30);
        assert_eq!(
            processor.found(),
            (1, 40),
            "an interrupt that was pending came in before the program went on"
        );
        processor.run(SYSENTER, 1);
        assert_eq!(processor.found(), (2, 40));
    }

    #[test]
    fn a_window_ends_a_stretch_behind_its_nop_and_begins_one_with_its_cli() {
        let mut processor = Processor::booted();
        processor.run(SYSENTER, 100).window();
        assert_eq!(processor.found(), (1, 1 + 100 + 2));
        processor.run(WORK, 300).sysexit().run(SYSENTER, 1);
        assert_eq!(processor.found(), (2, 1 + 300 + 2));
    }

    #[test]
    fn a_handler_in_a_window_is_a_stretch_of_its_own() {
        let mut processor = Processor::booted();
        processor.run(SYSENTER, 10).open().handler(50).handler(60).close().run(WORK, 20).open();
        assert_eq!(processor.found(), (3, 60), "10, 50, 60");
        processor.close();
        assert_eq!(processor.found(), (4, 60), "20");
    }

    #[test]
    fn a_sti_before_a_cli_opens_nothing() {
        let mut processor = Processor::booted();
        processor.run(SYSENTER, 10).one(Step::Sti).one(Step::Cli).run(WORK, 5).sysexit();
        processor.run(SYSENTER, 1);
        assert_eq!(processor.found(), (1, 1 + 10 + 2 + 5 + 2));
    }

    #[test]
    fn a_second_sti_opens_no_later_than_the_first() {
        let mut processor = Processor::booted();
        processor.run(SYSENTER, 10).one(Step::Sti).one(Step::Sti).run(WORK, 5).close();
        assert_eq!(processor.found(), (1, 1 + 10 + 2), "what runs behind that is open at every boundary");
        processor.run(WORK, 30).window();
        assert_eq!(processor.found(), (2, 1 + 30 + 2));
    }

    #[test]
    fn sleeping_ends_a_stretch_and_whatever_wakes_begins_one() {
        let mut processor = Processor::booted();
        processor.run(SYSENTER, 10).one(Step::Sti).run(WORK, 1).handler(90).close().run(WORK, 4).window();
        assert_eq!(processor.found(), (3, 90), "up to HLT; the handler; what was done about it");
    }

    #[test]
    fn a_fault_within_the_kernel_ends_nothing() {
        let mut processor = Processor::booted();
        processor.run(SYSENTER, 10).run(WORK, 5).handler(70).run(WORK + 64, 5).handler(70).run(WORK, 5);
        assert_eq!(processor.found(), (0, 0));
        processor.sysexit().run(TRAP, 1);
        assert_eq!(processor.found(), (1, 1 + 10 + 5 + 70 + 5 + 70 + 5 + 2));
    }

    #[test]
    fn a_gate_that_the_kernel_itself_jumps_to_begins_nothing() {
        let mut processor = Processor::booted();
        processor.run(TRAP, 2).run(AFTER_TRAP, 30).iret().run(SYSENTER, 1);
        assert_eq!(processor.found(), (1, 2 + 30 + 1));
    }

    #[test]
    fn a_handler_that_returns_into_a_closed_kernel_opens_nothing_however_soon_a_window_comes() {
        let mut processor = Processor::booted();
        processor.run(SYSENTER, 10).handler(20).run(WORK, 1).window();
        assert_eq!(processor.found(), (1, 1 + 10 + 20 + 1 + 2));
    }

    #[test]
    fn where_the_instructions_were_is_known_of_the_longest_of_each_kind() {
        let mut processor = Processor::booted();
        for (address, instructions) in [(WORK, 50), (WORK + 1, 900), (WORK, 400), (WORK, 300)] {
            processor.run(SYSENTER, 10).run(address, instructions).run(WORK + 2, 5).run(address, 5).sysexit();
        }
        processor.run(SYSENTER, 1);
        let executed =
            |address, times| BTreeMap::from([(SYSENTER, 10), (address, times), (WORK + 2, 5), (WINDOW, 1)]);
        let expected = |length, mut executed: BTreeMap<_, _>| {
            *executed.entry(WORK).or_default() += 1;
            Stretch { length, first: SYSENTER, executed }
        };
        let found: Vec<_> = processor.0.longest().cloned().collect();
        let [longest, other] = [(WORK + 1, 905), (WORK, 405)]
            .map(|(address, times)| expected(1 + 10 + times + 5 + 2, executed(address, times)));
        assert_eq!(found, [longest, other]);
    }

    /// The longest of many, against a model that looks at every boundary by itself.
    #[test]
    fn whatever_is_executed_it_agrees_with_a_processor_that_knows_its_flags() {
        for seed in 1..=2_000_u64 {
            let mut model = Model { on: false, shadow: false, length: 0, count: 0, longest: 0 };
            let mut processor = Processor::booted();
            let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut draw = |below: u64| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random % below
            };
            for _ in 0..30 {
                let called = draw(2) == 0;
                processor.run(if called { SYSENTER } else { TRAP }, 3);
                model.enter();
                model.execute(3 + u64::from(called));
                for _ in 0..draw(6) {
                    let instructions = 1 + draw(9);
                    match draw(3) {
                        0 => {
                            processor.run(WORK, instructions);
                            model.execute(instructions);
                        }
                        1 => {
                            // A fault: interrupts are off behind it as they were before.
                            processor.run(WORK, 1).handler(1 + instructions).run(WORK + 64, 1);
                            model.execute(1 + 1 + instructions + 1);
                        }
                        _ => {
                            processor.open();
                            model.sti();
                            model.execute(1);
                            for _ in 0..draw(3) {
                                processor.handler(1 + instructions);
                                model.enter();
                                model.execute(1 + instructions);
                                model.sti_without_shadow();
                            }
                            processor.close();
                            model.enter();
                            model.execute(1);
                        }
                    }
                }
                if draw(2) == 0 {
                    processor.sysexit();
                    model.sti();
                    model.execute(1);
                } else {
                    processor.iret();
                    model.execute(1);
                    model.sti_without_shadow();
                }
            }
            processor.run(TRAP, 1);
            model.enter();
            assert_eq!(processor.found(), (model.count, model.longest), "seed {seed}");
        }
    }

    /// A processor of which each instruction is looked at.
    struct Model {
        on: bool,
        shadow: bool,
        length: u64,
        count: u64,
        longest: u64,
    }

    impl Model {
        fn execute(&mut self, instructions: u64) {
            for _ in 0..instructions {
                self.boundary();
                self.shadow = false;
                self.length += 1;
            }
        }

        /// An interrupt could come in here.
        fn boundary(&mut self) {
            if self.on && !self.shadow && self.length > 0 {
                self.count += 1;
                self.longest = self.longest.max(self.length);
                self.length = 0;
            }
        }

        fn sti(&mut self) {
            self.execute(1);
            (self.on, self.shadow) = (true, true);
        }

        /// As IRET brings the flag back.
        fn sti_without_shadow(&mut self) {
            self.on = true;
        }

        /// A gate is gone through, or CLI about to be executed.
        fn enter(&mut self) {
            self.boundary();
            self.on = false;
        }
    }
}
