//! The bundled example of a webhook body of each kind, from the folder `examples/`. Templates are
//! checked with it at startup, and `webhook-app render --kind` shows its message.

use crate::gitlab::event_kinds;
use crate::gitlab::kind::Kind;

macro_rules! examples {
    ($(
        $(#[$_doc:meta])* $module:ident::$type:ident {
            $($(#[$_kind_doc:meta])* $kind:ident = $label:literal: $($name:literal)|+;)+
        }
    )+) => {
        /// The example of this kind; `None` for [`Kind::Other`].
        pub fn example(kind: Kind) -> Option<&'static str> {
            match kind {
                $($(Kind::$kind => Some(include_str!(concat!("examples/", $label, ".json"))),)+)+
                Kind::Other => None,
            }
        }
    };
}

event_kinds!(examples);
