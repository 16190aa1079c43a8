//! The settings of `webhook-app reconcile`. Owns those that only this command has; the others are read in
//! [`gitlab`](super) and in `telemetry`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::env::EnvReader;
use super::super::{ConfigErrors, misspelling, telemetry};
use super::{GitLabConfig, Secrets};
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
        let metrics_port = reader.number("METRICS_PORT", 9090, 0..=u64::from(u16::MAX));
        let limits = LIMITS.reconcile;
        let interval = reader.number(
            "RECONCILE_INTERVAL_SECONDS",
            limits.default_interval_seconds,
            limits.min_interval_seconds..=limits.max_interval_seconds,
        );
        let cursor_file = reader.path("RECONCILE_CURSOR_FILE", cursor_file);
        if direct && !reader.has_value("RECONCILE_CURSOR_FILE") {
            reader.missing(
                &["RECONCILE_CURSOR_FILE"],
                "give the absolute path of a file in which --direct remembers what it has sent, because GitLab's log does not show it",
            );
        }
        let gitlab = gitlab?;
        let telemetry = telemetry::read(reader, &gitlab.proxies);
        Some(Self {
            reconcile_user: gitlab.reconcile_user.clone(),
            gitlab,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_file_may_be_a_path_and_other_settings_may_not() {
        let cursor = ("RECONCILE_CURSOR_FILE", "/var/lib/webhook-app/cursor.json");
        let token = ("GITLAB_WEBHOOK_TOKENS", "/run/secrets/token.json");
        let settings = [
            ("GITLAB_URL", "https://gitlab.example.org"),
            ("GITLAB_API_TOKEN", "glpat-0123456789"),
            ("HOOKS", "[{project: group/app}]"),
            ("WEBHOOK_URL", "https://hooks.example.org/webhook"),
            ("ROCKETCHAT_RECIPIENT", "alice"),
        ];
        let load = |own: [(&str, &str); 2]| {
            let all = settings.into_iter().chain(own);
            let all: BTreeMap<_, _> = all
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let read_file = |_: &str| Err(io::Error::from(io::ErrorKind::NotFound));
            ReconcileConfig::load(&all, &read_file, true, true)
        };
        let (config, warnings) = load([cursor, token]).expect("is valid");
        assert_eq!(config.cursor_file, Some(PathBuf::from(cursor.1)));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].starts_with("GITLAB_WEBHOOK_TOKENS: value 1 looks like the path"),
            "{warnings:?}"
        );
        for (value, expected) in [
            ("cursor.json", "expected the absolute path of a file"),
            ("", "is not set; give the absolute path of a file"),
        ] {
            let errors = load([("RECONCILE_CURSOR_FILE", value), token]).expect_err("is wrong");
            assert_eq!(errors.errors.len(), 1, "{errors}");
            assert!(errors.errors[0].contains(expected), "{errors}");
        }
    }
}
