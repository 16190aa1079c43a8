//! Conditions of rules that match what only some kinds of event say: allowed failures, sources, labels,
//! drafts and paths, and `not`. What can never match is in `rule_warnings`.

use serde_json::{Value, json};
use webhook_app::limits::LIMITS;
use webhook_app::notifier::routing;

use crate::messages::parse;
use crate::routing::{changed, example, recipients_of};

/// Whether a rule with these conditions matches.
fn matches(conditions: &str, body: &Value) -> bool {
    let text = format!("rules: [{{{conditions}, confidential: true, to: '@alice'}}]");
    let rules = routing::parse(&text).expect("is valid");
    recipients_of(&rules, body) == "@alice"
}

/// What an explanation says about the only rule.
fn explained(conditions: &str, body: &Value) -> String {
    let text = format!("rules: [{{{conditions}, to: '@alice'}}]");
    let rules = routing::parse(&text).expect("is valid");
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    format!("{:?}", rules.explain(&event))
}

#[test]
fn allowed_failures_are_matched_only_where_gitlab_says_so() {
    let job = |may_fail: Value| changed("job", &json!({ "build_allow_failure": may_fail }));
    let newer = changed(
        "job",
        &json!({ "build_allow_failure": null, "job_allow_failure": true }),
    );
    for (case, body, expected) in [
        ("allowed", job(json!(true)), Some(true)),
        ("not allowed", job(json!(false)), Some(false)),
        ("allowed, by the newer name", newer, Some(true)),
        ("not said", job(Value::Null), None),
        ("another kind", example("push"), None),
    ] {
        let is = |value| matches(&format!("allowed_failure: {value}"), &body);
        let found = (is(true), is(false));
        assert_eq!(
            found,
            (expected == Some(true), expected == Some(false)),
            "{case}"
        );
    }
}

#[test]
fn the_source_of_a_pipeline_is_matched() {
    let source = |source: &str| {
        changed(
            "pipeline",
            &json!({ "object_attributes": { "source": source } }),
        )
    };
    for (rule, found, expected) in [
        ("schedule", "schedule", true),
        ("scheduled", "schedule", true),
        ("mr", "merge_request_event", true),
        ("[push, web]", "web", true),
        ("[push, web]", "api", false),
        ("push", "schedule", false),
    ] {
        let rule = format!("source: {rule}");
        assert_eq!(matches(&rule, &source(found)), expected, "{rule} {found}");
    }
}

#[test]
fn labels_and_drafts_are_matched_for_merge_requests_issues_and_comments_on_them() {
    let labels = json!([{ "id": 1, "title": "bug" }, { "id": 2, "title": "team::engines" }]);
    let on = |kind: &str| {
        changed(
            kind,
            &json!({ "labels": labels, "object_attributes": { "draft": true } }),
        )
    };
    let note = |on: Value| changed("note", &on);
    let request = json!({ "merge_request": { "labels": labels, "draft": true } });
    let older = json!({ "merge_request": { "labels": labels, "work_in_progress": true } });
    let issue = json!({ "merge_request": null, "issue": { "iid": 1, "labels": labels } });
    for (case, body, is_draft) in [
        ("merge request", on("merge_request"), true),
        ("issue", on("issue"), false),
        ("work item", on("work_item"), false),
        ("comment on a merge request", note(request), true),
        ("comment on one of an older GitLab", note(older), true),
        ("comment on an issue", note(issue), false),
    ] {
        assert!(matches("labels: bug", &body), "{case}");
        assert!(matches("labels: [other, 'team::*']", &body), "{case}");
        assert!(!matches("labels: bu", &body), "{case}");
        assert_eq!(matches("draft: true", &body), is_draft, "{case}");
        assert!(!matches("draft: false", &body), "{case}");
    }
    assert!(!matches("labels: bug", &example("merge_request")));
    assert!(matches("draft: false", &example("merge_request")));
}

fn commit(added: &[&str], modified: &[&str], removed: &[&str]) -> Value {
    json!({ "id": "b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74", "message": "x", "title": "x",
        "author": { "name": "x" }, "added": added, "modified": modified, "removed": removed })
}

