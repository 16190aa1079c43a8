//! Words in rules and templates: GitLab's and people's words are both accepted, suggestions never name
//! the opposite, and errors show the wrong value and how to write it.

use webhook_app::gitlab::kind::Kind;
use webhook_app::notifier::{routing, templates};

fn errors(rules: &str) -> String {
    routing::parse(rules).expect_err(rules).join("\n")
}

#[test]
fn people_s_words_mean_the_same_as_gitlab_s() {
    for (key, word, known) in [
        ("status", "passed", "success"),
        ("status", "succeeded", "success"),
        ("status", "cancelled", "canceled"),
        ("status", "failure", "failed"),
        ("status", "Failed", "failed"),
        ("action", "opened", "open"),
        ("action", "merged", "merge"),
        ("action", "closed", "close"),
        ("action", "deleted", "delete"),
        ("action", "title", "retitled"),
        ("action", "labeled", "relabeled"),
        ("status", "green", "success"),
        ("status", "red", "failed"),
        ("status", "ok", "success"),
        ("event", "environment", "deployment"),
        ("event", "vulnerabilities", "vulnerability"),
        ("event", "mr", "merge_request"),
        ("event", "merge requests", "merge_request"),
        ("event", "Merge Request Hook", "merge_request"),
        ("event", "merge_requests_events", "merge_request"),
        ("event", "build", "job"),
        ("event", "jobs", "job"),
        ("event", "tag", "tag_push"),
        ("event", "comment", "note"),
        ("event", "Resource Access Token Hook", "access_token"),
        ("event", "Resource Deploy Token Hook", "deploy_token"),
        ("action", "re-open", "reopen"),
        ("action", "retitle", "retitled"),
        ("action", "retarget", "retargeted"),
        ("action", "relabel", "relabeled"),
        ("action", "reassigned", "assigned"),
        ("action", "ready_for_review", "ready"),
        ("action", "marked_as_unready", "draft"),
        ("source", "scheduled", "schedule"),
        ("to", "reviewer", "reviewers"),
        ("to", "pipeline_starter", "pipeline starter"),
    ] {
        let parsed = |word: &str| {
            let to = if key == "to" { "" } else { "to: '@a', " };
            let rules = format!("rules: [{{{to}{key}: {word}}}]");
            routing::parse(&rules).unwrap_or_else(|error| panic!("{word}: {error:?}"))
        };
        assert_eq!(parsed(word), parsed(known), "{word}");
    }
}

#[test]
fn a_rule_with_another_word_for_fixed_has_its_conditions_too() {
    let text = errors("rules: [{event: job, status: [failed, recovered], to: '@a'}]");
    assert!(text.contains("`fixed` matches pipelines only"), "{text}");
}

#[test]
fn a_suggestion_is_never_the_opposite() {
    for (key, word, forbidden) in [
        ("status", "unsuccessful", "success"),
        ("status", "not_failed", "failed"),
        ("action", "disapproved", "approved"),
        ("action", "undelete", "delete"),
        ("action", "unmerged", "merge"),
        ("action", "review_unrequested", "review_requested"),
    ] {
        let text = errors(&format!("rules: [{{to: '@a', {key}: {word}}}]"));
        assert!(
            !text.contains(&format!("did you mean `{forbidden}`")),
            "{text}"
        );
    }
    for (rules, expected) in [
        ("{to: '@a', status: passd}", "did you mean `success`?"),
        ("{to: '@a', status: faild}", "did you mean `failed`?"),
        ("{to: reveiwers}", "did you mean `reviewers`?"),
        ("{to: commiter}", "did you mean `committer`?"),
        ("{to: '@a', branch: main}", "did you mean `ref`?"),
        ("{to: '@a', label: x}", "did you mean `labels`?"),
        (
            "{to: '@a', allow_failure: true}",
            "did you mean `allowed_failure`?",
        ),
        ("{to: '@a', event: pipelnes}", "did you mean `pipeline`?"),
        ("{to: '@a', source: schedul}", "did you mean `schedule`?"),
        ("{to: '@a', not: {branch: x}}", "did you mean `ref`?"),
        (
            "{to: '@a', unprotected: true}",
            "expected one of name, event",
        ),
    ] {
        let text = errors(&format!("rules: [{rules}]"));
        assert!(text.contains(expected), "{rules}: {text}");
    }
}

