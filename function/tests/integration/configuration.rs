//! Settings as operators give them: all errors are reported at once, and none contains a secret.

use std::collections::BTreeMap;
use std::io;

use webhook_app::config::catalogue::SETTINGS;
use webhook_app::config::{Config, ConfigErrors};
use webhook_app::gitlab::verification::Verifier;

use fakes::gitlab::SAMPLE_KEY;

fn valid() -> BTreeMap<String, String> {
    let settings = [
        ("GITLAB_SIGNING_KEYS", SAMPLE_KEY),
        ("ROCKETCHAT_URL", "https://chat.example.org"),
        ("ROCKETCHAT_USER_ID", "rbAXPnMktTFbNpwtJ"),
        ("ROCKETCHAT_AUTH_TOKEN", "canary-auth-token"),
        ("ROCKETCHAT_RECIPIENT", "alice"),
    ];
    settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// The valid settings with some changed; an empty value removes a setting.
fn with(changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut settings = valid();
    for (name, value) in changes {
        settings.insert((*name).to_owned(), (*value).to_owned());
        settings.retain(|_, value| !value.is_empty());
    }
    settings
}

fn read_file(path: &str) -> io::Result<String> {
    match path {
        "/secrets/key" => Ok(format!("{SAMPLE_KEY}\n")),
        "/secrets/empty" => Ok(" \n".to_owned()),
        "/secrets/line" => Ok("first-canary-half,second-canary-half\n".to_owned()),
        "/secrets/words" => Ok("one canary, two words\n".to_owned()),
        "/secrets/only-a-mark" => Ok("\u{feff}\n".to_owned()),
        "/secrets/marked" => Ok("\u{feff}https://chat.example.org\r\n".to_owned()),
        "/secrets/utf16" => Err(io::ErrorKind::InvalidData.into()),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

fn load(settings: &BTreeMap<String, String>) -> Result<(Config, Vec<String>), ConfigErrors> {
    Config::load(settings, &read_file)
}

fn errors(changes: &[(&str, &str)]) -> Vec<String> {
    load(&with(changes))
        .map(|_| ())
        .expect_err("is rejected")
        .errors
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let (config, warnings) = load(&valid()).expect("is valid");
    assert_eq!((config.port, config.metrics_port), (8080, None));
    assert!(matches!(config.verifier, Verifier::Signature(keys) if keys.len() == 1));
    assert_eq!(config.delivery_timeout.as_secs(), 5);
    assert_eq!(config.lame_duck.as_secs(), 5);
    assert_eq!(config.idle_timeout.as_secs(), 75);
    assert!(!config.accept_missing_key);
    assert_eq!(
        config.telemetry.log_level,
        tracing::level_filters::LevelFilter::INFO
    );
    assert_eq!(warnings, [""; 0]);
    for (service, lame_duck) in [("webhook-app", 0), (" ", 5), ("", 5)] {
        let mut settings = valid();
        settings.insert("K_SERVICE".to_owned(), service.to_owned());
        let (config, _) = load(&settings).expect("is valid");
        assert_eq!(config.lame_duck.as_secs(), lame_duck, "{service:?}");
        assert_eq!(config.checks_sign_in, lame_duck > 0, "{service:?}");
    }
}

#[test]
fn all_missing_settings_are_reported_at_once() {
    let errors = load(&BTreeMap::new()).map(|_| ()).expect_err("is rejected");
    insta::assert_snapshot!(errors, @r#"
        - GITLAB_SIGNING_KEYS: is not set; give the signing token of the webhook in GitLab (19.0 and later), or its secret token in GITLAB_WEBHOOK_TOKENS, or for testing only set ALLOW_UNAUTHENTICATED=true
        - ROCKETCHAT_URL: is not set; give the address of your chat server, such as https://chat.example.org
        - ROCKETCHAT_USER_ID: is not set; give the user ID that Rocket.Chat shows with a new personal access token
        - ROCKETCHAT_AUTH_TOKEN: is not set; create a personal access token for the bot in Rocket.Chat
        - ROCKETCHAT_RECIPIENT: is not set; give the user name that receives all messages, such as alice, or rules in ROUTES
        "#);
}

#[test]
fn an_invalid_value_is_reported_with_what_was_expected() {
    let cases = [
        ("PORT", "http", "an integer from 0 to 65535"),
        ("PORT", "65536", "an integer from 0 to 65535"),
        ("METRICS_PORT", "8080", "a port other than PORT"),
        (
            "GITLAB_SIGNING_KEYS",
            "secret",
            "value 1: expected a key that begins with whsec_",
        ),
        ("GITLAB_SIGNING_KEYS", "whsec_!!!", "standard base64"),
        (
            "GITLAB_SIGNING_KEYS",
            "whsec_",
            "24 to 64 bytes after whsec_, found 0",
        ),
        ("ACCEPT_TOKEN_TOO", "yes", "one of true, false"),
        (
            "ALLOW_UNAUTHENTICATED",
            "true",
            "keys or tokens are set too",
        ),
        ("GITLAB_WEBHOOK_TOKENS", "secret", "would have no effect"),
        ("ROCKETCHAT_URL", "chat.example.org", "https://"),
        ("ROCKETCHAT_URL", "ftp://chat.example.org", "https://"),
        (
            "ROCKETCHAT_URL",
            "https://me:canary@chat.example.org",
            "without credentials",
        ),
        (
            "ROCKETCHAT_URL",
            "https://https://chat.example.org",
            "found two; remove one",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://https://collector:4318",
            "found two; remove one",
        ),
        (
            "ROCKETCHAT_USER_ID",
            "a b",
            "a user ID of visible ASCII characters",
        ),
        ("ROCKETCHAT_AUTH_TOKEN", "canary token", "visible ASCII"),
        ("ROCKETCHAT_RECIPIENT", "#general", "one user name"),
        ("ROUTES", "rules: x", "line 1: expected a list of rules"),
        ("MESSAGES", "{{ canary", "syntax error"),
        ("LIVE_PIPELINES", "maybe", "one of true, false"),
        ("ACCEPT_CLOUDEVENTS", "maybe", "one of true, false"),
        (
            "ROCKETCHAT_CA",
            "no certificate",
            "-----BEGIN CERTIFICATE-----",
        ),
        ("DELIVERY_TIMEOUT_SECONDS", "10", "from 1 to 9"),
        ("DELIVERY_TIMEOUT_SECONDS", "0", "from 1 to 9"),
        ("IDLE_TIMEOUT_SECONDS", "0", "from 1 to 7200"),
        ("IDLE_TIMEOUT_SECONDS", "7201", "from 1 to 7200"),
        ("LAME_DUCK_SECONDS", "-1", "from 0 to 60"),
        (
            "LOG_LEVEL",
            "loud",
            "one of off, error, warn, info, debug, trace",
        ),
        ("LOG_FORMAT", "xml", "one of json, pretty"),
    ];
    for (name, value, expected) in cases {
        let errors = errors(&[(name, value)]).join("\n");
        assert!(
            errors.starts_with(&format!("{name}: ")),
            "{name}={value}: {errors}"
        );
        assert!(errors.contains(expected), "{name}={value}: {errors}");
        assert!(!errors.contains("canary"), "{name}={value}: {errors}");
    }
}

#[test]
fn up_to_four_signing_keys_are_accepted() {
    let keys = |count: usize| vec![SAMPLE_KEY; count].join(",");
    let count = |value: &str| match load(&with(&[("GITLAB_SIGNING_KEYS", value)])) {
        Ok((
            Config {
                verifier: Verifier::Signature(keys),
                ..
            },
            _,
        )) => Ok(keys.len()),
        Ok(_) => panic!("not signatures"),
        Err(error) => Err(error.to_string()),
    };
    assert_eq!(count(&keys(4)), Ok(4));
    assert_eq!(count(&format!("{SAMPLE_KEY}\n\n{SAMPLE_KEY},\n")), Ok(2));
    assert!(
        count(&keys(5))
            .expect_err("is rejected")
            .contains("at most 4 values, found 5")
    );
}

#[test]
fn a_setting_can_be_read_from_a_file() {
    let file = |path| {
        [
            ("GITLAB_SIGNING_KEYS", ""),
            ("GITLAB_SIGNING_KEYS_FILE", path),
        ]
    };
    assert!(load(&with(&file("/secrets/key"))).is_ok());
    let missing = errors(&file("/secrets/missing"));
    assert!(
        missing[0]
            .starts_with("GITLAB_SIGNING_KEYS_FILE: is the path of a file that cannot be read"),
        "{missing:?}"
    );
    let empty = errors(&file("/secrets/empty"));
    assert!(
        empty[0].contains("is the path of an empty file"),
        "{empty:?}"
    );
    let both = errors(&[("GITLAB_SIGNING_KEYS_FILE", "/secrets/key")]);
    assert!(
        both[0].contains("is set, and GITLAB_SIGNING_KEYS_FILE is set too"),
        "{both:?}"
    );
}

#[test]
fn an_unreadable_setting_is_not_also_reported_as_missing() {
    let errors = errors(&[("ROCKETCHAT_URL", ""), ("ROCKETCHAT_URL_FILE", "/nowhere")]);
    assert_eq!(errors.len(), 1, "{errors:?}");
}

/// The warnings about names.
fn misspelled(settings: &BTreeMap<String, String>) -> String {
    let warnings = match load(settings) {
        Ok((_, warnings)) => warnings,
        Err(found) => found.warnings,
    };
    let mut names = warnings.into_iter();
    names
        .find(|warning| warning.contains("is not a setting"))
        .unwrap_or_default()
}

#[test]
fn an_unknown_name_that_resembles_a_setting_is_a_warning() {
    let warnings = |name| load(&with(&[(name, "x")])).expect("is valid").1.join("\n");
    let nearest = [
        ("ROCKETCHAT_RECIPIENTS", "ROCKETCHAT_RECIPIENT"),
        ("ROCKETCHAT_USERID", "ROCKETCHAT_USER_ID"),
        ("GITLAB_SIGNING_KEY", "GITLAB_SIGNING_KEYS"),
        ("GITLAB_WEBHOOK_TOKEN_FILE", "GITLAB_WEBHOOK_TOKENS_FILE"),
        ("GITLAB_WEBHOOK_SECRET", "GITLAB_WEBHOOK_TOKENS"),
        ("GITLAB_SIGNING_TOKEN", "GITLAB_SIGNING_KEYS"),
        ("ROCKETCHAT_TOKEN", "ROCKETCHAT_AUTH_TOKEN"),
        ("ROCKETCHAT_USER", "ROCKETCHAT_USER_ID"),
        ("ROCKETCHAT_SERVER", "ROCKETCHAT_URL"),
        ("ROCKETCHAT_CA_CERT", "ROCKETCHAT_CA"),
        ("ROUTES_YAML", "ROUTES"),
        ("METRICS_PROT", "METRICS_PORT"),
        ("MESSAGE_SECRET", "MESSAGE_ID_SECRET"),
        ("LOG_LVL", "LOG_LEVEL"),
        ("DELIVERY_TIMEOUT", "DELIVERY_TIMEOUT_SECONDS"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("ROCKET_CHAT_URL", "ROCKETCHAT_URL"),
        ("rocketchat_url", "ROCKETCHAT_URL"),
        ("ROCKETCHAT_USERNAME", "ROCKETCHAT_USER_ID"),
        ("ROCKETCHAT_PROXY", "HTTPS_PROXY"),
        ("ROCKETCHAT_HTTP_PROXY", "HTTP_PROXY"),
    ];
    for (name, setting) in nearest {
        let warnings = warnings(name);
        assert!(
            warnings.contains(name) && warnings.contains(&format!("{setting}?")),
            "{name}: {warnings}"
        );
    }
    for unlike in ["ROCKETCHAT_COLOUR", "ACCEPT_EVERYTHING"] {
        let warnings = warnings(unlike);
        assert!(
            warnings.ends_with("has no effect; see webhook-app --help"),
            "{warnings}"
        );
    }
    for ignored in [
        "PATH",
        "ROCKETCHAT_SERVICE_HOST",
        "ROCKETCHAT_PORT_3000_TCP_ADDR",
        "ROCKETCHAT_PORT",
        "https_proxy",
        "no_proxy_FILE",
        "HTTP_PORT",
    ] {
        let settings = with(&[(ignored, "tcp://10.0.0.1:80")]);
        let warnings = misspelled(&settings);
        assert_eq!(warnings, "", "{ignored}");
    }
    let port = [("HTTP_PORT", "8080")];
    assert!(misspelled(&with(&port)).ends_with("did you mean PORT?"));
    assert_eq!(misspelled(&with(&[port[0], ("PORT", "9000")])), "");
}

#[test]
fn a_typing_error_in_any_name_and_another_word_for_a_setting_are_warnings() {
    let nearest = [
        ("MESAGES", "MESSAGES"),
        ("ESSAGES_FILE", "MESSAGES_FILE"),
        ("LIFE_PIPELINES", "LIVE_PIPELINES"),
        ("METRIC_PORT", "METRICS_PORT"),
        ("METRICPORT", "METRICS_PORT"),
        ("ACEPT_CLOUDEVENTS", "ACCEPT_CLOUDEVENTS"),
        ("DELIVER_TIMEOUT_SECONDS", "DELIVERY_TIMEOUT_SECONDS"),
        ("ROUTE", "ROUTES"),
        ("ROUTE_FILE", "ROUTES_FILE"),
        ("HTTPS_PROXI", "HTTPS_PROXY"),
        ("OTEL_SDK_DISABLE", "OTEL_SDK_DISABLED"),
        ("OTEL_TRACE_EXPORTER", "OTEL_TRACES_EXPORTER"),
        ("OTEL_EXPORTER_OTLP_ENDPONT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_HEADER", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("OTEL_TRACES_SAMPLERS", "OTEL_TRACES_SAMPLER"),
        ("ROCKTCHAT_CA", "ROCKETCHAT_CA"),
        ("RULES", "ROUTES"),
        ("TEMPLATES", "MESSAGES"),
        ("TEMPLATE_FILE", "MESSAGES_FILE"),
        ("ROCKET_CHAT_TOKEN", "ROCKETCHAT_AUTH_TOKEN"),
    ];
    for (name, setting) in nearest {
        let warnings = misspelled(&with(&[(name, "9090")]));
        let expected =
            format!("{name} is not a setting and has no effect; did you mean {setting}?");
        assert_eq!(warnings, expected);
    }
    // With the setting, the other word is probably meant for another program.
    let both = [("TEMPLATES", "x"), ("MESSAGES", "{{ default_message }}")];
    assert_eq!(misspelled(&with(&both)), "");
}

#[test]
fn usual_variables_of_other_programs_cause_no_warning() {
    const USUAL: &str = "PATH HOME HOSTNAME PWD OLDPWD SHLVL TERM USER USERNAME LOGNAME SHELL LANG LANGUAGE LC_ALL TZ _ \
        TMPDIR TEMP EDITOR PAGER MAIL DISPLAY COLUMNS LINES COLORTERM XDG_RUNTIME_DIR SSH_AUTH_SOCK HOSTTYPE \
        container INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET LISTEN_FDS LISTEN_PID SYSTEMD_EXEC_PID \
        KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS KUBERNETES_PORT \
        KUBERNETES_PORT_443_TCP KUBERNETES_PORT_443_TCP_ADDR ROCKET_CHAT_SERVICE_HOST ROCKET_CHAT_PORT \
        ROCKET_CHAT_PORT_80_TCP METRIC_SERVICE_HOST METRIC_PORT METRIC_PORT_80_TCP ROUTE_SERVICE_HOST ROUTE_PORT \
        MESSAGE_SERVICE_PORT LOG_SERVICE_HOST POD_NAME POD_IP POD_NAMESPACE NODE_NAME NAMESPACE HOST_IP \
        K_SERVICE K_REVISION K_CONFIGURATION FUNCTION_TARGET FUNCTION_NAME AWS_REGION AWS_LAMBDA_FUNCTION_NAME \
        AWS_LAMBDA_RUNTIME_API AWS_SESSION_TOKEN LAMBDA_TASK_ROOT _HANDLER DYNO HEROKU_APP_NAME \
        RUST_LOG RUST_BACKTRACE CARGO_HOME RUSTUP_HOME SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS GOPROXY \
        FTP_PROXY ftp_proxy RSYNC_PROXY NPM_PROXY NODE_PROXY APT_PROXY NO_COLOR FORCE_COLOR CLICOLOR DEBUG ENV \
        CI CI_JOB_TOKEN CI_SERVER_URL GITLAB_CI GITLAB_USER_ID GITLAB_USER_EMAIL GITLAB_FEATURES NPM_TOKEN \
        ROUTER ROUTERS POST PART PORTS HOST MESSENGER MESSENGERS LOGS ROOT_URL APP_NAME APP_ENV SECRET_KEY \
        OTEL_RESOURCE_ATTRIBUTES OTEL_LOGS_EXPORTER OTEL_LOG_LEVEL OTEL_PROPAGATORS OTEL_CONFIG_FILE \
        OTEL_EXPORTER_OTLP_INSECURE OTEL_EXPORTER_OTLP_METRICS_ENDPOINT OTEL_EXPORTER_OTLP_METRICS_HEADERS \
        OTEL_EXPORTER_OTLP_METRICS_PROTOCOL OTEL_EXPORTER_OTLP_LOGS_ENDPOINT OTEL_EXPORTER_OTLP_LOGS_HEADERS \
        OTEL_EXPORTER_OTLP_LOGS_PROTOCOL OTEL_EXPORTER_OTLP_TIMEOUT OTEL_EXPORTER_OTLP_TRACES_TIMEOUT \
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION OTEL_EXPORTER_PROMETHEUS_PORT \
        OTEL_BSP_SCHEDULE_DELAY OTEL_BSP_MAX_QUEUE_SIZE OTEL_METRIC_EXPORT_INTERVAL OTEL_METRIC_EXPORT_TIMEOUT \
        OTEL_METRICS_EXEMPLAR_FILTER OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT OTEL_ATTRIBUTE_COUNT_LIMIT \
        OTEL_SEMCONV_STABILITY_OPT_IN OTEL_NODE_RESOURCE_DETECTORS OTEL_SERVICE_VERSION";
    for name in USUAL.split_whitespace() {
        let (_, warnings) = load(&with(&[(name, "tcp://10.0.0.1:80")])).expect("is valid");
        let warnings: Vec<_> = warnings
            .iter()
            .filter(|warning| warning.contains("is not a setting"))
            .collect();
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
    }
}

#[test]
fn debug_output_of_the_settings_shows_no_secret() {
    let token_mode = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", "canary-token"),
    ];
    for settings in [valid(), with(&token_mode)] {
        let (config, _) = load(&settings).expect("is valid");
        let printed = format!("{config:?}");
        assert!(
            !printed.contains("canary") && !printed.contains(&SAMPLE_KEY[6..]),
            "{printed}"
        );
    }
}

#[test]
fn the_program_exits_with_64_and_lists_all_errors() {
    let settings = BTreeMap::from([("PORT".to_owned(), "x".to_owned())]);
    let output = crate::harness::program(&settings).output().expect("runs");
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(output.stdout, b"");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("invalid configuration: 6 errors"), "{error}");
    assert!(error.contains("- PORT: expected"), "{error}");
}

#[test]
fn the_help_lists_every_setting() {
    let output = crate::harness::program(&BTreeMap::new())
        .arg("--help")
        .output()
        .expect("runs");
    let help = String::from_utf8_lossy(&output.stdout);
    for setting in SETTINGS {
        assert!(
            help.contains(&format!("\n  {} ", setting.name)),
            "{}: {help}",
            setting.name
        );
    }
}

#[test]
fn routes_and_recipient_exclude_each_other() {
    let rules = "rules: [{to: '@alice'}]";
    let errors = errors(&[("ROUTES", rules)]).join("\n");
    assert_eq!(
        errors,
        "ROCKETCHAT_RECIPIENT: is set, and ROUTES is set too; remove either"
    );
    assert!(load(&with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)])).is_ok());
}

#[test]
fn fixes_cannot_be_combined_with_live_pipelines() {
    let rules = "rules:\n- event: pipeline\n  status: [failed, fixed]\n  to: '@alice'\n";
    let routes = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)];
    assert!(load(&with(&routes)).is_ok());
    let errors = errors(&[routes[0], routes[1], ("LIVE_PIPELINES", "true")]).join("\n");
    assert!(
        errors.starts_with("ROUTES: line 3: `fixed` cannot be combined with LIVE_PIPELINES"),
        "{errors}"
    );
}

