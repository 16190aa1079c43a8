//! Settings that the deploy job rejects, and the errors that it prints.

pub(super) const PUBLIC_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(super) const PUBLIC_TOKEN: &str = "canary-Tq7vXw2Lr9Ns4Kd8Hb3Zc6Yp1Mf5Jg0Ae-never-shown";

/// The changes to `CONFIG` and `SECRET`, and the texts that the output must contain.
pub(super) struct Rejected {
    pub(super) case: &'static str,
    pub(super) config: &'static [(&'static str, &'static str)],
    pub(super) secret: &'static [(&'static str, &'static str)],
    pub(super) says: &'static [&'static str],
}

pub(super) const REJECTED: &[Rejected] = &[
    Rejected {
        case: "the address of the folder",
        config: &[("ROCKETCHAT_URL", "https://chat.example.com")],
        secret: &[],
        says: &[
            "1 problem(s)",
            "data.ROCKETCHAT_URL: https://chat.example.com",
        ],
    },
    Rejected {
        case: "example.org",
        config: &[("ROCKETCHAT_URL", "https://chat.example.org")],
        secret: &[],
        says: &["chat.example.org"],
    },
    Rejected {
        case: "example.net",
        config: &[("ROCKETCHAT_URL", "https://EXAMPLE.net:8443")],
        secret: &[],
        says: &["EXAMPLE.net"],
    },
    Rejected {
        case: "the top-level domain",
        config: &[("ROCKETCHAT_URL", "http://chat.example")],
        secret: &[],
        says: &["chat.example is"],
    },
    Rejected {
        case: "an address for documentation",
        config: &[
            ("ROCKETCHAT_URL", "http://192.0.2.7:3000"),
            ("PROXY", "http://198.51.100.9"),
            ("NO_PROXY", "203.0.113.0/24"),
        ],
        secret: &[],
        says: &[
            "3 problem(s)",
            "192.0.2.7 is",
            "198.51.100.9 is",
            "203.0.113.0/24 is",
        ],
    },
    Rejected {
        case: "a name of the examples",
        config: &[("ROCKETCHAT_RECIPIENT", "@example-user")],
        secret: &[],
        says: &["1 problem(s)", "ROCKETCHAT_RECIPIENT: example-user is"],
    },
    Rejected {
        case: "an empty address",
        config: &[("ROCKETCHAT_URL", "")],
        secret: &[],
        says: &["expected a value for ROCKETCHAT_URL, found none"],
    },
    Rejected {
        case: "no recipient",
        config: &[("ROCKETCHAT_RECIPIENT", "")],
        secret: &[],
        says: &["expected a value for ROCKETCHAT_RECIPIENT or ROUTES, found none"],
    },
    Rejected {
        case: "a published key",
        config: &[],
        secret: &[("GITLAB_SIGNING_KEYS", PUBLIC_KEY)],
        says: &["Secret webhook-app-", "data.GITLAB_SIGNING_KEYS"],
    },
    Rejected {
        case: "a published key beside another",
        config: &[],
        secret: &[(
            "GITLAB_SIGNING_KEYS",
            "whsec_b25seSBmb3IgdGhlIHRlc3Qgb2YgdGhlIGRlcGxveSBqb2I=,whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        )],
        says: &["data.GITLAB_SIGNING_KEYS"],
    },
    Rejected {
        case: "a published token",
        config: &[],
        secret: &[("ROCKETCHAT_AUTH_TOKEN", PUBLIC_TOKEN)],
        says: &["data.ROCKETCHAT_AUTH_TOKEN"],
    },
    Rejected {
        case: "an incomplete Secret",
        config: &[],
        secret: &[("ROCKETCHAT_USER_ID", "")],
        says: &["expected a value for ROCKETCHAT_USER_ID, found none"],
    },
    Rejected {
        case: "a published key in the ConfigMap",
        config: &[("GITLAB_SIGNING_KEYS", PUBLIC_KEY)],
        secret: &[],
        says: &["ConfigMap webhook-app-", "data.GITLAB_SIGNING_KEYS"],
    },
    Rejected {
        case: "several at once",
        config: &[("ROCKETCHAT_URL", "")],
        secret: &[("GITLAB_SIGNING_KEYS", "")],
        says: &[
            "2 problem(s)",
            "ROCKETCHAT_URL",
            "GITLAB_SIGNING_KEYS or GITLAB_WEBHOOK_TOKENS",
        ],
    },
];
