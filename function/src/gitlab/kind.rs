//! The closed list of event kinds. Owns how the names in a body select a kind; the names themselves
//! are in the table [`event_kinds`].

use super::event_kinds;
use super::text::Text;

macro_rules! kinds {
    ($(
        $(#[$_doc:meta])* $module:ident::$type:ident {
            $($(#[$doc:meta])* $kind:ident = $label:literal: $($name:literal)|+;)+
        }
    )+) => {
        /// The kinds of event that GitLab 19 sends by project, group and system hooks.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Kind {
            $($($(#[$doc])* $kind,)+)+
            /// A kind that this program does not know, or a body without a kind.
            Other,
        }

        impl Kind {
            /// Every kind, for documentation tables and for metric series that are created at
            /// startup.
            pub const ALL: &[Self] = &[$($(Self::$kind,)+)+ Self::Other];

            /// The label in logs, metrics and rules.
            pub fn label(self) -> &'static str {
                match self {
                    $($(Self::$kind => $label,)+)+
                    Self::Other => "other",
                }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($($($name)|+ => Some(Self::$kind),)+)+
                    _ => None,
                }
            }
        }
    };
}

event_kinds!(kinds);

impl Kind {
    /// The kind with this label; never [`Kind::Other`].
    pub fn with_label(label: &str) -> Option<Self> {
        Self::known().find(|kind| kind.label() == label)
    }

    /// Every kind except [`Kind::Other`].
    pub fn known() -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(|kind| *kind != Self::Other)
    }

    /// `object_kind` decides; some system hooks send only `event_name`.
    pub(super) fn from_names(object_kind: Option<&Text>, event_name: Option<&Text>) -> Self {
        let name = Text::non_blank(object_kind).or_else(|| Text::non_blank(event_name));
        name.and_then(Self::from_name).unwrap_or(Self::Other)
    }
}