#[test]
fn a_template_must_link_to_the_pipeline_with_live_pipelines() {
    let live = ("LIVE_PIPELINES", "true");
    let errors = errors(&[live, ("MESSAGES", "pipeline: '{{ status }}'")]).join("\n");
    assert!(
        errors.contains("expected {{ page }}, {{ headline }} or {{ default_message }}"),
        "{errors}"
    );
    for linked in ["{{ page }} {{ status }}", "{{ headline }}"] {
        let template = format!("pipeline: '{linked}'");
        let loaded = load(&with(&[live, ("MESSAGES", &template)]));
        assert!(loaded.is_ok(), "{linked}");
    }
}

#[test]
fn credentials_that_are_sent_without_encryption_cause_a_warning() {
    const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const HEADERS: (&str, &str) = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary");
    let remote = (COLLECTOR, "http://collector.example.org:4318");
    let cases: [(&[(&str, &str)], &str); 6] = [
        (
            &[("ROCKETCHAT_URL", "http://chat.example.org")],
            "ROCKETCHAT_URL",
        ),
        (&[("ROCKETCHAT_URL", "http://rocketchat.chat.svc:3000")], ""),
        (&[remote, HEADERS], COLLECTOR),
        (&[remote], ""),
        (&[(COLLECTOR, "http://collector:4318"), HEADERS], ""),
        (&[(COLLECTOR, "https://collector.example.org"), HEADERS], ""),
    ];
    for (settings, expected) in cases {
        let (_, warnings) = load(&with(settings)).expect("is valid");
        let text = warnings.join("\n");
        assert!(!text.contains("canary"), "{text}");
        assert!(text.starts_with(expected), "{settings:?}: {text}");
        assert_eq!(warnings.len(), usize::from(!expected.is_empty()), "{text}");
    }
}

