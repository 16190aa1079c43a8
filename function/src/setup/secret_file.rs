//! The file `secret.env`. Owns its form, and the rule that a file that setup did not write is never replaced.
//! Its values are settings, so `--env-file` and kustomize read it; lines of a person are kept.

use std::fmt::Write as _;

use secrecy::{ExposeSecret, SecretString};

/// The first line.
const HEADER: &str =
    "# Written by webhook-app setup, which reads it again. Keep it secret, and out of Git.";

/// Before the password of a bot whose token is not stored yet. A comment, because it is no setting.
const PENDING: &str = "#SETUP_BOT_PASSWORD=";

/// Before the state of the secret of the webhook, until the webhook has it.
const HOOK: &str = "#SETUP_WEBHOOK_SECRET=";

/// Whether the webhook has the secret of the file, which GitLab does not show.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum HookSecretState {
    /// It has been written.
    #[default]
    Written,
    /// It was generated for this file, so no webhook has it.
    New,
    /// It is about to be written, or the run was interrupted when it was.
    Writing,
}

/// The secrets of the function.
#[derive(Debug, Default)]
pub(crate) struct SecretFile {
    pub(crate) signing_key: Option<SecretString>,
    pub(crate) webhook_token: Option<SecretString>,
    pub(crate) message_id_secret: Option<SecretString>,
    pub(crate) user_id: Option<String>,
    pub(crate) auth_token: Option<SecretString>,
    /// The password of a bot whose token is not stored yet.
    pub(crate) pending_password: Option<SecretString>,
    /// Whether the webhook has the signing key or the secret token.
    pub(crate) hook_secret: HookSecretState,
    /// What a person added.
    others: Vec<String>,
}

/// The file is not one that setup wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "was not written by webhook-app setup, and is not replaced; move it away, or name another file with --file"
)]
pub(crate) struct FileError;

impl SecretFile {
    /// Parses the text of a file.
    pub(crate) fn parse(text: &str) -> Result<Self, FileError> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(FileError);
        }
        let mut file = Self::default();
        for line in lines {
            if let Some(password) = line.strip_prefix(PENDING) {
                file.pending_password = Some(password.into());
                continue;
            }
            if let Some(state) = line.strip_prefix(HOOK) {
                file.hook_secret = match state {
                    "new" => HookSecretState::New,
                    _ => HookSecretState::Writing,
                };
                continue;
            }
            let known = line.split_once('=').filter(|(_, value)| !value.is_empty());
            match known {
                Some(("GITLAB_SIGNING_KEYS", value)) => file.signing_key = Some(value.into()),
                Some(("GITLAB_WEBHOOK_TOKENS", value)) => file.webhook_token = Some(value.into()),
                Some(("MESSAGE_ID_SECRET", value)) => file.message_id_secret = Some(value.into()),
                Some(("ROCKETCHAT_USER_ID", value)) => file.user_id = Some(value.to_owned()),
                Some(("ROCKETCHAT_AUTH_TOKEN", value)) => file.auth_token = Some(value.into()),
                _ if line.trim().is_empty() => {}
                _ => file.others.push(line.to_owned()),
            }
        }
        Ok(file)
    }

    /// Whether the file may contain this value of a server: shells read the file, and other characters could be
    /// commands.
    pub(crate) fn can_hold(value: &str) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        value.bytes().all(is_plain)
    }

    /// The settings that are known, in a fixed order.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&'static str, &str)> {
        fn exposed(secret: Option<&SecretString>) -> Option<&str> {
            secret.map(ExposeSecret::expose_secret)
        }
        let settings = [
            ("GITLAB_SIGNING_KEYS", exposed(self.signing_key.as_ref())),
            (
                "GITLAB_WEBHOOK_TOKENS",
                exposed(self.webhook_token.as_ref()),
            ),
            (
                "MESSAGE_ID_SECRET",
                exposed(self.message_id_secret.as_ref()),
            ),
            ("ROCKETCHAT_USER_ID", self.user_id.as_deref()),
            ("ROCKETCHAT_AUTH_TOKEN", exposed(self.auth_token.as_ref())),
        ];
        let known = settings.into_iter();
        known.filter_map(|(name, value)| Some((name, value?)))
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> SecretString {
        let mut text = format!("{HEADER}\n");
        for (name, value) in self.settings() {
            let _ = writeln!(text, "{name}={value}");
        }
        if let Some(password) = &self.pending_password {
            let _ = writeln!(text, "{PENDING}{}", password.expose_secret());
        }
        let state = match self.hook_secret {
            HookSecretState::Written => None,
            HookSecretState::New => Some("new"),
            HookSecretState::Writing => Some("writing"),
        };
        if let Some(state) = state {
            let _ = writeln!(text, "{HOOK}{state}");
        }
        for line in &self.others {
            let _ = writeln!(text, "{line}");
        }
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "GITLAB_SIGNING_KEYS=whsec_a+/=\nMESSAGE_ID_SECRET=b=c\nROCKETCHAT_USER_ID=id\nROCKETCHAT_AUTH_TOKEN=token\n#SETUP_BOT_PASSWORD=aZ7!x\n#SETUP_WEBHOOK_SECRET=new\n# mine\nLOG_LEVEL=debug\n";

    #[test]
    fn a_file_is_written_as_it_was_read() {
        let text = format!("{HEADER}\n{TEXT}");
        let file = SecretFile::parse(&text).expect("is ours");
        assert_eq!(file.user_id.as_deref(), Some("id"));
        assert_eq!(file.text().expose_secret(), text);
        assert!(!format!("{file:?}").contains("whsec_a"), "{file:?}");
    }

    #[test]
    fn any_other_file_is_refused() {
        for text in ["", "\n", TEXT, "\u{feff}", &format!("\n{HEADER}\n")] {
            assert_eq!(
                SecretFile::parse(text).map(|_| ()),
                Err(FileError),
                "{text}"
            );
        }
    }

    #[test]
    fn no_server_can_write_commands_into_the_file() {
        assert!(SecretFile::can_hold("rbAXPnMktTFbNpwtJ_-9"));
        for value in [
            "$(id)", "u;id", "`id`", "a b", "a\nb", "a'b", "a&b", "a\\b", "ä",
        ] {
            assert!(!SecretFile::can_hold(value), "{value}");
        }
    }

    #[test]
    fn an_empty_value_is_no_value() {
        let text = format!("{HEADER}\r\nROCKETCHAT_AUTH_TOKEN=\nROCKETCHAT_USER_ID");
        let file = SecretFile::parse(&text).expect("is ours");
        assert!(file.auth_token.is_none() && file.user_id.is_none());
    }
}
