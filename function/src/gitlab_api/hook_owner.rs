//! What a webhook belongs to. Owns the path of its webhooks in the API.

/// What a webhook belongs to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum HookOwner {
    /// A project, by its ID.
    Project(u64),
    /// The whole server: a system hook, which has no log of events.
    System,
}

impl HookOwner {
    /// The path of its webhooks and what follows.
    pub(super) fn path(self, rest: &[&str]) -> Vec<String> {
        let hooks = match self {
            Self::Project(id) => vec!["projects".to_owned(), id.to_string(), "hooks".to_owned()],
            Self::System => vec!["hooks".to_owned()],
        };
        let rest = rest.iter().map(|part| (*part).to_owned());
        hooks.into_iter().chain(rest).collect()
    }
}
