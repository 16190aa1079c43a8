//! Where the secrets of setup are stored, and where its lines are printed. Owns that a file of secrets is
//! readable only for its owner, and that standard output is nothing but the Secret if one is asked for.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use crate::cli::printable;
use crate::config::setup::SetupConfig;
use crate::setup::{self, Line, Mark, Output, SecretFile, Wishes};

/// The place of the secrets.
pub(super) struct Storage {
    path: String,
    output: Output,
    /// How many lines have been printed.
    printed: Cell<usize>,
}

impl Storage {
    pub(super) fn new(path: String, output: Output) -> Self {
        Self {
            path,
            output,
            printed: Cell::new(0),
        }
    }

    /// The name of the file.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What is asked for.
    pub(super) fn output(&self) -> Output {
        self.output
    }

    /// The stored secrets; none if there is no file.
    pub(super) fn read(&self) -> Result<SecretFile, String> {
        match fs::read_to_string(&self.path) {
            Ok(text) => SecretFile::parse(&text).map_err(|error| format!("{} {error}", self.path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(SecretFile::default()),
            Err(error) => Err(format!("failed to read {}: {}", self.path, error.kind())),
        }
    }

    /// Lets only the owner read a file that others could read. Only says so if `dry_run`.
    pub(super) fn protect(&self, dry_run: bool) -> Option<Line> {
        let mode = fs::metadata(&self.path).ok()?.permissions().mode() & 0o777;
        if mode | 0o700 == 0o700 {
            return None;
        }
        let path = &self.path;
        let owner_only = fs::Permissions::from_mode(0o600);
        let (mark, text) = if dry_run || fs::set_permissions(path, owner_only).is_ok() {
            let text = format!("mode of {path}: {mode:o} → 600, because others could read it");
            (Mark::Changed, text)
        } else {
            let text = format!("others can read {path}, and its mode {mode:o} cannot be changed");
            (Mark::Note, text)
        };
        Some(Line { mark, text })
    }

    /// Replaces the file at once, so that no reader and no interruption sees half of it.
    pub(super) fn write(&self, secrets: &SecretFile) -> Result<(), String> {
        // The file may have been replaced by a person in the meantime.
        self.read()?;
        replace(Path::new(&self.path), secrets.text().expose_secret())
    }

    /// Writes the Secret or the overlay, if one is asked for.
    pub(super) fn outputs(
        &self,
        secrets: &SecretFile,
        config: &SetupConfig,
        wishes: &Wishes,
    ) -> Result<Vec<Line>, String> {
        match self.output {
            Output::Env => Ok(Vec::new()),
            Output::Secret => {
                let manifest = setup::secret_manifest(secrets);
                let written = io::stdout()
                    .lock()
                    .write_all(manifest.expose_secret().as_bytes());
                written.map_err(|error| format!("failed to write the Secret: {}", error.kind()))?;
                Ok(Vec::new())
            }
            Output::Overlay => {
                let path = Path::new(&self.path);
                let overlay = path.with_file_name("kustomization.yaml");
                let shown = overlay.display().to_string();
                if overlay.exists() {
                    let text = format!("{shown}, as it is");
                    let mark = Mark::Kept;
                    return Ok(vec![Line { mark, text }]);
                }
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let to = wishes.to.as_ref().map_or("alice", |to| to.as_str());
                let text = setup::kustomization(&config.chat.url, to, &file);
                fs::write(&overlay, text)
                    .map_err(|error| format!("failed to write {shown}: {}", error.kind()))?;
                Ok(vec![Line {
                    mark: Mark::Wrote,
                    text: shown,
                }])
            }
        }
    }

    /// Prints the lines that have not been printed.
    pub(super) fn say(&self, lines: &[String]) {
        let new = lines.iter().skip(self.printed.get());
        new.for_each(|line| self.say_text(line));
        self.printed.set(lines.len());
    }

    /// Prints a text; to standard error if standard output is for the Secret.
    pub(super) fn say_text(&self, text: &str) {
        let text = printable(text);
        let _ = match self.output {
            Output::Secret => io::stderr().lock().write_all(text.as_bytes()),
            Output::Env | Output::Overlay => io::stdout().lock().write_all(text.as_bytes()),
        };
    }
}

fn replace(path: &Path, text: &str) -> Result<(), String> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new: PathBuf = path.with_file_name(name);
    let written = write_private(&new, text).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        let _removed = fs::remove_file(&new);
        format!(
            "cannot write {}: {}; check the folder and its permissions",
            path.display(),
            error.kind()
        )
    })
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // A file of an interrupted run may have other permissions.
    let _removed = fs::remove_file(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