fn push_of(commits: &[Value], total: usize) -> Value {
    let mut body = example("push");
    body["total_commits_count"] = json!(total);
    body["commits"] = json!(commits);
    body
}

#[test]
fn paths_are_those_that_a_listed_commit_added_changed_or_removed() {
    let commits = vec![
        commit(&["docs/a b.md"], &[], &[]),
        commit(&[], &["src/\"quoted\"/ü.rs"], &["old.txt"]),
    ];
    let body = push_of(&commits, 2);
    for (pattern, expected) in [
        ("docs/**", true),
        ("docs/a b.md", true),
        ("'**/ü.rs'", true),
        ("'**/*.txt'", true),
        ("docs/**/*.md", true),
        ("src/**/*.md", false),
        ("old.txt", true),
        ("[x, old.*]", true),
        ("src/*", false),
        ("README.md", false),
    ] {
        assert_eq!(
            matches(&format!("paths: {pattern}"), &body),
            expected,
            "{pattern}"
        );
    }
    assert!(!matches("paths: '**'", &push_of(&[], 0)), "no commits");
    assert!(!matches("paths: '**'", &example("issue")), "no push");
}

#[test]
fn a_push_with_more_commits_than_gitlab_lists_matches_any_path() {
    let listed = [commit(&["docs/a.md"], &[], &[])];
    let body = push_of(&listed, 21);
    assert!(matches("paths: src/**", &body));
    let text = explained("paths: src/**", &body);
    assert!(text.contains("more commits than GitLab lists"), "{text}");
    let text = explained("paths: docs/**", &body);
    assert!(!text.contains("more commits than GitLab lists"), "{text}");
    assert!(
        matches("not: {paths: src/**}", &body),
        "is not excluded by what is not listed"
    );
    // A custom webhook template may leave the lists out.
    let mut without = push_of(
        &[json!({ "id": "b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74" })],
        1,
    );
    assert!(matches("paths: src/**", &without));
    without["commits"] = Value::Null;
    assert!(matches("paths: src/**", &without));
}

#[test]
fn paths_beyond_the_limit_count_as_not_listed() {
    let long = "x".repeat(LIMITS.events.max_path_bytes);
    let body = push_of(
        &[
            commit(&["first"], &["second", &long, "beyond"], &[]),
            commit(&["last"], &[], &[]),
        ],
        2,
    );
    for path in ["first", "second", "last"] {
        let text = explained(&format!("paths: {path}"), &body);
        assert!(!text.contains("more files"), "{path} is kept: {text}");
        assert!(
            !matches(&format!("not: {{paths: {path}}}"), &body),
            "{path}"
        );
    }
    for path in ["beyond", "another"] {
        assert!(matches(&format!("paths: {path}"), &body), "{path}");
        let text = explained(&format!("paths: {path}"), &body);
        assert!(text.contains("more files than webhook-app keeps"), "{text}");
    }
}

#[test]
fn a_rule_whose_patterns_take_too_long_matches_and_so_do_those_after_it() {
    let body = push_of(&[commit(&[&"a".repeat(4000)], &[], &[])], 1);
    let slow = "*a?".repeat(1000);
    assert!(matches(&format!("paths: '{slow}b?'"), &body));
    let text = explained(&format!("paths: '{slow}b?'"), &body);
    assert!(text.contains("would take too long"), "{text}");
    let after = explained(
        &format!("not: {{paths: '{slow}b?'}}, to: '@bob', continue: true}}, {{paths: b"),
        &body,
    );
    assert_eq!(after.matches("would take too long").count(), 2, "{after}");
    assert!(!matches("paths: b", &body), "another event has all steps");
}

#[test]
fn no_condition_under_not_may_match() {
    let body = example("push");
    for (not, expected) in [
        ("{ref: main}", false),
        ("{ref: other}", true),
        ("{ref: other, actor: robin}", false),
        ("{ref: [other, 'm*']}", false),
        ("{event: push}", false),
        ("{action: push}", false),
        ("{project: 'acme/**'}", false),
        ("{protected: false}", true),
        // GitLab does not say, so that nothing is excluded.
        ("{draft: true, labels: wip, status: failed}", true),
    ] {
        assert_eq!(matches(&format!("not: {not}"), &body), expected, "{not}");
    }
    let text = explained("not: {actor: robin}", &body);
    assert!(text.contains("`actor` under not: matches"), "{text}");
}

