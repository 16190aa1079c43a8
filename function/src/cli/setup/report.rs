//! The output of setup: one line for each step, and at its end the next command. Owns its layout.

use std::fmt::Write as _;

use super::storage::Storage;
use crate::config::setup::{Administrator, SetupConfig};
use crate::setup::{Known, Line, Output, Wishes};

/// The lines, each with its end.
pub(super) fn lines(lines: &[Line], dry_run: bool) -> Vec<String> {
    let width = if dry_run { 13 } else { 8 };
    let line = |line: &Line| {
        let mark = if dry_run {
            line.mark.conditional()
        } else {
            line.mark.past()
        };
        format!("{mark:width$} {}\n", line.text)
    };
    lines.iter().map(line).collect()
}

/// The last lines of a run that succeeded.
pub(super) fn end(
    known: &Known,
    config: &SetupConfig,
    wishes: &Wishes,
    storage: &Storage,
) -> String {
    if wishes.dry_run {
        let summary = if known.has_changes() {
            "\nNothing was changed; run the same without --dry-run.\n"
        } else {
            "\nThere is nothing to do.\n"
        };
        return summary.to_owned();
    }
    if !known.has_changes() {
        return "\nThere is nothing to do.\n".to_owned();
    }
    let mut text = String::new();
    if known.administrator.is_some() {
        let tokens = match config.administrator {
            Some(Administrator::Token(_)) => "GITLAB_API_TOKEN and ROCKETCHAT_ADMIN_TOKEN",
            _ => "GITLAB_API_TOKEN",
        };
        let _ = write!(
            text,
            "\nRevoke {tokens} now if they were made for this; webhook-app does not need them.\n"
        );
    }
    let path = storage.path();
    let to = wishes.to.as_ref().map_or("NAME", |to| to.as_str());
    let url = config.chat.url.as_str().trim_end_matches('/');
    let _ = match storage.output() {
        Output::Env => write!(
            text,
            "\nNext, start webhook-app where GitLab reaches {}:\n\n  set -a; . {}; set +a\n  ROCKETCHAT_URL={url} ROCKETCHAT_RECIPIENT={to} webhook-app\n",
            config.hook,
            shell_path(path),
        ),
        Output::Secret => Ok(()),
        Output::Overlay => write!(
            text,
            "\nNext, read kustomization.yaml, and deploy it:\n\n  make deploy IMAGE=… OVERLAY={}\n",
            folder(path),
        ),
    };
    text
}

/// The last line of a run that failed.
pub(super) fn failure(error: &str, known: &Known, wishes: &Wishes) -> String {
    let mut text = format!("FAIL     {error}\n");
    // Keys that were only generated are not stored before they are used.
    if known.has_changes() && !known.is_unsaved && !wishes.dry_run {
        text.push_str("\nWhat was done is kept; the next run continues here.\n");
    }
    text
}

/// A path that the shell reads as a file, and not as a name to look up.
fn shell_path(path: &str) -> String {
    let path = if path.contains('/') {
        path.to_owned()
    } else {
        format!("./{path}")
    };
    let is_plain = |char: char| char.is_alphanumeric() || "/._-".contains(char);
    if path.chars().all(is_plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}
