//! Quotas given, given on, taken away and given back, at random, compared after each with a model: nothing of them is
//! lost, and nothing comes from nowhere.

mod support;

use freehold_mapdb::quota::{self, FIRST, QuotaFault};
use freehold_mapdb::{Account, pool};
use support::world::{SPACES, World};

/// Who gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Giver {
    First,
    Space(usize),
}

/// Each space's giver, once there is one, and what it may have.
#[derive(Default)]
struct Model {
    spaces: [(Option<Giver>, u64); SPACES],
    /// What the first program has given and not got back.
    given: u64,
}

impl Model {
    fn give_back(&mut self, to: Option<Giver>, bytes: u64) {
        match to {
            Some(Giver::Space(space)) => self.spaces[space].1 += bytes,
            _ => self.given -= bytes,
        }
    }

    /// `charged`: what the giver and the space have of the pool.
    fn set(&mut self, by: Giver, space: usize, bytes: u64, charged: [u64; 2]) -> Result<(), QuotaFault> {
        let (giver, had) = self.spaces[space];
        if by != Giver::First && giver.is_some_and(|giver| giver != by) {
            return Err(QuotaFault::NotTheGiver);
        }
        if bytes < charged[1] {
            return Err(QuotaFault::OverQuota);
        }
        match by {
            Giver::First => {}
            Giver::Space(own) if bytes > had && bytes - had > self.spaces[own].1 - charged[0] => {
                return Err(QuotaFault::OverQuota);
            }
            Giver::Space(_) => {}
        }
        self.give_back(giver, had);
        match by {
            Giver::First => self.given += bytes,
            Giver::Space(own) => self.spaces[own].1 -= bytes,
        }
        self.spaces[space] = (if giver.is_none() && bytes == 0 { None } else { Some(by) }, bytes);
        Ok(())
    }

    fn end(&mut self, space: usize) {
        let (giver, had) = std::mem::take(&mut self.spaces[space]);
        for other in &mut self.spaces {
            if other.0 == Some(Giver::Space(space)) {
                other.0 = giver;
            }
        }
        self.give_back(giver, had);
    }
}

/// Spaces that begin with nothing.
fn world(seed: u32) -> World {
    let mut world = World::new(seed, 32 * pool::BLOCK);
    world.quota = 0;
    (0..SPACES).for_each(|space| world.end_space(space));
    world
}

fn set(world: &mut World, by: Giver, space: usize, bytes: u32) -> Result<(), QuotaFault> {
    let giver = match by {
        Giver::First => FIRST,
        Giver::Space(giver) => world.spaces[giver],
    };
    quota::set(&mut world.tables, giver, world.spaces[space], bytes)
}

fn quotas(world: &World) -> [u64; SPACES] {
    world.spaces.map(|space| u64::from(Account::of(&world.tables, space).quota))
}

#[test]
fn quotas_are_what_the_model_says_and_come_from_the_first() {
    let (mut refused, mut foreign) = (0, 0);
    for seed in 1..9_u32 {
        let (mut world, mut model) = (world(seed.wrapping_mul(0x9E37_79B9) | 1), Model::default());
        for _ in 0..2000 {
            let space = world.below(SPACES as u32) as usize;
            match world.below(14) {
                0 => {
                    world.end_space(space);
                    model.end(space);
                }
                // What they have of the pool stays with them when it is their giver that ends.
                1 => world.give(),
                2..=3 => world.map(),
                4 => world.unmap(),
                5 => world.reclaim(),
                kind => {
                    let by = if kind == 6 {
                        Giver::First
                    } else {
                        Giver::Space(world.below(SPACES as u32) as usize)
                    };
                    let bytes = world.below(5) * world.below(3 * pool::BLOCK);
                    let bytes_of = |space| u64::from(Account::of(&world.tables, world.spaces[space]).bytes());
                    let charged = match by {
                        Giver::First => [0, bytes_of(space)],
                        Giver::Space(own) => [bytes_of(own), bytes_of(space)],
                    };
                    let wanted = model.set(by, space, u64::from(bytes), charged);
                    assert_eq!(set(&mut world, by, space, bytes), wanted, "{by:?} to {space}: {bytes}");
                    refused += u32::from(wanted == Err(QuotaFault::OverQuota));
                    foreign += u32::from(wanted == Err(QuotaFault::NotTheGiver));
                }
            }
            world.compare();
            world.run_programs();
            let quotas = quotas(&world);
            assert_eq!(quotas, model.spaces.map(|(_, quota)| quota));
            assert_eq!(quotas.iter().sum::<u64>(), model.given, "what the first program gave");
        }
    }
    assert!(refused > 100 && foreign > 100, "{refused} {foreign}");
}

#[test]
fn what_is_more_than_a_word_counts_is_nobodys() {
    let mut world = world(1);
    assert_eq!(set(&mut world, Giver::First, 0, u32::MAX), Ok(()));
    assert_eq!(set(&mut world, Giver::Space(0), 1, 5), Ok(()));
    assert_eq!(set(&mut world, Giver::First, 0, u32::MAX), Ok(()), "5 more than it has given");
    world.end_space(1);
    assert_eq!(quotas(&world), [u64::from(u32::MAX), 0, 0, 0]);
    world.compare();
}

#[test]
fn whoever_has_nothing_is_nobodys_giver() {
    let mut world = world(1);
    assert_eq!(set(&mut world, Giver::Space(0), 1, 0), Ok(()), "nothing");
    assert_eq!(set(&mut world, Giver::Space(1), 0, 0), Ok(()), "and it is in no circle with it");
    assert_eq!(set(&mut world, Giver::Space(0), 0, 1), Err(QuotaFault::OverQuota));
    assert_eq!(set(&mut world, Giver::First, 0, 9), Ok(()));
    assert_eq!(set(&mut world, Giver::Space(0), 0, 10), Err(QuotaFault::NotTheGiver), "not its own either");
    assert_eq!(set(&mut world, Giver::Space(0), 1, 9), Ok(()));
    assert_eq!(set(&mut world, Giver::Space(1), 0, 4), Err(QuotaFault::NotTheGiver), "it has given all away");
    world.compare();
}
