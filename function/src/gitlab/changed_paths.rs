//! The files that the commits of a push changed. Owns how they are kept until a rule asks for them: as
//! the JSON of the lists, because most events are matched against no path, and a copy costs less than
//! parsing. Patterns are in [`routing`](crate::notifier::routing).

use serde_json::value::RawValue;

use super::json::end_of_string;
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

/// Paths, parsed.
pub(crate) struct Paths {
    /// Each path once.
    pub(crate) list: Vec<String>,
    /// Whether these are all files that changed. GitLab lists the newest 20 commits.
    pub(crate) is_complete: bool,
}

impl ChangedPaths {
    /// Parses the lists.
    pub(crate) fn paths(&self) -> Paths {
        let mut paths = Paths {
            list: Vec::new(),
            is_complete: !self.incomplete,
        };
        let lists = serde_json::Deserializer::from_str(&self.lists);
        for list in lists.into_iter::<Vec<Lenient>>() {
            match list {
                Ok(list) => paths
                    .list
                    .extend(list.into_iter().filter_map(Lenient::text)),
                // Such as one with half a character.
                Err(_) => paths.is_complete = false,
            }
        }
        paths.list.sort_unstable();
        paths.list.dedup();
        paths
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
            let room = LIMITS.events.max_path_bytes - self.lists.len();
            if list.len() <= room {
                self.lists.push_str(list);
            } else {
                self.incomplete = true;
                if let Some(start) = start_of_list(list, room) {
                    self.lists.push_str(start);
                    self.lists.push(']');
                }
            }
        }
    }

    /// Records that there are more commits than were added.
    pub(super) fn set_more_commits(&mut self) {
        self.incomplete = true;
        self.more_commits = true;
    }

    /// All paths that changed.
    #[cfg(test)]
    pub(crate) fn listed(paths: &[String]) -> Self {
        let list = serde_json::value::to_raw_value(paths).expect("is JSON");
        let mut changed = Self::default();
        changed.add([Some(&list), None, None]);
        changed
    }
}

/// The first strings of a JSON list, without its end, that fit into `room` together with the end; `None`
/// if there are none.
fn start_of_list(list: &str, room: usize) -> Option<&str> {
    let bytes = list.as_bytes();
    let mut end = 0;
    while let Some(quote) = bytes[end..].iter().position(|byte| *byte == b'"') {
        let next = end_of_string(bytes, end + quote + 1) + 1;
        if next >= room {
            break;
        }
        end = next;
    }
    (end > 0).then(|| &list[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(paths: &[String]) -> Paths {
        let changed = ChangedPaths::listed(paths);
        assert!(changed.lists.len() <= LIMITS.events.max_path_bytes);
        changed.paths()
    }

    #[test]
    fn a_list_that_is_too_long_is_cut_between_paths() {
        let long = |char: &str| char.repeat(4000);
        let mut paths = vec!["\"],".to_owned(), "\\\"".to_owned()];
        paths.extend(["v", "w", "x", "y"].map(long));
        let used = serde_json::to_string(&paths).expect("is JSON").len();
        let room = LIMITS.events.max_path_bytes - used - r#","""#.len();

        paths.push("z".repeat(room));
        let all = kept(&paths);
        assert!(all.is_complete && all.list == paths, "fits exactly");

        paths[6].push('z');
        let start = kept(&paths);
        assert!(!start.is_complete);
        assert!(start.list == paths[..6], "{:?}", start.list.len());
    }

    #[test]
    fn a_path_in_several_commits_is_compared_once() {
        let paths = ["b", "a", "b"].map(str::to_owned);
        assert_eq!(kept(&paths).list, ["a", "b"]);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_incomplete() {
        let half: Box<RawValue> = serde_json::from_str(r#"["a","\ud800"]"#).expect("is JSON");
        let mut changed = ChangedPaths::default();
        changed.add([Some(&half), None, None]);
        assert!(!changed.paths().is_complete);
    }
}
