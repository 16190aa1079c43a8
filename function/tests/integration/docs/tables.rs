//! The tables and lists that `make tables` writes: every block that is generated from the code, the fixtures
//! or the benchmark results.

use std::fmt::Write as _;

use webhook_app::config::catalogue::{GITLAB_API_SETTINGS, MAIN_SETTINGS, SETTINGS};
use webhook_app::gitlab::kind::Kind;
use webhook_app::hooks;
use webhook_app::limits;
use webhook_app::notifier::message::MessageStyle;
use webhook_app::notifier::{SkipReason, templates};
use webhook_app::outcome::Failure;

use super::block;
use crate::markup::{messages_of_fixtures, seen};
use crate::messages::render;

#[test]
fn the_tables_of_settings_are_current() {
    let table = |shown: &dyn Fn(&str) -> bool| {
        let mut table = "| setting | meaning | default |\n|---|---|---|\n".to_owned();
        for setting in SETTINGS.iter().filter(|setting| shown(setting.name)) {
            let _ = writeln!(
                table,
                "| `{}` | {} | {} |",
                setting.name, setting.meaning, setting.default
            );
        }
        table
    };
    let of_api = |name: &str| GITLAB_API_SETTINGS.iter().any(|it| it.name == name);
    let others = table(&|name| !of_api(name));
    block("function/docs/settings.md", "settings", &others);
    block(
        "function/docs/settings.md",
        "gitlab-settings",
        &table(&of_api),
    );
    let main = table(&|name| MAIN_SETTINGS.contains(&name));
    block("README.md", "main-settings", &main);
}

#[test]
fn the_table_of_triggers_is_current() {
    let mut table = "| trigger | kinds of event |\n|---|---|\n".to_owned();
    for (trigger, kinds) in hooks::trigger_rows() {
        let kinds: Vec<_> = kinds
            .iter()
            .map(|kind| format!("`{}`", kind.label()))
            .collect();
        let _ = writeln!(table, "| `{trigger}` | {} |", kinds.join(", "));
    }
    block("function/docs/hooks.md", "triggers", &table);
}

#[test]
fn the_table_of_limits_is_current() {
    let mut table = "| limit | value | reason |\n|---|---|---|\n".to_owned();
    for (name, value, reason) in limits::rows() {
        let value = match value.parse() {
            Ok(bytes) if name.ends_with("_bytes") => size(bytes),
            _ => value,
        };
        let _ = writeln!(table, "| `{name}` | {value} | {} |", reason.trim());
    }
    block("function/docs/guarantees.md", "limits", &table);
}

fn size(bytes: u32) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1024 * 1024) => format!("{} MiB", bytes / 1024 / 1024),
        _ if bytes.is_multiple_of(1024) => format!("{} KiB", bytes / 1024),
        _ => format!("{bytes} bytes"),
    }
}

#[test]
fn the_benchmark_results_are_current() {
    for (name, table) in [
        (
            "benchmark",
            include_str!("../../../benches/results/table.md"),
        ),
        (
            "profile",
            include_str!("../../../benches/results/profile.md"),
        ),
    ] {
        block("function/docs/performance.md", name, table);
    }
}

/// Every kind by the example of the program, as `webhook-app render --kind` shows it.
#[test]
fn the_table_of_events_is_current() {
    let mut table = "| kind | message |\n|---|---|\n".to_owned();
    for kind in Kind::known() {
        let example = templates::example(kind).expect("has an example");
        let (_, message) = render(None, example.as_bytes()).expect("is an event");
        let text = message.expect("has a message").text.replace('\n', "<br>");
        let _ = writeln!(table, "| {} | {text} |", kind.label());
    }
    block("function/docs/events.md", "events", &table);
}

/// First lines without their marks. That Rocket.Chat's notifications show them in this way is checked by
/// `check.mjs` for the same messages.
#[test]
fn the_table_of_notifications_is_current() {
    let mut table = "| event | notification | characters |\n|---|---|---|\n".to_owned();
    for (name, text, _) in messages_of_fixtures(MessageStyle::Signs) {
        let first = seen(text.lines().next().expect("has a line"));
        let (event, length) = (name.replace('_', " "), first.chars().count());
        let first = first.replace('|', "\\|");
        let _ = writeln!(table, "| {event} | `{first}` | {length} |");
    }
    block("function/docs/notifications.md", "notifications", &table);
}

#[test]
fn the_table_of_skip_reasons_is_current() {
    let mut table = "| reason | nothing is sent because |\n|---|---|\n".to_owned();
    for reason in SkipReason::ALL {
        let _ = writeln!(table, "| `{}` | {} |", reason.label(), reason.description());
    }
    block("function/docs/events.md", "reasons", &table);
}

/// Values that depend on the configuration or the request are shown as an ellipsis.
#[test]
fn the_table_of_error_responses_is_current() {
    let mut failures = Failure::every();
    failures.sort_by_key(Failure::status);
    let mut table = "| status | `reason` | `detail` |\n|---|---|---|\n".to_owned();
    for failure in failures {
        let detail = failure
            .detail()
            .replace("``", "`…`")
            .replace("at offset 0", "at offset …")
            .replace("1970-01-01T00:00:00Z", "…")
            .replace("0 s ahead", "… s ahead");
        let _ = writeln!(
            table,
            "| {} | `{}` | {detail} |",
            failure.status(),
            failure.reason()
        );
    }
    block("function/docs/answers.md", "answers", &table);
}