/// The number of tokens, and the warnings.
fn tokens(name: &str, value: &str) -> (usize, String) {
    let (config, warnings) =
        load(&with(&[("GITLAB_SIGNING_KEYS", ""), (name, value)])).expect("is valid");
    let Verifier::Token(tokens) = config.verifier else {
        panic!("not tokens");
    };
    let warnings = warnings.join("\n");
    assert!(!warnings.contains("canary"), "{warnings}");
    (tokens.len(), warnings)
}

#[test]
fn a_token_can_contain_a_comma_on_its_own_line() {
    let (one, two) = ("first-canary-token", "second-canary-token");
    let cases = [
        ("a list on one line", format!("{one},{two}"), 2),
        ("a list of lines", format!("{one}\n{two}\n"), 2),
        (
            "lines that end with a comma",
            format!("{one},\n{two},\n"),
            2,
        ),
    ];
    for (case, value, count) in cases {
        let found = tokens("GITLAB_WEBHOOK_TOKENS", &value);
        assert_eq!(found, (count, String::new()), "{case}");
    }
    let (count, warnings) = tokens("GITLAB_WEBHOOK_TOKENS", &format!("{one},{two}\n{one}"));
    assert_eq!(count, 2, "a token with a comma");
    assert!(warnings.contains("part of that value"), "{warnings}");
    // A list that cannot be one token is a list.
    let spaced = format!("{one}, {two}\n");
    assert_eq!(tokens("GITLAB_WEBHOOK_TOKENS", &spaced), (2, String::new()));
    let five = [one; 5].join(",") + "\n";
    let many = errors(&[("GITLAB_WEBHOOK_TOKENS", &five)]).join("\n");
    assert!(
        many.contains("expected at most 4 values, found 5"),
        "{many}"
    );
    // One line is ambiguous, so the list and the line are accepted.
    let (count, warnings) = tokens("GITLAB_WEBHOOK_TOKENS_FILE", "/secrets/line");
    assert_eq!(count, 3);
    assert!(warnings.contains("the line contains a comma"), "{warnings}");
}

