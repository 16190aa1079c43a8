//! The username of a GitLab account, as a setting names it. Owns what can be one. Users in bodies are in
//! [`participants`](super::participants).

use super::participants::Person;

/// The username of a GitLab account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GitLabUsername(String);

impl GitLabUsername {
    /// A username, with or without the `@` that GitLab's pages show.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let name = text.strip_prefix('@').unwrap_or(text);
        let may_contain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let is_name = (1..=255).contains(&name.len()) && name.bytes().all(may_contain);
        is_name.then(|| Self(name.to_owned())).ok_or(
            "expected the username of a GitLab account, such as webhook-bot, found another text",
        )
    }

    /// The username, without `@`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the username of this user. GitLab's usernames differ in more than case.
    pub(crate) fn is_of(&self, person: &Person) -> bool {
        let username = person.username.as_deref().unwrap_or_default();
        username.eq_ignore_ascii_case(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_has_the_characters_that_gitlab_allows() {
        for (text, is_name) in [
            ("webhook-bot", true),
            ("@webhook-bot", true),
            ("project_7_bot_0a1b", true),
            ("a.b", true),
            ("", false),
            ("@", false),
            ("@@bot", false),
            ("bot@example.org", false),
            ("web hook", false),
            ("böt", false),
            (&"x".repeat(256), false),
        ] {
            assert_eq!(GitLabUsername::parse(text).is_ok(), is_name, "{text}");
        }
    }

    #[test]
    fn nobody_without_a_username_is_meant() {
        let bot = GitLabUsername::parse("webhook-bot").expect("is a name");
        let person = |username: Option<&str>| Person {
            username: username.map(str::to_owned),
            name: Some("webhook-bot".to_owned()),
            ..Person::default()
        };
        assert!(bot.is_of(&person(Some("Webhook-Bot"))));
        assert!(!bot.is_of(&person(Some("webhook-bot2"))));
        assert!(!bot.is_of(&person(None)));
    }
}
