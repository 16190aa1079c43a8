//! The files that the commits of a push changed. Owns how they are kept until a rule asks for them: as
//! the JSON of the lists, because most events are matched against no path, and a copy costs less than
//! parsing. Patterns are in [`routing`](crate::notifier::routing).

use serde_json::value::RawValue;

use super::lenient::Lenient;
use crate::limits::LIMITS;

/// The files that the listed commits changed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChangedPaths {
    /// JSON lists of paths, one after the other.
    lists: String,
    /// Whether a file may have changed that is not listed.
    incomplete: bool,
    /// Whether GitLab lists only the newest commits.
    more_commits: bool,
}

impl ChangedPaths {
    /// Whether a listed path is as expected.
    pub fn any(&self, mut is_expected: impl FnMut(&str) -> bool) -> bool {
        let lists = serde_json::Deserializer::from_str(&self.lists);
        let mut lists = lists.into_iter::<Vec<Lenient>>();
        // A list that cannot be read, such as one with half a character, may contain the path.
        lists.any(|list| match list {
            Ok(list) => list.iter().any(|path| is_expected(path.as_str())),
            Err(_) => true,
        })
    }

    /// Whether every changed file is listed. GitLab lists the newest 20 commits.
    pub fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// Whether there are more commits than GitLab lists.
    pub(crate) fn has_more_commits(&self) -> bool {
        self.more_commits
    }

    /// Adds what one commit changed: the lists of added, modified and removed files.
    pub(super) fn add(&mut self, lists: [Option<&RawValue>; 3]) {
        self.incomplete |= lists.iter().all(Option::is_none);
        for list in lists.into_iter().flatten().map(RawValue::get) {
            if list == "[]" || !list.starts_with('[') {
                continue;
            }
            if self.lists.len() + list.len() > LIMITS.events.max_path_bytes {
                self.incomplete = true;
            } else {
                self.lists.push_str(list);
            }
        }
    }

    /// Records that there are more commits than were added.
    pub(super) fn set_more_commits(&mut self) {
        self.incomplete = true;
        self.more_commits = true;
    }
}