#[test]
fn a_token_can_contain_spaces_unless_it_may_be_a_list() {
    let (one, two) = ("first canary token", "second canary token");
    let cases = [
        ("one value", one.to_owned(), 1),
        ("with spaces around it", format!("  {one} "), 1),
        ("a list of lines", format!("{one}\n{two}"), 2),
        ("commas on several lines", format!("{one},\n{two},\n"), 2),
        ("one line with a comma", format!("{one}, {two}\n"), 1),
        (
            "letters with marks",
            "kanarienvögel-töten-canary".to_owned(),
            1,
        ),
    ];
    for (case, value, count) in cases {
        let found = tokens("GITLAB_WEBHOOK_TOKENS", &value);
        assert_eq!(found, (count, String::new()), "{case}");
    }
    let file = tokens("GITLAB_WEBHOOK_TOKENS_FILE", "/secrets/words");
    assert_eq!(file, (1, String::new()));
    for (value, expected) in [
        (format!("{one}, {two}"), "it may be a list or one value"),
        (
            "canary\u{1}token".to_owned(),
            "value 1: expected a token without control characters",
        ),
    ] {
        let errors = errors(&[
            ("GITLAB_SIGNING_KEYS", ""),
            ("GITLAB_WEBHOOK_TOKENS", &value),
        ]);
        let errors = errors.join("\n");
        assert!(errors.contains(expected), "{errors}");
        assert!(!errors.contains("canary"), "{errors}");
    }
}

