//! Sending one notification to one recipient. [`machine`] decides, purely, what to do next;
//! [`sender`] does it. Guarantees that a message counts as delivered only if it is stored under its
//! id, and that at most one message is stored, because every attempt uses the same id.

pub(crate) mod machine;
pub(crate) mod command;
mod precondition;
mod stored_message;
mod candidates;
mod reachability;
mod retry;
mod backoff;
pub(crate) mod deadline;
pub(crate) mod server_state;
mod retry_budget;
mod circuit_breaker;
pub(crate) mod result;

pub(crate) mod sender;
mod calls;
mod sign_in;
mod permits;
mod rooms;
mod creations;

pub use command::{Call, Command, Input};
pub use deadline::Deadline;
pub use machine::{Account, SendMachine};
pub use result::{
    Attempts, ConfirmedBy, HandOffResult, RecipientResult, SendError, SendResult, SinkError,
};
pub(crate) use sender::Sender;
pub use server_state::ServerState;
