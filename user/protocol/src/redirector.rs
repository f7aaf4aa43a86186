//! What the redirector is given.

/// The endpoint that it receives from (Receive): the one that spaces are distrusted with.
pub const DOOR: &str = "door";
