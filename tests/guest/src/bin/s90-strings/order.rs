//! A call as an order to an actor: EAX, four registers, and all words that kernel and thread share in the UTCB.

use freehold_abi::layout::{FOREVER, utcb};
use freehold_abi::message::{ACCEPT, Item};
use freehold_abi::{Call, CapName, Tag};
use freehold_rt::utcb::Part;

/// Words of a UTCB that an order sets.
pub const UTCB_WORDS: usize = 256;

/// One call, down to the last word.
#[derive(Clone)]
pub struct Order {
    pub eax: u32,
    pub registers: [u32; 4],
    pub utcb: [u32; UTCB_WORDS],
}

impl Order {
    fn new(call: Call, name: CapName, tag: Tag) -> Order {
        let mut utcb = [0; UTCB_WORDS];
        (utcb[utcb::SEND_LIMIT], utcb[utcb::RECEIVE_LIMIT]) = (FOREVER, FOREVER);
        Order { eax: call as u32, registers: [name.0, tag.0, 0, 0], utcb }
    }

    pub fn send(door: CapName, label: u16) -> Order {
        Order::new(Call::Send, door, Tag::new(label, 0))
    }

    pub fn call(door: CapName, label: u16) -> Order {
        Order::new(Call::Call, door, Tag::new(label, 0))
    }

    pub fn receive(door: CapName) -> Order {
        Order::new(Call::Receive, door, Tag(0))
    }

    pub fn reply(label: u16) -> Order {
        Order::new(Call::Reply, CapName::NONE, Tag::new(label, 0))
    }

    pub fn reply_receive(door: CapName, label: u16) -> Order {
        Order::new(Call::ReplyReceive, door, Tag::new(label, 0))
    }

    pub fn save_reply(slot: CapName) -> Order {
        Order::new(Call::SaveReply, slot, Tag(0))
    }

    pub fn is_reply(&self) -> bool {
        matches!(Call::from_word(self.eax), Some(Call::Reply | Call::ReplyReceive))
    }

    /// A reply to whom a capability names.
    pub fn named(mut self, reply: CapName) -> Order {
        self.eax |= reply.0 << 8;
        self
    }

    fn set_message(&mut self, index: usize, word: u32) {
        match index {
            1 | 2 => self.registers[1 + index] = word,
            _ => self.utcb[utcb::MESSAGE + index] = word,
        }
    }

    pub fn words(mut self, words: &[u32]) -> Order {
        self.registers[1] |= words.len() as u32;
        words.iter().enumerate().for_each(|(index, &word)| self.set_message(1 + index, word));
        self
    }

    /// Items, behind the words.
    pub fn items(mut self, items: &[Item]) -> Order {
        let first = 1 + Tag(self.registers[1]).words() as usize;
        self.registers[1] = Tag(self.registers[1]).with_items(items.len() as u32).0;
        for (index, item) in items.iter().enumerate() {
            let [source, total] = item.encode();
            self.set_message(first + 2 * index, source);
            self.set_message(first + 2 * index + 1, total);
        }
        self
    }

    /// What it sends; how long a fault is waited for, here and at the receiver's.
    pub fn strings(mut self, parts: &[Part], (mine, other): (u32, u32)) -> Order {
        self.registers[1] = Tag(self.registers[1]).with_strings().0;
        self.parts(utcb::STRINGS_COUNT, utcb::STRINGS, parts);
        (self.utcb[utcb::SEND_FAULT_MINE], self.utcb[utcb::SEND_FAULT_OTHER]) = (mine, other);
        self
    }

    /// Where to it receives; how long a fault is waited for, here and at the sender's.
    pub fn accept(mut self, parts: &[Part], (mine, other): (u32, u32)) -> Order {
        self.eax |= ACCEPT << 8;
        self.parts(utcb::BUFFERS_COUNT, utcb::BUFFERS, parts);
        (self.utcb[utcb::RECEIVE_FAULT_MINE], self.utcb[utcb::RECEIVE_FAULT_OTHER]) = (mine, other);
        self
    }

    fn parts(&mut self, count: usize, first: usize, parts: &[Part]) {
        self.utcb[count] = parts.len() as u32;
        for (index, part) in parts.iter().enumerate() {
            (self.utcb[first + 2 * index], self.utcb[first + 2 * index + 1]) = (part.address, part.bytes);
        }
    }

    pub fn limits(mut self, send: u32, receive: u32) -> Order {
        (self.utcb[utcb::SEND_LIMIT], self.utcb[utcb::RECEIVE_LIMIT]) = (send, receive);
        self
    }

    pub fn slots(mut self, first: CapName, count: u32) -> Order {
        (self.utcb[utcb::SLOTS_FIRST], self.utcb[utcb::SLOTS_COUNT]) = (first.0, count);
        self
    }
}

pub const fn part(address: u32, bytes: u32) -> Part {
    Part { address, bytes }
}