#[test]
fn the_case_of_a_person_makes_no_difference() {
    let body = example("push");
    for (pattern, expected) in [
        ("robin", true),
        ("Robin", true),
        ("RO*", true),
        ("Kim", false),
    ] {
        let rule = format!("actor: {pattern}");
        assert_eq!(matches(&rule, &body), expected, "{pattern}");
    }
    let body = changed("push", &json!({ "user_username": "Robin" }));
    assert!(matches("actor: robin", &body));
    let mut body = example("push");
    body["commits"][0]["author"]["email"] = json!("Kim@Example.org");
    assert!(matches("author: kim@example.org", &body));
    assert!(!matches("ref: MAIN", &body), "branches have a case");
}

#[test]
fn a_fix_cannot_be_excluded() {
    let errors = routing::parse("rules: [{not: {status: fixed}, to: '@a'}]").expect_err("is wrong");
    assert!(
        errors.join("\n").contains("`fixed` cannot be excluded"),
        "{errors:?}"
    );
}

#[test]
fn the_prefix_of_a_full_ref_is_left_out() {
    for pattern in ["refs/heads/main", "refs/heads/m*", "refs/tags/main"] {
        assert!(
            matches(&format!("ref: {pattern}"), &example("push")),
            "{pattern}"
        );
    }
}

#[test]
fn an_explanation_says_what_gitlab_does_not_say() {
    for (conditions, kind, expected) in [
        ("protected: true", "job", "whether the ref is protected"),
        (
            "allowed_failure: true",
            "deployment",
            "whether it is allowed to fail",
        ),
        ("status: failed", "push", "which status it has"),
        ("ref: main", "issue", "which branch or tag it is"),
        ("source: push", "job", "what started it"),
        ("labels: bug", "push", "which labels it has"),
        ("draft: true", "issue", "whether it is a draft"),
        ("paths: a", "merge_request", "which files changed"),
        ("actor: robin", "release", "who triggered it"),
        ("author: kim", "wiki_page", "who the author is"),
    ] {
        let text = explained(conditions, &example(kind));
        let expected = format!("GitLab does not say {expected}");
        assert!(text.contains(&expected), "{conditions} {kind}: {text}");
    }
    let text = explained("protected: false", &example("push"));
    assert!(
        text.contains("does not match the protection of the ref"),
        "{text}"
    );
}

