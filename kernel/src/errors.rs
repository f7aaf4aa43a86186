//! The pure crates' errors, as the caller sees them: each keeps its cause.

use freehold_abi::Error;
use freehold_captree::DeriveError;
use freehold_user_pagetables::{AreaError, DonateError, MapError};

/// An error that has a counterpart in the call interface.
pub trait Cause {
    /// The counterpart.
    fn cause(self) -> Error;
}

/// [`Cause::cause`], for `map_err`.
pub fn cause(error: impl Cause) -> Error {
    error.cause()
}

impl Cause for DeriveError {
    fn cause(self) -> Error {
        match self {
            DeriveError::Busy => Error::Busy,
            DeriveError::TooDeep => Error::TooDeep,
            DeriveError::NoCredits => Error::NoCredits,
        }
    }
}

impl Cause for DonateError {
    fn cause(self) -> Error {
        match self {
            DonateError::Misaligned => Error::Misaligned,
            DonateError::NotData => Error::NotData,
            DonateError::HasDescendants => Error::HasDescendants,
        }
    }
}

impl Cause for AreaError {
    fn cause(self) -> Error {
        match self {
            AreaError::NoTable => Error::NoTable,
            AreaError::Occupied => Error::Occupied,
            AreaError::PageTableArea => Error::PageTableArea,
            AreaError::Full => Error::AreaFull,
            // Only fresh Tables are attached, so they are nobody's.
            AreaError::Owned | AreaError::NotInArea => Error::NotInArea,
            AreaError::NotEmpty => Error::NotEmpty,
            AreaError::Gone => Error::Gone,
            AreaError::Busy => Error::Busy,
            AreaError::TooDeep => Error::TooDeep,
            AreaError::NoCredits => Error::NoCredits,
        }
    }
}

impl Cause for MapError {
    fn cause(self) -> Error {
        match self {
            MapError::EmptySource => Error::EmptySource,
            MapError::Occupied => Error::Occupied,
            MapError::Busy => Error::Busy,
            MapError::TooDeep => Error::TooDeep,
            MapError::NoCredits => Error::NoCredits,
        }
    }
}