#[test]
fn a_file_with_only_a_byte_order_mark_is_no_value() {
    for name in ["ROCKETCHAT_AUTH_TOKEN_FILE", "GITLAB_WEBHOOK_TOKENS_FILE"] {
        let variable = name.trim_end_matches("_FILE");
        let errors = errors(&[(name, "/secrets/only-a-mark"), (variable, "")]).join("\n");
        assert!(errors.contains("nothing but a byte order mark"), "{errors}");
    }
}

#[test]
fn a_doubtful_secret_is_a_warning_that_says_what_to_do() {
    let cases = [
        ("short-canary", "value 1 has fewer than 16 characters"),
        ("whsec_canary-canary", "set it in GITLAB_SIGNING_KEYS"),
        ("'canary-canary-canary'", "value 1 is in quotes"),
        ("\"canary-canary-one,canary-canary-two\"", "is in quotes"),
        ("/run/secrets/canary-token", "looks like the path of a file"),
    ];
    for (value, expected) in cases {
        let (_, warnings) = tokens("GITLAB_WEBHOOK_TOKENS", value);
        assert!(warnings.contains(expected), "{value}: {warnings}");
    }
    let (_, warnings) = load(&with(&[("ROCKETCHAT_AUTH_TOKEN", "\"canary\"")])).expect("is valid");
    let warnings = warnings.join("\n");
    assert!(
        warnings.starts_with("ROCKETCHAT_AUTH_TOKEN: the value is in quotes"),
        "{warnings}"
    );
    assert!(!warnings.contains("canary"), "{warnings}");
}

#[test]
fn a_value_that_is_given_in_a_wrong_form_is_explained() {
    let cases = [
        (
            "ROCKETCHAT_URL",
            "\"https://chat.example.org\"",
            "is in quotes, which belong to it; remove them",
        ),
        (
            "GITLAB_SIGNING_KEYS",
            "'canary'",
            "value 1: expected a key that begins with whsec_",
        ),
        ("GITLAB_SIGNING_KEYS", "'canary'", "is in quotes"),
        (
            "GITLAB_SIGNING_KEYS",
            "canary",
            "a secret token in GITLAB_WEBHOOK_TOKENS",
        ),
        (
            "GITLAB_SIGNING_KEYS",
            "/run/canary",
            "set GITLAB_SIGNING_KEYS_FILE instead",
        ),
        (
            "ROCKETCHAT_CA",
            "/canary.pem",
            "set ROCKETCHAT_CA_FILE instead",
        ),
        ("ROCKETCHAT_USER_ID_FILE", "/secrets/line", "is set too"),
        ("PORT", "'8080'", "found \"'8080'\"; the value is in quotes"),
    ];
    for (name, value, expected) in cases {
        let errors = errors(&[(name, value)]).join("\n");
        assert!(errors.contains(expected), "{name}: {errors}");
        assert!(!errors.contains("canary"), "{name}: {errors}");
    }
    let path = [
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", "/canary/routes.yaml"),
    ];
    assert_eq!(
        errors(&path),
        [
            "ROUTES: the value looks like the path of a file; to read that file, set ROUTES_FILE instead"
        ]
    );
}

#[test]
fn a_path_in_messages_does_not_become_the_text_of_every_message() {
    for path in [
        "/etc/messages.yaml",
        "\"/etc/messages.yaml\"",
        "./messages",
        "messages.yaml",
    ] {
        assert_eq!(
            errors(&[("MESSAGES", path)]),
            [
                "MESSAGES: the value looks like the path of a file; to read that file, set MESSAGES_FILE instead"
            ],
            "{path}"
        );
    }
    assert!(load(&with(&[("MESSAGES", "/{{default_message}}")])).is_ok());
}

#[test]
fn a_byte_order_mark_is_ignored_with_a_warning() {
    let file = |path| [("ROCKETCHAT_URL", ""), ("ROCKETCHAT_URL_FILE", path)];
    let (config, warnings) = load(&with(&file("/secrets/marked"))).expect("is valid");
    assert_eq!(config.rocketchat.url.as_str(), "https://chat.example.org/");
    assert!(
        warnings[0].contains("begins with a byte order mark"),
        "{warnings:?}"
    );
    let errors = errors(&file("/secrets/utf16")).join("\n");
    assert!(
        errors.contains("is not UTF-8; save it as UTF-8"),
        "{errors}"
    );
}

