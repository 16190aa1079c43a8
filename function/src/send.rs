//! Sending one notification to one recipient. [`machine`] decides, purely, what to do next;
//! [`sender`] does it. Guarantees that a message counts as delivered only if it is stored under its
//! id, and that at most one message is stored, because every attempt uses the same id.

pub(crate) mod machine;
pub(crate) mod command;
pub(crate) mod deadline;
pub mod retry_budget;
mod precondition;
pub(crate) mod result;

pub(crate) mod sender;

pub use command::{Command, Input};
pub use deadline::Deadline;
pub use machine::SendMachine;
pub use result::{Attempts, ConfirmedBy, RecipientResult, SendError, SendResult};
pub(crate) use sender::Sender;
