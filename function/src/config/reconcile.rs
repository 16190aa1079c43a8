//! The settings of `webhook-app reconcile`. Owns those that only this command has; the others are read in
//! [`gitlab`](super::gitlab) and in `telemetry`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::env::EnvReader;
use super::gitlab::{GitLabConfig, Secrets};
use super::{ConfigErrors, misspelling, telemetry};
use crate::gitlab::username::GitLabUsername;
use crate::limits::LIMITS;
use crate::telemetry::Settings;

/// The validated settings.
#[derive(Debug)]
pub struct ReconcileConfig {
    /// GitLab, the declared hooks and their secrets.
    pub gitlab: GitLabConfig,
    /// The GitLab user whose pushes the function skips.
    pub reconcile_user: Option<GitLabUsername>,
    /// Where `--direct` remembers what it has sent.
    pub cursor_file: Option<PathBuf>,
    /// Port for metrics and health checks.
    pub metrics_port: u16,
    /// Time between two rounds.
    pub interval: Duration,
    /// Logs and metrics.
    pub telemetry: Settings,
}

impl ReconcileConfig {
    /// Reads the settings from `variables`, and the files that they name with `read_file`. Also returns warnings.
    /// `direct` says whether records are posted without GitLab, `posts` whether any webhook is.
    pub fn load(
        variables: &BTreeMap<String, String>,
        read_file: &dyn Fn(&str) -> io::Result<String>,
        direct: bool,
        posts: bool,
    ) -> Result<(Self, Vec<String>), ConfigErrors> {
        let mut reader = EnvReader::new(variables, read_file);
        reader.warn_all(misspelling::warnings(variables));
        let config = Self::read(&mut reader, direct, posts);
        let (errors, warnings) = reader.finish();
        match config {
            Some(config) if errors.is_empty() => Ok((config, warnings)),
            _ => Err(ConfigErrors { errors, warnings }),
        }
    }

    /// Reads all settings before it returns `None` for an invalid one.
    fn read(reader: &mut EnvReader, direct: bool, posts: bool) -> Option<Self> {
        let secrets = if posts {
            Secrets::Required
        } else {
            Secrets::Optional
        };
        let gitlab = GitLabConfig::read(reader, secrets);
        let reconcile_user = reader.optional("GITLAB_RECONCILE_USER", GitLabUsername::parse);
        let metrics_port = reader.number("METRICS_PORT", 9090, 0..=u64::from(u16::MAX));
        let limits = LIMITS.reconcile;
        let interval = reader.number(
            "RECONCILE_INTERVAL_SECONDS",
            limits.default_interval_seconds,
            limits.min_interval_seconds..=limits.max_interval_seconds,
        );
        let cursor_file = if direct {
            reader.required(
                "RECONCILE_CURSOR_FILE",
                "give the absolute path of a file in which --direct remembers what it has sent, because GitLab's log does not show it",
                cursor_file,
            )
        } else {
            reader.optional("RECONCILE_CURSOR_FILE", cursor_file)
        };
        let gitlab = gitlab?;
        let telemetry = telemetry::read(reader, &gitlab.proxies);
        Some(Self {
            gitlab,
            reconcile_user,
            cursor_file,
            metrics_port: u16::try_from(metrics_port).ok()?,
            interval: Duration::from_secs(interval),
            telemetry,
        })
    }
}

fn cursor_file(text: &str) -> Result<PathBuf, &'static str> {
    let path = Path::new(text);
    let is_file = path.is_absolute() && path.file_name().is_some();
    let path = is_file.then(|| path.to_owned());
    path.ok_or("expected the absolute path of a file, such as /var/lib/webhook-app/cursor.json")
}
