//! Projects, the account and the version as the API returns them. Owns how a project is named.

use serde::Deserialize;

/// A project.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Project {
    /// Its ID, which never changes.
    pub id: u64,
    /// Its path with the groups, such as `group/app`.
    #[serde(rename = "path_with_namespace")]
    pub path: String,
}

/// A project or a group as a person names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProjectRef(String);

impl ProjectRef {
    /// Parses an ID or a path such as `group/app`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_short = text.len() <= 1024;
        (is_short && text.split('/').all(is_name)).then(|| Self(text.to_owned()))
    }

    /// The ID or the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether GitLab accepts a part of a path. Parts of dots would change the path of a call.
fn is_name(part: &str) -> bool {
    let is_usual = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    let ends = [".git", ".atom"];
    let is_reserved = part.starts_with('-') || ends.iter().any(|end| part.ends_with(end));
    !is_reserved && part.chars().all(is_usual) && part.bytes().any(|byte| byte != b'.')
}

/// The account of a token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct User {
    /// Its ID.
    pub id: u64,
    /// Its name.
    pub username: String,
}

/// The version of GitLab.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// As GitLab writes it, such as `19.3.0-ee`.
    pub text: String,
    major: u32,
}

impl Version {
    /// Parses `19.3.0-ee`.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, _) = text.split_once('.')?;
        let is_usual = |char: char| char.is_ascii_alphanumeric() || ".-+".contains(char);
        let is_version = text.len() <= 64 && text.chars().all(is_usual);
        Some(Self {
            text: is_version.then(|| text.to_owned())?,
            major: major.parse().ok()?,
        })
    }

    /// Whether webhooks can have a signing token; before, GitLab ignores it in silence.
    pub fn has_signing_tokens(&self) -> bool {
        self.major >= 19
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_only_parts_that_gitlab_accepts() {
        for (text, expected) in [
            ("42", true),
            ("group/app", true),
            ("a/b/c/_d.e-f", true),
            (".hidden/app", true),
            ("", false),
            ("/app", false),
            ("group/", false),
            ("group//app", false),
            (".", false),
            ("group/..", false),
            ("../../hooks", false),
            ("group/...", false),
            ("-group/app", false),
            ("group/app.git", false),
            ("group/app.atom", false),
            ("group/app+", false),
            ("group/äpp", false),
            ("group/app?x", false),
            ("group/%2e%2e", false),
            ("group/a b", false),
        ] {
            assert_eq!(ProjectRef::parse(text).is_some(), expected, "{text}");
        }
        assert!(ProjectRef::parse(&"a".repeat(1025)).is_none());
    }
}
