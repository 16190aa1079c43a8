//! The output of `hooks plan` and `hooks apply`: one line for each webhook, and a summary. Owns its layout.

use std::fmt::Write as _;

use crate::cli::hooks::table::wrap;
use crate::hooks::{Action, Change, Plan, Tense, words};

/// What is said about one webhook.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// There is none, or there was none. Contains its settings.
    Create(String),
    /// Something differs, or differed.
    Change(Vec<Change>),
    /// It is as declared.
    Keep,
    /// Something that is not written.
    Note(String),
    /// It could not be looked up or written.
    Failed(String),
}

impl Line {
    /// What a plan is about.
    pub(super) fn of(plan: &Plan) -> Self {
        match &plan.action {
            Action::Keep(_) => Self::Keep,
            Action::Change { changes, .. } => Self::Change(changes.clone()),
            Action::Create(fields) => {
                let mut text = fields.on.to_string();
                if text.is_empty() {
                    text.push_str("no triggers");
                }
                if let Some(filter) = &fields.branch_filter {
                    let _ = write!(text, "; branch filter {filter}");
                }
                if fields.ssl_verification == Some(false) {
                    text.push_str("; no SSL verification");
                }
                if fields.secret.is_none() {
                    text.push_str("; no secret");
                }
                Self::Create(text)
            }
        }
    }
}

/// The lines so far.
#[derive(Debug)]
pub(super) struct Lines {
    tense: Tense,
    lines: Vec<(String, Line)>,
}

impl Lines {
    /// No lines; `done` says whether they are about what was done.
    pub(super) fn new(done: bool) -> Self {
        Self {
            tense: if done { Tense::Past } else { Tense::Future },
            lines: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, place: &str, line: Line) {
        self.lines.push((place.to_owned(), line));
    }

    pub(super) fn has_failures(&self) -> bool {
        self.count(|line| matches!(line, Line::Failed(_))) > 0
    }

    pub(super) fn has_changes(&self) -> bool {
        self.count(|line| matches!(line, Line::Create(_) | Line::Change(_))) > 0
    }

    fn count(&self, is: fn(&Line) -> bool) -> usize {
        self.lines.iter().filter(|(_, line)| is(line)).count()
    }

    /// The whole output. On a terminal, long lines are wrapped under their last column.
    pub(super) fn text(&self, is_terminal: bool) -> String {
        // A long path must not push the details of all lines to the right.
        const MOST: usize = 36;
        let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
        let places = width(&mut self.lines.iter().map(|(place, _)| place.chars().count()));
        let places = if is_terminal {
            places.min(MOST)
        } else {
            places
        };
        let verbs = width(&mut self.lines.iter().map(|(_, line)| self.verb(line).len()));
        let mut text = String::new();
        for (place, line) in &self.lines {
            let verb = self.verb(line);
            let start = format!("{place:places$}  {verb:verbs$}  ");
            let details = self.details(line);
            let details = if is_terminal {
                wrap(&details, start.chars().count())
            } else {
                details
            };
            let start = if details.starts_with('\n') {
                start.trim_end()
            } else {
                &start
            };
            let _ = writeln!(text, "{}", format!("{start}{details}").trim_end());
        }
        text + &self.summary()
    }

    fn verb(&self, line: &Line) -> &'static str {
        let done = self.tense == Tense::Past;
        match line {
            Line::Create(_) if done => "created",
            Line::Create(_) => "create",
            Line::Change(_) if done => "changed",
            Line::Change(_) => "change",
            Line::Keep => "ok",
            Line::Note(_) => "note",
            Line::Failed(_) => "FAIL",
        }
    }

    fn details(&self, line: &Line) -> String {
        match line {
            Line::Create(text) | Line::Note(text) | Line::Failed(text) => text.clone(),
            Line::Change(changes) => words(changes, self.tense),
            Line::Keep => String::new(),
        }
    }

    fn summary(&self) -> String {
        let created = self.count(|line| matches!(line, Line::Create(_)));
        let changed = self.count(|line| matches!(line, Line::Change(_)));
        let kept = self.count(|line| matches!(line, Line::Keep));
        let failed = self.count(|line| matches!(line, Line::Failed(_)));
        let mut text = match self.tense {
            Tense::Future => format!("{created} to create, {changed} to change"),
            Tense::Past => format!("{created} created, {changed} changed"),
        };
        let _ = write!(text, ", {kept} as declared");
        if failed > 0 {
            let _ = write!(text, ", {failed} failed");
        }
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitlab_api::Trigger;

    fn lines(done: bool) -> Lines {
        let mut lines = Lines::new(done);
        lines.push(
            "group/app",
            Line::Create("push, tag_push, pipeline".to_owned()),
        );
        let changes = vec![
            Change::Trigger(Trigger::Pipeline),
            Change::Trigger(Trigger::Job),
            Change::SslVerification(true),
            Change::BranchFilter {
                from: None,
                to: "release/*".to_owned(),
            },
            Change::SecretMissing("signing token"),
        ];
        lines.push("group/subgroup/app", Line::Change(changes));
        lines.push("group/other", Line::Keep);
        lines
    }

    #[test]
    fn a_plan_has_one_aligned_line_for_each_webhook() {
        insta::assert_snapshot!(lines(false).text(false), @r"
            group/app           create  push, tag_push, pipeline
            group/subgroup/app  change  pipeline off → on, job off → on; SSL verification off → on; branch filter none → release/*; signing token missing
            group/other         ok
            1 to create, 1 to change, 1 as declared
        ");
    }

    #[test]
    fn what_was_done_is_said_in_the_past_tense() {
        insta::assert_snapshot!(lines(true).text(false), @r"
            group/app           created  push, tag_push, pipeline
            group/subgroup/app  changed  pipeline off → on, job off → on; SSL verification off → on; branch filter none → release/*; signing token written
            group/other         ok
            1 created, 1 changed, 1 as declared
        ");
    }

    #[test]
    fn a_terminal_gets_lines_of_at_most_80_columns() {
        let mut lines = lines(false);
        let advice = crate::gitlab_api::ApiError::NotFound.to_string();
        lines.push("group/gone", Line::Failed(advice));
        lines.push(&format!("group/{}", "long".repeat(18)), Line::Keep);
        let text = lines.text(true);
        assert!(text.lines().count() > 6, "{text}");
        for line in text.lines().filter(|line| !line.contains("longlong")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(text.ends_with("1 to create, 1 to change, 2 as declared, 1 failed\n"));
    }
}