#[test]
fn a_suggestion_means_the_same_and_is_not_only_spelled_alike() {
    for (rule, expected) in [
        ("action: rejected", "GitLab has no action for it; write"),
        ("action: reviewed", "a review is sent as comments"),
        (
            "action: unlabeled",
            "write `relabeled`, which matches every change of the labels",
        ),
        (
            "action: unassigned",
            "there is none for a user who was removed",
        ),
        (
            "action: rebased",
            "new commits in a merge request are `push`",
        ),
        ("action: disapproved", "write `unapproved`"),
        (
            "status: warnings",
            "a pipeline that passed with warnings has status: success and allowed_failure: true",
        ),
        ("status: done", "leave status: out"),
        (
            "event: confidential_issues_events",
            "write event: issue and confidential: true",
        ),
        ("event: approvals", "action: [approved, approval]"),
        ("action: deteced", "did you mean `detected`?"),
        ("action: retargetted", "did you mean `retargeted`?"),
        ("action: erge", "did you mean `merge`?"),
        ("action: injected", "expected one of "),
        ("action: archived", "expected one of "),
        ("status: parsed", "expected one of "),
        ("status: paused", "expected one of "),
        ("status: ko", "expected one of "),
        ("status: on", "expected one of "),
        ("status: deployed", "write event: deployment"),
        ("stage: x", "expected one of "),
        ("recipiant: x", "did you mean `to`?"),
        ("statee: x", "did you mean `status`?"),
        ("status: succeded", "did you mean `success`?"),
        ("status: trailed", "expected one of "),
    ] {
        let text = errors(&format!("rules: [{{to: '@a', {rule}}}]"));
        assert!(text.contains(expected), "{rule}: {text}");
    }
}

#[test]
fn a_suggested_role_is_not_the_opposite() {
    for (role, expected) in [
        ("non_reviewers", ""),
        ("not_author", ""),
        ("reviewr", "did you mean `reviewers`?"),
    ] {
        let text = errors(&format!("rules: [{{to: {role}}}]"));
        assert!(text.contains(expected), "{role}: {text}");
        assert_eq!(
            text.contains("did you mean"),
            !expected.is_empty(),
            "{text}"
        );
    }
}

#[test]
fn values_that_contradict_each_other_are_errors() {
    for (rules, expected) in [
        (
            "users: {robin: robin, '@Robin': kim}\nrules: [{to: actor}]",
            "line 1: `Robin` is listed twice with different users",
        ),
        (
            "rules:\n- to: ['@alice', nobody]",
            "line 2: `nobody` excludes all other recipients",
        ),
    ] {
        let text = errors(rules);
        assert!(text.contains(expected), "{rules}: {text}");
    }
    for rules in [
        "users: {robin: kim, '@Robin': kim}\nrules: [{to: actor}]",
        "rules: [{to: nobody}, {to: [nobody]}]",
    ] {
        assert!(routing::parse(rules).is_ok(), "{rules}");
    }
}

#[test]
fn true_and_false_may_have_upper_case() {
    let rules = |flag: &str| routing::parse(&format!("rules: [{{to: '@a', continue: {flag}}}]"));
    assert!(rules("true").is_ok());
    for flag in ["True", "TRUE"] {
        assert_eq!(rules(flag), rules("true"), "{flag}");
    }
}

#[test]
fn expected_words_are_those_of_the_events_of_the_rule() {
    for (rule, expected) in [
        (
            "action: foo, event: push",
            "there is no action `foo`; expected one of create, push, delete",
        ),
        (
            "event: [emoji, milestone], action: foo",
            "expected one of award, revoke, create, close, reopen, delete",
        ),
        (
            "event: emoji, not: {action: foo}",
            "expected one of award, revoke",
        ),
        (
            "event: deployment, status: foo",
            "expected one of created, running, blocked, success, failed, canceled, skipped",
        ),
        (
            "event: push, status: foo",
            "there is no status `foo`; push events have no `status`",
        ),
        // Near to a word of another event.
        ("event: push, action: opne", "expected one of create"),
        ("action: opne", "did you mean `open`?"),
    ] {
        let text = errors(&format!("rules: [{{to: '@a', {rule}}}]"));
        assert_eq!(
            text.split_once(": ")
                .map(|(_, text)| text.contains(expected)),
            Some(true),
            "{rule}: {text}"
        );
        assert!(
            text.ends_with(expected) || !expected.contains(", "),
            "{rule}: {text}"
        );
    }
}

