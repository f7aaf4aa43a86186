//! Why a buffer was not moved.

use core::fmt;

use freehold_abi::Error;

use crate::transfer;

/// Why a call with buffers failed, and whether it was carried out. It was not, if the failure is about the way
/// ([`Failure::is_about_the_way`]), or Bad from a server that plays along. That is open
///
/// * after [`Failure::Lost`];
/// * after [`Failure::Missing`], if there was room for a reply: a reply that was missing had been made;
/// * after an error of the kernel's or of the service's that leaves it open (a time limit that passed, a server that
///   died), and after Nonsense.
///
/// In no case was it carried out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server does not trust this client as far as the way needs.
    Distrust,
    /// This client does not trust the server as far as the way needs.
    NoTrust,
    /// The kernel, or its redirector, lets this client map nothing to the server, whoever trusts whom.
    Forbidden,
    /// This client has not what the way needs: a shared region that is large enough, a session, a pager.
    NoMeans,
    /// The request is larger than what the server, or the way, takes at most.
    TooLarge,
    /// The server dropped what it kept of the call. A reply, before all of it was here: then the call was carried
    /// out. Or, again and again, the pieces of a request: then it was not. Or it has dropped other clients' calls and
    /// cannot tell whether it saw this one.
    Lost,
    /// Pages stay missing, of this client or of the server, however often they are touched: the last address. They
    /// are the request's or the reply's; a call whose reply they are was carried out.
    Missing(u32),
    /// The server says that the message makes no sense, or gives an error of the kernel's.
    Bad(Option<Error>),
    /// The server's answer makes no sense: its label.
    Nonsense(u16),
    /// The transfer service's.
    Service(transfer::Failure),
    /// The kernel's, of the call itself.
    Kernel(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Kernel(error)
    }
}

impl Failure {
    /// Whether another way may work where this one did not, and the call was not carried out.
    pub const fn is_about_the_way(self) -> bool {
        use transfer::Failure::{Exhausted, Refused};
        // Of the service's, those are a session that was not to be had: nothing has been sent.
        let without_session = matches!(self, Failure::Service(Exhausted | Refused));
        without_session
            || matches!(
                self,
                Failure::Distrust
                    | Failure::NoTrust
                    | Failure::Forbidden
                    | Failure::NoMeans
                    | Failure::TooLarge
            )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Failure::Distrust => {
                to.write_str("the server takes no memory of a client that it does not trust")
            }
            Failure::NoTrust => to.write_str("the client gives no memory to a server that it does not trust"),
            Failure::Forbidden => to.write_str("the design lets the client map nothing to the server"),
            Failure::NoMeans => to.write_str("the client has not what this way needs"),
            Failure::TooLarge => to.write_str("it is larger than this way can carry to this server"),
            Failure::Lost => to.write_str("the server no longer keeps the reply"),
            Failure::Missing(address) => write!(to, "the page at {address:#x} stays missing"),
            Failure::Bad(None) => to.write_str("the server does not understand"),
            Failure::Bad(Some(error)) => write!(to, "the server met {}", error.name()),
            Failure::Nonsense(label) => write!(to, "the server's answer {label:#x} makes no sense"),
            Failure::Service(failure) => write!(to, "the transfer service: {failure:?}"),
            Failure::Kernel(error) => to.write_str(error.name()),
        }
    }
}
