//! The settings of the commands that call GitLab's API: all errors at once, none of them with a secret.

use std::collections::BTreeMap;
use std::io;

use fakes::gitlab::SAMPLE_KEY;
use webhook_app::config::ConfigErrors;
use webhook_app::config::gitlab::{GitLabConfig, Secrets};

use crate::harness::Setting;

const VALID: [Setting<'_>; 6] = [
    ("GITLAB_URL", "https://gitlab.example.org"),
    ("GITLAB_API_TOKEN", "glpat-canary-of-the-api"),
    ("GITLAB_SIGNING_KEYS", SAMPLE_KEY),
    ("HOOKS", "- project: group/app"),
    ("WEBHOOK_URL", "https://webhooks.example.org/webhook"),
    ("ROCKETCHAT_RECIPIENT", "alice"),
];

/// Loads the valid settings with some changed; an empty value removes a setting.
fn load(
    changes: &[Setting<'_>],
    secrets: Secrets,
) -> Result<(GitLabConfig, Vec<String>), ConfigErrors> {
    let mut settings: BTreeMap<String, String> = VALID
        .iter()
        .chain(changes)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    settings.retain(|_, value| !value.is_empty());
    let read_file = |path: &str| match path {
        "/secrets/token" => Ok("glpat-canary-in-a-file\n".to_owned()),
        "/secrets/der" => Err(io::ErrorKind::InvalidData.into()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    GitLabConfig::load(&settings, &read_file, secrets)
}

fn errors(changes: &[Setting<'_>]) -> String {
    let errors = load(changes, Secrets::Required)
        .expect_err("is rejected")
        .errors;
    let errors = errors.join("\n");
    assert!(!errors.contains("canary"), "{errors}");
    errors
}

#[test]
fn no_setting_of_rocketchat_is_needed() {
    let (config, warnings) = load(&[], Secrets::Required).expect("is valid");
    assert_eq!(warnings, [""; 0]);
    assert!(!format!("{config:?}").contains("canary"));
    assert!(!format!("{config:?}").contains(SAMPLE_KEY));
    let listed = [
        ("HOOKS", "[{project: a/b, triggers: push}]"),
        ("ROCKETCHAT_RECIPIENT", ""),
    ];
    load(&listed, Secrets::Required).expect("needs no rules");
    let addressed = [
        (
            "HOOKS",
            "[{project: a/b, url: 'https://x.example.org/webhook'}]",
        ),
        ("WEBHOOK_URL", ""),
    ];
    load(&addressed, Secrets::Required).expect("needs no address");
    let from_file = [
        ("GITLAB_API_TOKEN", ""),
        ("GITLAB_API_TOKEN_FILE", "/secrets/token"),
    ];
    load(&from_file, Secrets::Required).expect("reads the file");
}

#[test]
fn the_address_of_gitlab_may_be_that_of_its_api_or_below_a_path() {
    for (given, expected) in [
        ("https://gitlab.example.org", "https://gitlab.example.org/"),
        (
            "https://gitlab.example.org/api/v4",
            "https://gitlab.example.org/",
        ),
        (
            "https://gitlab.example.org/api/v4/",
            "https://gitlab.example.org/",
        ),
        ("https://example.org/gitlab/", "https://example.org/gitlab"),
    ] {
        let (config, _) = load(&[("GITLAB_URL", given)], Secrets::Required).expect(given);
        assert_eq!(config.server.url.as_str(), expected);
    }
    for wrong in [
        "gitlab.example.org",
        "ftp://gitlab.example.org",
        "https://https://gitlab.example.org",
        "https://robin:canary@gitlab.example.org",
        "https://gitlab.example.org?private_token=canary",
    ] {
        let errors = errors(&[("GITLAB_URL", wrong)]);
        assert!(
            errors.starts_with("GITLAB_URL: expected an address"),
            "{errors}"
        );
    }
}

#[test]
fn all_errors_are_reported_together() {
    let none = VALID.map(|(name, _)| (name, ""));
    insta::assert_snapshot!(errors(&none), @r"
    GITLAB_URL: is not set; give the address of GitLab, such as https://gitlab.example.org
    GITLAB_API_TOKEN: is not set; create an access token in GitLab with the scope api, of an account that is Maintainer of the projects
    HOOKS: is not set; list the webhooks in YAML, such as `- project: group/app`
    WEBHOOK_URL: is not set; give the address of webhook-app, such as https://webhooks.example.org/webhook, or `url` in each entry of HOOKS
    ROCKETCHAT_RECIPIENT: is not set; give the user name that receives all messages, such as alice, or rules in ROUTES
    GITLAB_SIGNING_KEYS: is not set; give the signing keys of webhook-app, of which the first is written into webhooks, or its secret tokens in GITLAB_WEBHOOK_TOKENS
    ");
    let wrong = [
        ("GITLAB_URL", "gitlab"),
        ("GITLAB_API_TOKEN", "two canary words"),
        ("GITLAB_SIGNING_KEYS", "canary"),
        ("GITLAB_CA", "canary"),
        ("HOOKS", "- projekt: canary/app"),
        ("WEBHOOK_URL", "https://robin:canary@webhooks.example.org"),
    ];
    insta::assert_snapshot!(errors(&wrong), @r#"
    GITLAB_URL: expected an address that starts with https:// or http://, such as https://gitlab.example.org, without credentials, query or fragment, found "gitlab"
    GITLAB_API_TOKEN: expected visible ASCII characters without spaces; copy the token again
    GITLAB_CA: expected certificates in PEM format, which start with -----BEGIN CERTIFICATE-----, found no certificate in it
    HOOKS: line 1: there is no `projekt`; did you mean `project`?
    WEBHOOK_URL: expected the address at which webhook-app receives webhooks, such as https://webhooks.example.org/webhook, without credentials
    GITLAB_SIGNING_KEYS: value 1: expected a key that begins with whsec_; copy the signing token that GitLab was given, or set a secret token in GITLAB_WEBHOOK_TOKENS
    "#);
}

#[test]
fn what_the_declared_webhooks_lack_is_required() {
    for (changes, expected) in [
        (
            vec![("WEBHOOK_URL", "")],
            "WEBHOOK_URL: is not set; give the address of webhook-app",
        ),
        (
            vec![("ROCKETCHAT_RECIPIENT", "")],
            "ROCKETCHAT_RECIPIENT: is not set",
        ),
        (
            vec![("ROUTES", "rules: [{to: x}]"), ("ROCKETCHAT_RECIPIENT", "")],
            "ROUTES: line 1: ",
        ),
        (
            vec![("GITLAB_SIGNING_KEYS", "")],
            "GITLAB_SIGNING_KEYS: is not set; give the signing keys of webhook-app",
        ),
        (
            vec![("GITLAB_API_TOKEN", SAMPLE_KEY)],
            "GITLAB_API_TOKEN: expected an access token of GitLab, found a signing key",
        ),
        (
            vec![("GITLAB_CA_FILE", "/secrets/der")],
            "GITLAB_CA_FILE: is the path of a file that is not UTF-8, such as a DER certificate",
        ),
        (
            vec![("HOOKS", "/etc/hooks.yaml")],
            "HOOKS: the value looks like the path of a file; to read that file, set HOOKS_FILE instead",
        ),
    ] {
        let errors = errors(&changes);
        assert!(errors.starts_with(expected), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    for changes in [
        [
            ("GITLAB_SIGNING_KEYS", ""),
            ("ALLOW_UNAUTHENTICATED", "true"),
        ],
        [
            ("GITLAB_SIGNING_KEYS", ""),
            ("GITLAB_WEBHOOK_TOKENS", "canary-token-7c1f0f9e55e2"),
        ],
    ] {
        load(&changes, Secrets::Required).expect("has what is needed");
    }
    load(&[("GITLAB_SIGNING_KEYS", "")], Secrets::Optional).expect("only reads");
}

#[test]
fn doubtful_addresses_are_warnings() {
    for (change, expected) in [
        (
            ("GITLAB_URL", "http://gitlab.example.org"),
            "GITLAB_URL starts with http://, so GITLAB_API_TOKEN can be read on the way",
        ),
        (
            ("WEBHOOK_URL", "http://webhooks.example.org/webhook"),
            "WEBHOOK_URL starts with http://, so what GitLab sends can be read on the way",
        ),
        (
            ("WEBHOOK_URL", "https://webhooks.example.org"),
            "WEBHOOK_URL: has no path, so /webhook is added",
        ),
    ] {
        let (_, warnings) = load(&[change], Secrets::Required).expect("is valid");
        assert!(
            warnings.len() == 1 && warnings[0].starts_with(expected),
            "{warnings:?}"
        );
    }
}

#[test]
fn the_example_of_the_page_is_valid() {
    let page = include_str!("../../docs/hooks.md");
    let example = page.split("```yaml\n").nth(1).expect("has an example");
    let example = example.split("```").next().expect("ends");
    let (_, warnings) = load(&[("HOOKS", example)], Secrets::Required).expect("is valid");
    assert_eq!(warnings, [""; 0]);
}
