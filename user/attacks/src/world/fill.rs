//! One page mapped many times side by side, as quickly as the model allows.

use freehold_rt::abi::layout::FRAME;

use super::{Model, Refusal, World};

/// How many mappings were made, and why not all.
pub type Filled = (u32, Option<Refusal>);

/// In whose space a block is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// In the own one.
    Own,
    /// In the partner's.
    Partners,
}

impl World {
    /// Maps the page at `from` at `pages` pages from `to` on. `filled`: pages of the own space, as many at least, at which it is
    /// mapped already. Returns how many mappings were made, and why not all.
    pub fn fill(&mut self, from: u32, to: u32, pages: u32, whose: Whose, filled: Option<u32>) -> Filled {
        match &mut self.model {
            Model::Tables(tables) => tables.fill(from, to, pages, whose, self.total_code),
            // What is mapped side by side goes over as one fpage.
            Model::Pool(_) => match filled {
                Some(filled) => told(pages, self.map(filled, to, pages, whose)),
                None => self.double(from, to, pages, whose),
            },
        }
    }

    /// Maps pages in one of the two spaces.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn map(&mut self, from: u32, to: u32, pages: u32, whose: Whose) -> Result<(), Refusal> {
        match whose {
            Whose::Own => self.alias(from, to, pages),
            Whose::Partners => self.delegate(from, to, pages),
        }
    }

    /// One page, then as many again as there are.
    fn double(&mut self, from: u32, to: u32, pages: u32, whose: Whose) -> Filled {
        let (mut made, why) = told(1, self.map(from, to, 1, whose));
        if why.is_some() || whose == Whose::Partners {
            return (made, why);
        }
        while made < pages {
            let (more, why) = told(made, self.alias(to, to + made * FRAME, made));
            made += more;
            if why.is_some() {
                return (made, why);
            }
        }
        (made, None)
    }
}

/// How many of `pages` were mapped, and why not all.
fn told(pages: u32, result: Result<(), Refusal>) -> Filled {
    match result {
        Ok(()) => (pages, None),
        Err(why @ Refusal::Kernel(_, done)) => (done.min(pages), Some(why)),
        Err(why) => (0, Some(why)),
    }
}
