//! What `--direct` has sent, which GitLab's log does not see. Owns the cursor file: its format, and that it is replaced
//! as a whole, so that a crash leaves the old one or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::limits::LIMITS;

/// The version of the format.
const VERSION: u64 = 1;

/// The file and its content.
#[derive(Debug)]
pub(crate) struct Cursor {
    path: PathBuf,
    content: Content,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u64,
    /// By project and hook, such as `42/7`.
    hooks: BTreeMap<String, Position>,
}

/// What is finished in the log of one hook.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// The highest ID of an attempt up to which everything is finished.
    finished_to: u64,
    /// Attempts after that which are finished, while an earlier one is not.
    #[serde(default)]
    finished: BTreeSet<u64>,
}

/// The cursor file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CursorError {
    #[error("failed to read the cursor file {0}: {1}")]
    Read(PathBuf, #[source] io::Error),
    #[error("failed to write the cursor file {0}: {1}")]
    Write(PathBuf, #[source] io::Error),
    #[error(
        "expected a cursor file of version 1 in {0}, found something else; move it away if it is none, and everything that failed in the last seven days is sent once more"
    )]
    Content(PathBuf),
}

impl Cursor {
    /// Reads the file; it may be missing.
    pub(crate) fn open(path: &Path) -> Result<Self, CursorError> {
        let path = path.to_owned();
        let content = match fs::read(&path) {
            Ok(text) => parse(&text).ok_or_else(|| CursorError::Content(path.clone()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content {
                version: VERSION,
                hooks: BTreeMap::new(),
            },
            Err(error) => return Err(CursorError::Read(path, error)),
        };
        Ok(Self { path, content })
    }

    /// Whether an attempt was sent again by an earlier run.
    pub(crate) fn is_finished(&self, project: u64, hook: u64, attempt: u64) -> bool {
        let position = self.content.hooks.get(&name(project, hook));
        position.is_some_and(|position| {
            attempt <= position.finished_to || position.finished.contains(&attempt)
        })
    }

    /// Records that an attempt was sent. `unfinished` are the attempts that still have to be.
    pub(crate) fn finish(
        &mut self,
        (project, hook): (u64, u64),
        attempt: u64,
        unfinished: impl Iterator<Item = u64>,
    ) -> Result<(), CursorError> {
        let position = self.content.hooks.entry(name(project, hook)).or_default();
        position.finished.insert(attempt);
        let oldest = unfinished.min().unwrap_or(u64::MAX);
        let before = position.finished.iter().filter(|id| **id < oldest);
        position.finished_to = before.max().copied().unwrap_or(0).max(position.finished_to);
        let to = position.finished_to;
        position.finished.retain(|id| *id > to);
        self.write()
    }

    fn write(&self) -> Result<(), CursorError> {
        let failed = |error| CursorError::Write(self.path.clone(), error);
        let text = serde_json::to_vec(&self.content).map_err(|error| failed(error.into()))?;
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(".new");
        let file = fs::File::create(&temporary).map_err(failed)?;
        io::Write::write_all(&mut &file, &text).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&temporary, &self.path).map_err(failed)
    }
}

fn parse(text: &[u8]) -> Option<Content> {
    let fits = text.len() <= LIMITS.reconcile.max_cursor_bytes;
    let content: Content = fits.then(|| serde_json::from_slice(text).ok())??;
    (content.version == VERSION).then_some(content)
}

fn name(project: u64, hook: u64) -> String {
    format!("{project}/{hook}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = r#"{"version":1,"hooks":{"42/7":{"finished_to":10,"finished":[12]}}}"#;

    fn is_finished(file: &str, attempt: u64) -> bool {
        let content = parse(file.as_bytes()).expect(file);
        let path = PathBuf::new();
        Cursor { path, content }.is_finished(42, 7, attempt)
    }

    #[test]
    fn a_file_says_what_is_finished() {
        for (attempt, expected) in [(1, true), (10, true), (11, false), (12, true), (13, false)] {
            assert_eq!(is_finished(FILE, attempt), expected, "{attempt}");
        }
    }

    #[test]
    fn what_is_no_cursor_file_is_refused() {
        for length in 0..FILE.len() {
            assert!(parse(&FILE.as_bytes()[..length]).is_none(), "{length}");
        }
        let mut binary = FILE.as_bytes().to_vec();
        binary[FILE.find("42").expect("is there")] = 0xff;
        assert!(parse(&binary).is_none());
        let deep = r#"{"version":1,"hooks":"#.repeat(100_000);
        let huge = FILE.replace("12", &"12,".repeat(2_000_000)) + "12";
        for broken in [
            FILE.replace("\"version\":1", "\"version\":2"),
            FILE.replace("\"version\":1", "\"version\":1,\"version\":1"),
            FILE.replace(
                "\"finished_to\":10",
                "\"finished_to\":10,\"finished_to\":11",
            ),
            FILE.replace("10", "-1"),
            FILE.replace("10", &"9".repeat(1000)),
            FILE.replace("[12]", "[\"12\"]"),
            format!("{FILE}{FILE}"),
            format!("{FILE}{}", " ".repeat(LIMITS.reconcile.max_cursor_bytes)),
            "[".repeat(100_000),
            deep,
            huge,
            "{}".to_owned(),
        ] {
            assert!(parse(broken.as_bytes()).is_none(), "{broken:.100}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            at in 0..FILE.len(),
            byte: u8,
        ) {
            let _ = parse(&bytes);
            let mut changed = FILE.as_bytes().to_vec();
            changed[at] = byte;
            let _ = parse(&changed);
        }
    }
}
