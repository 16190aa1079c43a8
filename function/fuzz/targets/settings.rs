//! Any settings: a configuration or a list of mistakes, and no secret in either.

#![no_main]

use std::collections::BTreeMap;
use std::io;

use libfuzzer_sys::fuzz_target;
use webhook_app::config::Config;
use webhook_app::config::names::SETTINGS;

fuzz_target!(|text: &str| {
    let names = SETTINGS.iter().map(|setting| setting.name.to_owned());
    let mut variables: BTreeMap<String, String> = names.zip(text.split('\u{1}').map(str::to_owned)).collect();
    variables.retain(|_, value| !value.is_empty());
    let secret = "zq7-this-is-the-canary";
    variables.insert("ROCKETCHAT_AUTH_TOKEN".to_owned(), secret.to_owned());
    let shown = match Config::load(&variables, &|_| Err(io::ErrorKind::NotFound.into())) {
        Ok((config, warnings)) => format!("{config:?} {warnings:?}"),
        Err(mistakes) => mistakes.to_string(),
    };
    assert!(!shown.contains(secret));
});
