//! The page "It does not work" has an entry for every reason and every warning or error in the log, and none
//! for what no longer exists. Owns how the texts of log lines are found in the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use webhook_app::config::catalogue::SETTINGS;
use webhook_app::notifier::SkipReason;
use webhook_app::outcome::Failure;

use super::{content, read};

mod library_log;

const PAGE: &str = "function/docs/troubleshooting.md";

/// The cells of the rows of a block, without the head of the table. A cell may contain `\|`.
fn rows(name: &str) -> Vec<Vec<String>> {
    let page = read(PAGE);
    let block = content(&page, name).unwrap_or_else(|| panic!("{PAGE} has no block {name}"));
    block.lines().skip(2).map(cells).collect()
}

fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\u{0}");
    let cells = row.trim().trim_matches('|').split('|');
    cells
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

/// The text between backticks.
fn code(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

/// Compares the entries of a block with what exists in the program.
#[track_caller]
fn assert_complete(block: &str, documented: &[String], existing: &BTreeSet<String>) {
    let entries: BTreeSet<_> = documented.iter().cloned().collect();
    let missing: Vec<_> = existing.difference(&entries).collect();
    let obsolete: Vec<_> = entries.difference(existing).collect();
    assert!(
        missing.is_empty(),
        "{PAGE} needs an entry in the block {block} for each of {missing:#?}"
    );
    assert!(
        obsolete.is_empty(),
        "{PAGE} has an entry in the block {block} for what does not exist: {obsolete:#?}"
    );
    assert_eq!(entries.len(), documented.len(), "an entry twice in {block}");
}

/// The values of a label of a metric, as the table in METRICS.md lists them, which is generated.
fn label_values(metric: &str) -> BTreeSet<String> {
    let page = read("monitoring/METRICS.md");
    let start = format!("| `{metric}` | `reason` |");
    let row = page.lines().find(|line| line.starts_with(&start));
    let values = row.expect("has the row")[start.len()..].split('`');
    values.skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_skip_reason_has_an_entry_and_every_entry_a_skip_reason() {
    let documented: Vec<_> = rows("skipped").iter().map(|row| code(&row[0])).collect();
    let reasons = SkipReason::ALL.iter();
    let existing = reasons.map(|reason| reason.label().to_owned()).collect();
    assert_complete("skipped", &documented, &existing);
}

#[test]
fn every_failure_has_an_entry_with_its_status_and_every_entry_a_failure() {
    let rows = rows("failures");
    let entry = |row: &Vec<String>| format!("{} {}", row[0], code(&row[1]));
    let documented: Vec<_> = rows.iter().map(entry).collect();
    let failures = Failure::every().into_iter();
    let entries = failures.map(|failure| format!("{} {}", failure.status(), failure.reason()));
    // The client is gone, so this outcome has no response and no status.
    let existing = entries.chain(["none disconnected".to_owned()]).collect();
    assert_complete("failures", &documented, &existing);
}

#[test]
fn every_reason_of_a_delivered_webhook_has_an_entry() {
    let documented: Vec<_> = rows("delivered").iter().map(|row| code(&row[0])).collect();
    let mut existing = label_values("webhook_deliveries_total");
    for row in rows("skipped") {
        existing.remove(&code(&row[0]));
    }
    for row in rows("failures") {
        existing.remove(&code(&row[1]));
    }
    assert_complete("delivered", &documented, &existing);
}

#[test]
fn every_reason_of_an_unreachable_recipient_has_an_entry() {
    let documented: Vec<_> = rows("recipients").iter().map(|row| code(&row[0])).collect();
    let existing = label_values("webhook_recipients_unreachable_total");
    assert_complete("recipients", &documented, &existing);
}

#[test]
fn every_warning_and_error_in_the_log_has_an_entry_and_every_entry_a_log_line() {
    let rows = rows("log");
    let entry = |row: &Vec<String>| format!("{} {}", row[0], code(&row[1]));
    let documented: Vec<_> = rows.iter().map(entry).collect();
    let existing = log_lines(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(existing.len() > 10, "found only {existing:#?}");
    assert_complete("log", &documented, &existing);
}

#[test]
fn every_entry_says_what_it_means_what_to_do_and_how_to_check_it() {
    let page = read(PAGE);
    let mut tables = 0;
    let mut entries = 0;
    let mut columns = 0;
    for line in page.lines() {
        let cells = cells(line);
        if !line.starts_with('|') {
            columns = 0;
        } else if line.contains("| what to do | command to check |") {
            tables += 1;
            columns = cells.len();
        } else if columns > 0 && !line.starts_with("|---") {
            entries += 1;
            assert_eq!(cells.len(), columns, "{line}");
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{line}");
            let check = cells.last().expect("has cells");
            assert!(
                check.contains('`') || check.contains("as the bot"),
                "no command to check in: {line}"
            );
        }
    }
    assert!(tables >= 8 && entries > 80, "{tables} {entries}");
}

#[test]
fn the_page_names_only_settings_and_commands_that_exist() {
    let page = read(PAGE);
    let spans: Vec<_> = page
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect();
    let names = spans
        .iter()
        .map(|span| span.split('=').next().unwrap_or_default());
    let is_setting = |name: &&str| {
        let allowed = |char: char| char.is_ascii_uppercase() || char == '_';
        name.len() > 3 && name.chars().all(allowed)
    };
    let found: BTreeSet<_> = names.filter(is_setting).collect();
    let settings = SETTINGS.iter().map(|setting| setting.name).collect();
    let unknown: Vec<_> = found.difference(&settings).collect();
    assert!(found.len() > 8 && unknown.is_empty(), "{unknown:?}");
    let commands = spans
        .iter()
        .filter_map(|span| span.strip_prefix("webhook-app "));
    for command in commands {
        let is_known = [
            "check",
            "check --send",
            "dead-letters",
            "reconcile",
            "reconcile --once",
            "help setup",
            "setup --allow-list",
            "setup --dry-run",
            "setup --renew-token",
        ]
        .contains(&command)
            || ["plan", "apply", "apply --renew-secrets", "status"]
                .iter()
                .any(|word| command.strip_prefix("hooks ") == Some(word))
            || command.starts_with("render payload.json");
        assert!(is_known, "webhook-app {command}");
    }
}

#[test]
fn the_texts_of_log_lines_are_found_in_every_form() {
    for (source, expected) in [
        (
            r#"tracing::warn!(%error, "failed to read");"#,
            &["warn failed to read"][..],
        ),
        (
            r#"error!(place = "x", count, "first \
               second {advice}, {}", it.advice(")"))"#,
            &["error first second …, …"],
        ),
        (
            r#"line!(warn, "rejected"), line!(info, "fine")"#,
            &["warn rejected"],
        ),
        (r#"tracing::warn!("say \"no\"")"#, &[r#"warn say "no""#]),
        (r#"info!("fine"); debug!("fine");"#, &[]),
        ("// calls warn!(\"x\") often", &[]),
        ("#[cfg(test)]\nmod tests { fn f() { warn!(\"x\") } }", &[]),
    ] {
        let found = log_lines_of(source).expect("has texts");
        assert_eq!(found, expected, "{source}");
    }
    assert_eq!(log_lines_of("warn!(text)"), None);
}

/// Level and text of every warning and error below a folder.
fn log_lines(folder: &Path) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("can be read") {
        let path = entry.expect("can be read").path();
        if path.is_dir() {
            lines.extend(log_lines(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("is text");
            let found = log_lines_of(&source);
            lines.extend(found.unwrap_or_else(|| {
                panic!(
                    "{}: write the text of a warning or an error as a literal in the macro",
                    path.display()
                )
            }));
        }
    }
    lines
}

/// The macros with which a source writes warnings and errors, and their levels. `line` is the macro of the
/// access log.
const MACROS: [(&str, &str); 4] = [
    ("warn!(", "warn"),
    ("error!(", "error"),
    ("line!(warn,", "warn"),
    ("line!(error,", "error"),
];

/// Level and text of every warning and error of a source; `None` if one has no literal text. Tests at the end
/// of a file and comments are left out.
fn log_lines_of(source: &str) -> Option<Vec<String>> {
    let source = source
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let source: String = code.flat_map(|line| [line, "\n"]).collect();
    let mut found = Vec::new();
    for (name, level) in MACROS {
        for (place, _) in source.match_indices(name) {
            let before = source[..place].chars().next_back();
            if before.is_some_and(|char| char.is_alphanumeric() || char == '_') {
                continue;
            }
            let text = first_text(&source[place + name.len()..])?;
            found.push(format!("{level} {text}"));
        }
    }
    Some(found)
}

/// The first argument of a macro that is a string, with an ellipsis for each value in it.
fn first_text(arguments: &str) -> Option<String> {
    let mut is_start = true;
    let mut depth = 0;
    let mut rest = arguments.chars();
    while let Some(char) = rest.next() {
        match char {
            '"' => {
                let text = literal(&mut rest)?;
                if is_start && depth == 0 {
                    return Some(text);
                }
            }
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => return None,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        is_start = char == ',' || (is_start && char.is_whitespace());
    }
    None
}

/// The rest of a string literal: without escapes, and with an ellipsis for each value.
fn literal(rest: &mut std::str::Chars<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => match rest.next()? {
                '\n' => *rest = rest.as_str().trim_start().chars(),
                char => text.push(char),
            },
            '{' => {
                rest.find(|&char| char == '}')?;
                text.push('…');
            }
            char => text.push(char),
        }
    }
}
