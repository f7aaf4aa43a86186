//! Why something was not done, in the words of whoever refused.

use freehold_rt::Error;
use freehold_rt::calls::Stop;
use freehold_rt::load::LoadError;
use freehold_rt::memory::MapError;

/// Why something was not done.
#[derive(Debug)]
pub enum Failure {
    /// No boot module has this name.
    NoModule,
    /// No slot, or no memory for one, is left.
    NoSlot,
    /// No memory is left.
    NoMemory,
    /// The program was destroyed before.
    NoSuchProgram,
    /// Programs did not come to where they were expected in time.
    TooLate,
    /// A program answered an order with this label.
    Refused(u16),
    /// The kernel refused.
    Kernel(Error),
    /// The kernel stopped in the middle of a range.
    Stopped(Stop),
    /// A program could not be made.
    Load(LoadError),
    /// Memory could not be mapped.
    Map(MapError),
    /// A transfer was not carried through.
    Transfer(freehold_rt::transfer::Failure),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Kernel(error)
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure::Stopped(stop)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure::Load(error)
    }
}

impl From<MapError> for Failure {
    fn from(error: MapError) -> Failure {
        Failure::Map(error)
    }
}
