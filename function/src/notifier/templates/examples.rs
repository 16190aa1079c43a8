//! One example of a webhook's body per kind, compiled in from the folder `examples/`: to try templates on
//! at start, and to look at with `webhook-app render --kind`.

use crate::gitlab::event_kinds;
use crate::gitlab::kind::Kind;

macro_rules! examples {
    ($(
        $(#[$_doc:meta])* $module:ident::$type:ident {
            $($(#[$_kind_doc:meta])* $kind:ident = $label:literal: $($name:literal)|+;)+
        }
    )+) => {
        /// The example of this kind; none of [`Kind::Other`].
        pub fn example(kind: Kind) -> Option<&'static str> {
            match kind {
                $($(Kind::$kind => Some(include_str!(concat!("examples/", $label, ".json"))),)+)+
                Kind::Other => None,
            }
        }
    };
}

event_kinds!(examples);
