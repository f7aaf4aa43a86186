//! The pager: maps frames that it was given into its clients' spaces when they fault.
//!
//! One endpoint, [`ORDERS`], for orders, faults (labels of `abi::fault`) and what clients say. A client's
//! badge is its number, 1 to [`CLIENTS_MAX`].

/// Name of the endpoint, and under `pager` the name by which clients know it.
pub const ORDERS: &str = "orders";
/// Names of the clients' spaces, by number − 1; each is given with Edit.
pub const SPACES: [&str; CLIENTS_MAX] = ["space1", "space2", "space3", "space4"];
/// Names of containers of frames to map from. Their frames count as one row, in this order.
pub const FRAMES: [&str; 8] =
    ["frames0", "frames1", "frames2", "frames3", "frames4", "frames5", "frames6", "frames7"];
/// Clients at most.
pub const CLIENTS_MAX: usize = 4;

/// Order `[client, address, pages, first frame]`: these pages of the client's show those frames, read-only,
/// each from the first fault on it. Pages that were present are taken away, counts begin at 0.
pub const REGION: u16 = 1;
/// Order `[client]`. Answer: `[faults dealt with since the region was set, 1 if one is held]`.
pub const FAULTS: u16 = 2;
/// Order `[client, count]`: deals with `count` more faults in this client's region, then answers none.
pub const QUIET: u16 = 3;
/// Order `[client]`: deals with the fault that is held, and is quiet no more.
pub const SPEAK: u16 = 4;
/// From a client, `[EIP, ESP]`: go on there at the next fault outside the region, once. EIP 0: stop.
pub const RECOVER: u16 = 5;