#[test]
fn a_private_key_or_a_der_certificate_in_rocketchat_ca_is_explained() {
    let key = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----";
    for (name, value, expected) in [
        (
            "ROCKETCHAT_CA",
            key,
            "found a private key; remove it from here",
        ),
        (
            "ROCKETCHAT_CA_FILE",
            "/secrets/utf16",
            "with `openssl x509 -inform der",
        ),
    ] {
        let errors = errors(&[(name, value)]).join("\n");
        assert!(errors.contains(expected), "{name}: {errors}");
        assert!(!errors.contains("canary"), "{name}: {errors}");
    }
}

#[test]
fn a_wrong_value_is_shown_with_a_suggestion_unless_it_may_be_a_secret() {
    let shown = [
        ("PORT", "http", "found \"http\""),
        (
            "LOG_LEVEL",
            "warning",
            "found \"warning\"; did you mean warn?",
        ),
        ("LIVE_PIPELINES", "yes", "found \"yes\"; did you mean true?"),
        (
            "MESSAGE_STYLE",
            "sings",
            "expected one of signs, plain, found \"sings\"; did you mean signs?",
        ),
        ("MESSAGE_STYLE", "plian", "did you mean plain?"),
        ("LOG_FORMAT", "jsno", "found \"jsno\"; did you mean json?"),
        (
            "ROCKETCHAT_URL",
            "chat.example.org",
            "found \"chat.example.org\"",
        ),
        (
            "LOG_FORMAT",
            "structured-json-lines",
            "found \"structured-json-lines\"",
        ),
        (
            "LOG_LEVEL",
            "\u{1b}[31m\u{202e}x",
            r#"found "\u{1b}[31m\u{202e}x""#,
        ),
    ];
    for (name, value, expected) in shown {
        let errors = errors(&[(name, value)]).join("\n");
        assert!(errors.contains(expected), "{name}: {errors}");
    }
    let hidden = [
        ("ROCKETCHAT_URL", "me:canary@chat.example.org"),
        ("ROCKETCHAT_URL", "ftp://chat.example.org?token=canary"),
        ("ROCKETCHAT_USER_ID", "canary with a space"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://robin:canary@collector:4318",
        ),
        ("HTTP_PROXY", "http://robin:canary%40proxy.example.org:3128"),
        ("LOG_LEVEL", "glpat-Ab1.canary"),
        // Credentials without the host.
        ("HTTPS_PROXY", "robin:canary"),
        ("http_proxy", "robin:canary"),
        // The value of another setting.
        ("PORT", "canary-auth-token"),
        ("LOG_LEVEL", "x-canary-auth-token"),
        ("LOG_LEVEL", "whsec_canary"),
        ("LOG_FORMAT", "canaryA9x0bQ4Tz7LmW2"),
    ];
    for (name, value) in hidden {
        let errors = errors(&[(name, value)]).join("\n");
        assert!(!errors.contains("canary"), "{name}: {errors}");
    }
}

#[test]
fn telemetry_that_cannot_be_served_is_a_warning() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    // The setting, whether metrics and traces remain, and the warning.
    let cases = [
        (
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            (true, false),
            "is grpc, which",
        ),
        (
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            (true, true),
            "http/protobuf is used",
        ),
        (
            ("OTEL_METRICS_EXPORTER", "otlp"),
            (true, true),
            "served at /metrics",
        ),
        (
            ("OTEL_METRICS_EXPORTER", "console"),
            (true, true),
            "served at /metrics",
        ),
        (
            ("OTEL_METRICS_EXPORTER", "prometheus, otlp"),
            (true, true),
            "served at /metrics",
        ),
        (("OTEL_METRICS_EXPORTER", "none"), (false, true), ""),
        (("OTEL_SDK_DISABLED", "TRUE"), (false, false), ""),
        (("OTEL_SDK_DISABLED", "false"), (true, true), ""),
        (
            ("OTEL_SDK_DISABLED", "1"),
            (true, true),
            "neither true nor false",
        ),
    ];
    for (setting, remaining, expected) in cases {
        let (config, warnings) = load(&with(&[endpoint, setting])).expect("is valid");
        let telemetry = config.telemetry;
        assert_eq!(
            (telemetry.metrics, telemetry.traces.is_some()),
            remaining,
            "{setting:?}"
        );
        let warnings = warnings.join("\n");
        assert!(warnings.contains(expected), "{setting:?}: {warnings}");
        assert_eq!(
            warnings.is_empty(),
            expected.is_empty(),
            "{setting:?}: {warnings}"
        );
    }
}

#[test]
fn a_wrong_setting_of_the_collector_that_nothing_reads_does_not_stop_the_process() {
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
    const GRPC: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    const DISABLED: (&str, &str) = ("OTEL_SDK_DISABLED", "true");
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[GRPC, (ENDPOINT, "collector:4317")], "is grpc, which"),
        (
            &[GRPC, (ENDPOINT, "unix:///run/collector")],
            "is grpc, which",
        ),
        (
            &[GRPC, (ENDPOINT, "collector:4317"), (HEADERS, "canary")],
            "is grpc, which",
        ),
        (&[DISABLED, (ENDPOINT, "collector:4317")], ""),
        (
            &[
                DISABLED,
                (ENDPOINT, "http://collector:4318"),
                (HEADERS, "canary"),
            ],
            "",
        ),
        (
            &[
                ("OTEL_TRACES_EXPORTER", "none"),
                (ENDPOINT, "collector:4317"),
            ],
            "",
        ),
        (&[("OTEL_TRACES_EXPORTER", "none"), (HEADERS, "canary")], ""),
        (
            &[(HEADERS, "canary")],
            "OTEL_EXPORTER_OTLP_HEADERS: has no effect: expected name=value",
        ),
        (
            &[
                (ENDPOINT, "collector:4317"),
                (TRACES_ENDPOINT, "http://collector:4318/v1/traces"),
            ],
            "OTEL_EXPORTER_OTLP_ENDPOINT: has no effect: expected the address",
        ),
    ];
    for (settings, expected) in cases {
        let (_, warnings) = load(&with(settings)).expect("is valid");
        let warnings = warnings.join("\n");
        assert!(!warnings.contains("canary"), "{settings:?}: {warnings}");
        assert!(warnings.contains(expected), "{settings:?}: {warnings}");
        assert_eq!(
            warnings.lines().count(),
            usize::from(!expected.is_empty()),
            "{settings:?}: {warnings}"
        );
    }
    let read = [(ENDPOINT, "collector:4317"), (HEADERS, "canary")];
    assert_eq!(errors(&read).len(), 2);
}