#[test]
fn a_key_that_is_no_condition_is_explained_under_not() {
    for (key, expected) in [
        (
            "confidential: true",
            "there is no `confidential`; leave it out: without confidential: true, a rule matches no confidential events",
        ),
        ("to: robin", "it is a key of the rule and no condition"),
        ("not: {ref: main}", "it already excludes"),
        ("notify: x", "expected one of event, project"),
    ] {
        let text = errors(&format!("rules: [{{to: '@a', not: {{{key}}}}}]"));
        assert!(text.contains(expected), "{key}: {text}");
    }
}

#[test]
fn a_wrong_value_is_in_its_error() {
    for (rules, expected) in [
        (
            "rules: [{to: '@a', protected: ja}]",
            "expected true or false, found `ja`",
        ),
        ("others: maybe\nrules: [{to: '@a'}]", "found `maybe`"),
        (
            "users: {robin: 'one, two'}\nrules: [{to: '@a'}]",
            "found `one, two`",
        ),
        ("rules: [{to: 'room:a b'}]", "found `room:a b`"),
        ("rules: [{to: '@a,b'}]", "found `@a,b`"),
        ("rules: [{to: alice}]", "for that user, write \"@alice\""),
        (
            "rules: [{to: '#general'}]",
            "for a room, write room: and its id",
        ),
        (
            "rules:\n- to: #general\n",
            "found nothing; a value that begins with # needs quotes",
        ),
        ("rules: [{to: {a: b}}]", "found a map"),
    ] {
        let text = errors(rules);
        assert!(text.contains(expected), "{rules}: {text}");
    }
    let long = "x".repeat(1000);
    assert!(errors(&format!("rules: [{{to: '@a', status: {long}}}]")).len() < 500);
}

#[test]
fn an_unquoted_value_that_needs_quotes_is_shown_with_them() {
    for (rules, expected) in [
        ("rules:\n- to: @alice\n", "write \"@alice\""),
        ("rules:\n- to:\n  - @alice\n", "write \"@alice\""),
        ("rules: [{to: [author, @bob]}]", "write \"@bob\""),
        ("others: @lead\nrules: []", "write \"@lead\""),
        ("users: {robin: @robin}", "write \"@robin\""),
        ("rules:\n- to: @Ada Example\n", "write \"@Ada Example\""),
        (
            "rules: [{to: [author, @Ada Example]}]",
            "write \"@Ada Example\"",
        ),
        (
            "rules:\n- ref: *-stable\n  to: actor\n",
            "write \"*-stable\"",
        ),
        ("rules:\n- ref: !main\n  to: actor\n", "write \"!main\""),
    ] {
        let text = errors(rules);
        assert!(text.contains(expected), "{rules}: {text}");
    }
    for template in [
        "push: {{ actor }} pushed\n",
        "push: {{ actor }}\n",
        "push: *{{ status }}* {{ page }}\n",
        "push: **{{ title }}** by {{ actor }}\n",
        "push: New: {{ title }}\n",
        "push:\n  {{ title }}\n",
        "job: x\npush: *{{ title }}*\n",
    ] {
        let text = templates::parse(template).expect_err(template).join("\n");
        let (_, quoted) = template.split_once("push:").expect("has a push");
        let quoted = quoted.trim();
        assert!(text.contains(&format!("write '{quoted}'")), "{text}");
    }
}

#[test]
fn kinds_and_variables_of_templates_get_suggestions() {
    for (text, expected) in [
        ("mr: x", "did you mean `merge_request`?"),
        ("review: x", "expected one of push"),
        ("build: x", "did you mean `job`?"),
        ("pipelines: x", "did you mean `pipeline`?"),
        (
            "push: '{{ pipelin }} {{ actr }}'",
            "there are action, actor",
        ),
        ("push: '{{ actr }}'", "did you mean actor?"),
        ("push: '{{ branch }}'", "did you mean ref?"),
    ] {
        let found = templates::parse(text).expect_err(text).join("\n");
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn every_kind_is_found_by_its_plural_and_its_hook() {
    for kind in Kind::known().map(Kind::label) {
        for word in [
            format!("{kind}s"),
            format!("{kind}_events"),
            format!("{kind} hook"),
        ] {
            let parsed = routing::parse(&format!("rules: [{{event: '{word}', to: '@a'}}]"));
            let known = routing::parse(&format!("rules: [{{event: {kind}, to: '@a'}}]"));
            assert_eq!(parsed, known, "{word}");
        }
    }
}
