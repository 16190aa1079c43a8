//! Outside text and links in Rocket.Chat's markup. Owns the rules that keep Rocket.Chat from
//! interpreting such text as a mention, a link or formatting. What a message says is decided in
//! [`message`](crate::notifier::message).

mod visible_text;
pub use visible_text::VisibleText;
pub(crate) use visible_text::is_invisible;
mod inline_code;
pub use inline_code::InlineCode;
mod inert;
pub use inert::Inert;
mod shown;
pub use shown::Shown;
mod link;
pub use link::{Label, Link};
