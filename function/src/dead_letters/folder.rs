//! The folder in which dead letters are stored, one file each. Owns that a file is complete and on disk before
//! the broker gets its response.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::DeadLetter;

/// The end of the names of complete files.
const SUFFIX: &str = ".json";

/// A folder of dead letters.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl fmt::Display for Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(formatter)
    }
}

/// Why a dead letter could not be stored, read or removed.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} {path}: {error}")]
pub(crate) struct FolderError {
    action: &'static str,
    path: String,
    error: io::Error,
}

impl Folder {
    /// An absolute path; whether it is a writable folder shows when something is stored.
    pub(crate) fn parse(path: &str) -> Result<Self, &'static str> {
        let path = Path::new(path);
        let is_absolute = path.is_absolute();
        is_absolute.then(|| Self(path.to_owned())).ok_or(
            "expected the absolute path of a folder that outlives the process, such as /data",
        )
    }

    /// Whether something can be stored: writes a file and removes it.
    pub(crate) fn try_writing(&self) -> Result<(), FolderError> {
        let path = self.0.join("try.unfinished");
        let write = || {
            File::create(&path)?.sync_all()?;
            fs::remove_file(&path)
        };
        write().map_err(|error| failed("write", &path, error))
    }

    /// Stores a dead letter. One with the same ID is replaced.
    pub(crate) fn store(&self, letter: &DeadLetter) -> Result<(), FolderError> {
        let path = self.path(&letter.id);
        let unfinished = path.with_extension("unfinished");
        let write = || -> io::Result<()> {
            let mut file = File::create(&unfinished)?;
            file.write_all(&serde_json::to_vec(letter)?)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            File::open(&self.0)?.sync_all()
        };
        write().map_err(|error| failed("store", &path, error))
    }

    /// All dead letters, oldest first, and the errors of files that cannot be read.
    pub(crate) fn list(&self) -> Result<(Vec<DeadLetter>, Vec<FolderError>), FolderError> {
        let entries = fs::read_dir(&self.0).map_err(|error| failed("read", &self.0, error))?;
        let (mut letters, mut errors) = (Vec::new(), Vec::new());
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => {
                    errors.push(failed("read", &self.0, error));
                    continue;
                }
            };
            if !path.to_string_lossy().ends_with(SUFFIX) {
                continue;
            }
            let letter = fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?));
            match letter {
                Ok(letter) => letters.push(letter),
                Err(error) => errors.push(failed("read", &path, error)),
            }
        }
        letters.sort_by(|one: &DeadLetter, other| {
            (&one.stored_at, &one.id).cmp(&(&other.stored_at, &other.id))
        });
        Ok((letters, errors))
    }

    /// Removes one that is finished.
    pub(crate) fn remove(&self, letter: &DeadLetter) -> Result<(), FolderError> {
        let path = self.path(&letter.id);
        fs::remove_file(&path).map_err(|error| failed("remove", &path, error))
    }

    /// The ID is a digest, so it cannot lead out of the folder.
    fn path(&self, id: &str) -> PathBuf {
        self.0.join(format!("{id}{SUFFIX}"))
    }
}

fn failed(action: &'static str, path: &Path, error: io::Error) -> FolderError {
    FolderError {
        action,
        path: path.display().to_string(),
        error,
    }
}
