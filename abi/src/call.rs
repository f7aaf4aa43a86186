//! Call numbers. The reference with arguments, results and errors is docs/calls.md.

/// Declares [`Call`] with its numbers.
macro_rules! calls {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal,)+) => {
        /// The kernel's calls, by the number in EAX bits 0–7.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Call { $($(#[doc = $doc])+ $name = $number,)+ }

        impl Call {
            /// Every call, in the order of their numbers.
            pub const ALL: &'static [Call] = &[$(Call::$name,)+];

            /// The call with the number in bits 0–7 of EAX.
            pub const fn from_word(word: u32) -> Option<Call> {
                match word & 0xFF {
                    $($number => Some(Call::$name),)+
                    _ => None,
                }
            }

            /// The name as it is written in this file.
            pub const fn name(self) -> &'static str {
                match self { $(Call::$name => stringify!($name),)+ }
            }
        }
    };
}

calls! {
    /// Does nothing.
    Null = 0,
    /// EBX endpoint, ESI tag, EDI, EBP: sends and waits for the reply.
    Call = 1,
    /// EBX endpoint, ESI tag, EDI, EBP: sends.
    Send = 2,
    /// EBX endpoint or notification: receives. Out: EBX badge, ESI tag, EDI, EBP (notification: EDI bits).
    Receive = 3,
    /// Immediate: reply capability (0: implicit); EBX what to receive from; ESI tag, EDI, EBP.
    ReplyReceive = 4,
    /// Immediate: reply capability (0: implicit); ESI tag, EDI, EBP: replies and goes on.
    Reply = 5,
    /// EBX notification, ESI bits (if the capability has no badge): sets bits.
    Notify = 6,
    /// Immediate: reply capability (bits 0–11, 0: implicit), range (12–15), direction (16: 1 = to them);
    /// EBX offset in the range, ESI own address, EDI bytes. Out: the three advanced, EBP fault address.
    Copy = 7,
    /// EBX slot reference (own): moves the implicit reply capability there.
    SaveReply = 8,
    /// Immediate: rights (bits 0–2), when lending roots the code of their totals (3–8), 0 (9–19: the kernel's
    /// cursor); EBX source name, ESI destination, EDI badge or range, EBP total.
    Derive = 9,
    /// EBX source, ESI destination (slot references).
    Move = 10,
    /// EBX slot reference: revokes, then empties the slot.
    Delete = 11,
    /// EBX slot reference: removes all descendants.
    Revoke = 12,
    /// EBX slot reference: makes an endpoint there.
    MakeEndpoint = 13,
    /// EBX slot reference: makes a notification there.
    MakeNotification = 14,
    /// EBX container, ESI index, EDI space (0: own), EBP node index.
    MakeCapNode = 15,
    /// Immediate: bit 0 hides the area; EBX container, ESI index, EDI slot for the space, EBP area base |
    /// (pages − 1).
    MakeSpace = 16,
    /// EBX container, ESI index, EDI slot for the container, EBP space it is donated to (0: none).
    MakeTable = 17,
    /// Immediate: bit 0 FPU; EBX container, ESI thread index | utcb index << 10, EDI slot for the thread,
    /// EBP space (0: own) | utcb page address.
    MakeThread = 18,
    /// Immediate: rights; EBX container, ESI space (0: own), EDI directory index.
    Hook = 19,
    /// EBX space (0: own), ESI directory index.
    Unhook = 20,
    /// EBX updates in the message registers, ESI cursor (0), EDI 0. Out: ESI cursor, EDI mappings made.
    Update = 21,
    /// EBX container, ESI first | (count − 1) << 10, EDI address of the words, EBP 0. Out: EBP words done, EDI
    /// address of a fault.
    Validate = 22,
    /// EBX space (0: own) or container, ESI first page or index, EDI count. Out: both advanced.
    Unmap = 23,
    /// EBX container, ESI first index, EDI count: removes descendants of the entries, not these. Out: advanced.
    RevokeRange = 24,
    /// EBX container of roots, ESI first index, EDI count: destroys, revokes and clears. Out: advanced.
    Reclaim = 25,
    /// EBX container of a Table donated to a space: takes it out of the page-table area.
    Withdraw = 26,
    /// Immediate: bit 0: keep EIP and ESP, bits 8–15 priority; EBX thread, ESI EIP, EDI ESP, EBP pager's name in
    /// the thread's space.
    StartThread = 27,
    /// EBX thread: ends what it waits for and keeps it from running.
    StopThread = 28,
    /// EBX thread. Out: EBX state, ESI EIP, EDI ESP, EBP priority.
    ThreadInfo = 29,
    /// EBX space (0: own), ESI index or −1. See [`crate::info`].
    SpaceInfo = 30,
    /// EBX slot reference. Out: EBX kind | rights << 8 | depth << 16, ESI total, EDI credits, EBP badge or range.
    CapInfo = 31,
    /// ESI kind of information. Out: EBX. See [`crate::info::Kernel`].
    KernelInfo = 32,
    /// EBX irq, ESI notification (0: unbind): binds and unmasks.
    IrqBind = 33,
    /// EBX irq: unmasks it again.
    IrqAck = 34,
    /// EBX ports, ESI port, EDI width in bytes. Out: EDI value.
    PortIn = 35,
    /// EBX ports, ESI port, EDI value, EBP width in bytes.
    PortOut = 36,
    /// EBX ports, ESI port, EDI bytes (≤ 64), which lie in the UTCB from MR 3: writes them one after the other.
    PortWrite = 37,
    /// Immediate: a [`crate::designs::Operation`] of a design other than `user-tables`, which has none.
    Design = 38,
}