#[test]
fn an_address_of_a_collector_that_spans_cannot_be_posted_to_is_a_warning() {
    for (name, address, expected) in [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://collector:4318/v1/traces",
            "ends with /v1/traces, which is appended once more",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://collector:4318",
            "has no path and is used unchanged",
        ),
    ] {
        let (_, warnings) = load(&with(&[(name, address)])).expect("is valid");
        assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        let start = format!("{name}: {expected}");
        assert!(warnings[0].starts_with(&start), "{warnings:?}");
    }
}

#[test]
fn an_unknown_value_of_a_setting_of_opentelemetry_is_a_warning_and_has_no_effect() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    let default = format!(
        "{:?}",
        load(&with(&[endpoint])).expect("is valid").0.telemetry
    );
    for (name, value, expected) in [
        (
            "OTEL_METRICS_EXPORTER",
            "promtheus",
            "did you mean prometheus?",
        ),
        (
            "OTEL_TRACES_EXPORTER",
            "zipkin",
            "expected one of otlp, none",
        ),
        ("OTEL_TRACES_EXPORTER", "otpl", "did you mean otlp?"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "thrift", "found \"thrift\""),
        (
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "http/protobuff",
            "did you mean http/protobuf?",
        ),
        (
            "OTEL_TRACES_SAMPLER",
            "jaeger_remote",
            "found \"jaeger_remote\"",
        ),
        ("OTEL_TRACES_SAMPLER", "alwayson", "did you mean always_on?"),
        (
            "OTEL_TRACES_SAMPLER_ARG",
            "2",
            "expected a number from 0 to 1",
        ),
    ] {
        let (config, warnings) = load(&with(&[endpoint, (name, value)])).expect("is valid");
        assert_eq!(format!("{:?}", config.telemetry), default, "{name}={value}");
        let warnings = warnings.join("\n");
        assert!(
            warnings.starts_with(&format!("{name}: has no effect: "))
                && warnings.contains(expected),
            "{name}={value}: {warnings}"
        );
    }
    for (name, value) in [
        ("OTEL_TRACES_SAMPLER", "ALWAYS_ON"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "HTTP/PROTOBUF"),
        ("OTEL_PROPAGATORS", "tracecontext, baggage"),
    ] {
        let (_, warnings) = load(&with(&[endpoint, (name, value)])).expect("is valid");
        assert_eq!(warnings, [""; 0], "{name}={value}");
    }
}

#[test]
fn a_setting_of_opentelemetry_that_is_not_read_is_a_warning() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    for (name, value) in [
        ("OTEL_PROPAGATORS", "tracecontext,b3"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "500"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"),
    ] {
        let (_, warnings) = load(&with(&[endpoint, (name, value)])).expect("is valid");
        assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        assert!(warnings[0].starts_with(name), "{warnings:?}");
    }
}

#[test]
fn the_exporter_of_traces_follows_the_settings_of_opentelemetry() {
    const ALL: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/base/");
    const TRACES: (&str, &str) = (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "https://traces.example.org/x",
    );
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);
    let cases: [Case<'_>; 9] = [
        ("nothing", &[], None),
        (
            "a base",
            &[ALL],
            Some("http://collector:4318/base/v1/traces"),
        ),
        ("an address as it is", &[TRACES], Some(TRACES.1)),
        ("both", &[ALL, TRACES], Some(TRACES.1)),
        ("none", &[ALL, ("OTEL_TRACES_EXPORTER", "none")], None),
        (
            "otlp without an address",
            &[("OTEL_TRACES_EXPORTER", "OTLP")],
            Some("http://localhost:4318/v1/traces"),
        ),
        (
            "otlp with an address",
            &[TRACES, ("OTEL_TRACES_EXPORTER", "otlp")],
            Some(TRACES.1),
        ),
        (
            "a protocol for traces",
            &[
                ALL,
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ],
            Some("http://collector:4318/base/v1/traces"),
        ),
        (
            "grpc without an address",
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            None,
        ),
    ];
    for (case, settings, expected) in cases {
        let (config, warnings) = load(&with(settings)).expect("is valid");
        let endpoint = config.telemetry.traces.map(|traces| traces.endpoint);
        assert_eq!(endpoint.as_ref().map(url::Url::as_str), expected, "{case}");
        assert_eq!(warnings, [""; 0], "{case}");
    }
    let (config, _) = load(&with(&[
        TRACES,
        ("OTEL_EXPORTER_OTLP_HEADERS", "all=1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "traces=1"),
    ]))
    .expect("is valid");
    let headers = config.telemetry.traces.expect("are exported").headers;
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["traces"]);
}