#[test]
fn an_explanation_names_the_line_for_an_author_known_only_by_number() {
    let body = changed(
        "merge_request",
        &json!({ "object_attributes": { "author_id": 99 } }),
    );
    let rules = routing::parse("rules: [{to: author}]").expect("is valid");
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    let text = format!("{:?}", rules.explain(&event).recipients);
    assert!(text.contains("Unmapped"), "{text}");
    let text = format!("{:?}", rules.explain(&event));
    assert!(text.contains(r#"add \"99\": NAME to users:"#), "{text}");
    let rules = routing::parse("users: {'99': lee}\nrules: [{to: author}]").expect("is valid");
    assert_eq!(recipients_of(&rules, &body), "@lee");
}

/// A comment on a merge request whose people GitLab names only by number.
fn note_by_numbers() -> Value {
    let mut body = changed(
        "note",
        &json!({ "merge_request": {
            "author_id": 8, "assignee_id": 9, "assignee_ids": [9, 7], "reviewer_ids": [8, 11],
        } }),
    );
    let request = body["merge_request"].as_object_mut().expect("is an object");
    request.remove("assignee");
    body
}

#[test]
fn assignees_and_reviewers_of_a_comment_are_found_by_their_numbers() {
    let mut reaction = changed("emoji", &json!({}));
    reaction["merge_request"] = note_by_numbers()["merge_request"].clone();
    let mut on_issue = note_by_numbers();
    on_issue["issue"] = on_issue["merge_request"].take();
    on_issue["object_attributes"]["noteable_type"] = json!("Issue");
    for (case, body) in [
        ("comment", note_by_numbers()),
        ("comment on an issue", on_issue),
        ("reaction", reaction),
    ] {
        let notified = |to: &str| {
            let text = format!("users: {{'9': nina, '11': omar}}\nrules: [{{to: {to}}}]");
            let rules = routing::parse(&text).expect("is valid");
            assert_eq!(rules.warnings(), Vec::<String>::new());
            recipients_of(&rules, &body)
        };
        // Robin, who triggered it, is the only one with a name.
        assert_eq!(notified("assignees"), "@nina @robin", "{case}");
        if case != "comment on an issue" {
            assert_eq!(notified("reviewers"), "@omar", "{case}");
        }
    }
    let rules = routing::parse("rules: [{to: [assignees, reviewers]}]").expect("is valid");
    let event = parse(None, note_by_numbers().to_string().as_bytes()).expect("is an event");
    let text = format!("{:?}", rules.explain(&event));
    for id in ["9", "8", "11"] {
        assert!(
            text.contains(&format!(r#"add \"{id}\": NAME to users:"#)),
            "{text}"
        );
    }
}

#[test]
fn a_user_known_only_by_number_is_matched_by_the_number() {
    let by_number = note_by_numbers();
    for (condition, expected) in [
        ("author: '8'", true),
        ("author: 8", true),
        ("author: [kim, '8']", true),
        ("author: '**'", true),
        ("author: kim", false),
        ("author: '18'", false),
        ("not: {author: '8'}", false),
        ("not: {author: kim}", true),
        ("actor: '7'", true),
        ("not: {actor: ['7']}", false),
        ("actor: robin", true),
        ("actor: '8'", false),
    ] {
        assert_eq!(matches(condition, &by_number), expected, "{condition}");
    }
    let found = explained("author: kim", &by_number);
    let expected =
        r#"does not match: GitLab sends only the number 8 of the author; write author: \"8\""#;
    assert!(found.contains(expected), "{found}");
    let found = explained("not: {author: kim}", &by_number);
    let expected = r#"is not excluded by not: GitLab sends only the number 8 of the author; write author: \"8\""#;
    assert!(found.contains(expected), "{found}");
}

#[test]
fn the_ref_of_a_comment_is_the_target_branch_of_its_merge_request() {
    let mut on_issue = example("note");
    on_issue["issue"] = json!({ "iid": 23, "title": "Fuel gauge" });
    let issue = on_issue.as_object_mut().expect("is an object");
    issue.remove("merge_request");
    let mut reaction = example("emoji");
    reaction["merge_request"] = example("note")["merge_request"].clone();
    for (condition, on_request) in [
        ("ref: main", true),
        ("ref: [release-*, refs/heads/main]", true),
        ("ref: feature/*", false),
        ("not: {ref: main}", false),
    ] {
        for body in [&example("note"), &reaction] {
            assert_eq!(matches(condition, body), on_request, "{condition}");
        }
    }
    assert!(!matches("ref: main", &on_issue));
    let text = explained("ref: main", &on_issue);
    assert!(text.contains("GitLab does not say which branch"), "{text}");
}

#[test]
fn a_milestone_of_a_group_is_matched_by_the_path_of_the_group() {
    let milestone = |group: Value| {
        let mut body = example("milestone");
        body["project"] = Value::Null;
        body["group"] = group;
        body
    };
    let group = json!({ "group_name": "Acme", "group_path": "acme", "full_path": "acme" });
    let subgroup =
        json!({ "group_name": "Engines", "group_path": "engines", "full_path": "acme/engines" });
    for (pattern, on_group, on_subgroup) in [
        ("acme", true, false),
        ("acme/*", false, true),
        ("'**'", true, true),
        ("engines", false, false),
    ] {
        let condition = format!("event: milestone, project: {pattern}");
        let found = [&group, &subgroup].map(|on| matches(&condition, &milestone(on.clone())));
        assert_eq!(found, [on_group, on_subgroup], "{pattern}");
    }
}