#[test]
fn warnings_are_reported_after_the_errors() {
    let changes = [
        ("PORT", "http"),
        ("ROCKETCHAT_TOKEN", "canary"),
        ("ROCKETCHAT_AUTH_TOKEN", "'canary-auth-token'"),
        ("ROCKETCHAT_URL", "http://chat.example.org"),
        ("ROCKETCHAT_RECIPIENT", ""),
        (
            "ROUTES",
            "rules:\n- {event: push, status: failed, to: '@alice'}\n",
        ),
    ];
    let found = load(&with(&changes)).map(|_| ()).expect_err("is rejected");
    let text = found.to_string();
    assert!(!text.contains("canary"), "{text}");
    let starts = [
        "- PORT: expected an integer",
        "- warning: ROCKETCHAT_TOKEN is not a setting",
        "- warning: ROCKETCHAT_AUTH_TOKEN: the value is in quotes",
        "- warning: ROCKETCHAT_URL starts with http://",
        "- warning: ROUTES: ",
    ];
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), starts.len(), "{text}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn a_missing_setting_names_the_variable_that_was_probably_meant() {
    let cases = [
        (
            "GITLAB_SIGNING_KEYS",
            "GITLAB_TOKEN",
            "GITLAB_WEBHOOK_TOKENS",
        ),
        (
            "GITLAB_SIGNING_KEYS",
            "GITLAB_SECRET",
            "GITLAB_WEBHOOK_TOKENS",
        ),
        (
            "GITLAB_SIGNING_KEYS",
            "WEBHOOK_SECRET",
            "GITLAB_WEBHOOK_TOKENS",
        ),
        (
            "GITLAB_SIGNING_KEYS",
            "SECRET_TOKEN",
            "GITLAB_WEBHOOK_TOKENS",
        ),
        (
            "GITLAB_SIGNING_KEYS",
            "SIGNING_KEY_FILE",
            "GITLAB_SIGNING_KEYS_FILE",
        ),
        ("ROCKETCHAT_RECIPIENT", "RECIPIENT", "ROCKETCHAT_RECIPIENT"),
        ("ROCKETCHAT_RECIPIENT", "RECIPIENTS", "ROCKETCHAT_RECIPIENT"),
        ("ROCKETCHAT_RECIPIENT", "CHANNEL", "ROCKETCHAT_RECIPIENT"),
        ("ROCKETCHAT_URL", "CHAT_URL", "ROCKETCHAT_URL"),
        ("ROCKETCHAT_USER_ID", "USER_ID", "ROCKETCHAT_USER_ID"),
        (
            "ROCKETCHAT_AUTH_TOKEN",
            "BOT_TOKEN",
            "ROCKETCHAT_AUTH_TOKEN",
        ),
    ];
    for (missing, found, meant) in cases {
        let errors = errors(&[(missing, ""), (found, "canary")]).join("\n");
        let expected = format!("; {found} is set: is it meant as {meant}?");
        assert!(
            errors.starts_with(&format!("{missing}: is not set; ")) && errors.ends_with(&expected),
            "{found}: {errors}"
        );
        assert!(!errors.contains("canary"), "{errors}");
        // A variable is only a hint: with the setting, it may be for another program.
        let (_, warnings) = load(&with(&[(found, "canary")])).expect("is valid");
        assert_eq!(warnings, [""; 0], "{found}");
    }
    for (missing, unrelated) in [
        ("ROCKETCHAT_URL", "GITLAB_URL"),
        ("ROCKETCHAT_URL", "CI_SERVER_URL"),
        ("ROCKETCHAT_USER_ID", "GITLAB_USER_ID"),
        ("ROCKETCHAT_USER_ID", "USER"),
        ("ROCKETCHAT_AUTH_TOKEN", "NPM_TOKEN"),
        ("GITLAB_SIGNING_KEYS", "CI_JOB_TOKEN"),
        ("GITLAB_SIGNING_KEYS", "GITLAB_WEBHOOK_PORT"),
    ] {
        let errors = errors(&[(missing, ""), (unrelated, "canary")]).join("\n");
        assert!(!errors.contains(" is set: "), "{unrelated}: {errors}");
    }
}

#[test]
fn an_entry_of_no_proxy_that_never_matches_is_a_warning() {
    let (_, warnings) = load(&with(&[(
        "NO_PROXY",
        ".svc, *.example.org 10.0.0.0/8,[::1],chat.example.org:443\nlocalhost",
    )]))
    .expect("is valid");
    assert_eq!(warnings, [""; 0]);
    for (name, entry, expected) in [
        ("NO_PROXY", "https://chat.example.org", "found a URL"),
        (
            "no_proxy",
            "10.*",
            "found * within an entry, found \"10.*\"",
        ),
        ("NO_PROXY", "10.0.0.0/40", "expected a host name"),
        (
            "NO_PROXY",
            "http://robin:canary@chat.example.org",
            "found a URL",
        ),
    ] {
        let (_, warnings) = load(&with(&[(name, entry)])).expect("is valid");
        let warnings = warnings.join("\n");
        let start = format!("{name}: an entry never matches: ");
        assert!(
            warnings.starts_with(&start) && warnings.contains(expected),
            "{warnings}"
        );
        assert!(!warnings.contains("canary"), "{warnings}");
    }
}

#[test]
fn the_proxy_for_all_schemes_is_read_in_both_spellings() {
    for name in ["ALL_PROXY", "all_proxy"] {
        let (config, warnings) = load(&with(&[(name, "proxy:3128")])).expect("is valid");
        assert_eq!(warnings, [""; 0]);
        assert!(config.rocketchat.proxy.is_some(), "{name}");
        let socks = "socks5://robin:canary@proxy:1080";
        let (config, warnings) = load(&with(&[(name, socks)])).expect("is valid");
        assert!(config.rocketchat.proxy.is_none());
        let start = format!("{name}: has no effect: expected the address of an HTTP proxy");
        assert!(warnings[0].starts_with(&start), "{warnings:?}");
        assert!(!warnings[0].contains("canary"), "{warnings:?}");
    }
}

#[test]
fn the_address_of_a_service_named_metrics_is_not_a_port() {
    for address in ["tcp://10.43.7.1:9090", "udp://10.43.7.1:9090"] {
        let (config, warnings) = load(&with(&[("METRICS_PORT", address)])).expect("is valid");
        assert_eq!(config.metrics_port, None);
        assert!(
            warnings[0].starts_with("METRICS_PORT: is ignored, because Kubernetes sets it"),
            "{warnings:?}"
        );
    }
    let (config, warnings) = load(&with(&[("METRICS_PORT", "9090")])).expect("is valid");
    assert_eq!((config.metrics_port, warnings.len()), (Some(9090), 0));
}
