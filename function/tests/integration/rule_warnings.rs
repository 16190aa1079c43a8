//! Rules that can never have an effect: each is a warning at startup and fails `webhook-app check`. The
//! table of what each kind of hook says is compared with all recorded payloads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::kind::Kind;
use webhook_app::notifier::routing;

use crate::harness::program;
use crate::messages::{fixtures, parse};
use crate::routing::{changed, example, recipients_of};

fn warnings(rules: &str) -> Vec<String> {
    routing::parse(rules).expect("is valid").warnings()
}

#[test]
fn a_condition_that_the_events_of_a_rule_cannot_satisfy_is_a_warning() {
    for (rule, expected) in [
        (
            "{event: job, status: failed, protected: true}",
            "never matches job events: GitLab does not say whether the ref is protected",
        ),
        (
            "{event: push, status: failed}",
            "never matches push events: GitLab does not say which status it has",
        ),
        (
            "{event: push, action: merge}",
            "never matches push events: their `action` is one of create, push, delete",
        ),
        (
            "{event: job, status: blocked}",
            "never matches job events: their `status` is one of created,",
        ),
        (
            "{event: [pipeline, job], protected: true}",
            "never matches job events",
        ),
        ("{event: issue, draft: true}", "whether it is a draft"),
        ("{event: push, labels: x}", "which labels it has"),
        ("{event: note, paths: x}", "which files changed"),
        ("{event: job, source: push}", "what started it"),
        ("{event: release, actor: x}", "who triggered it"),
        ("{event: wiki_page, author: x}", "who the author is"),
        (
            "{event: deployment, protected: false}",
            "whether the ref is protected",
        ),
        ("{event: issue, ref: main}", "which branch or tag it is"),
        (
            "{event: deployment, allowed_failure: true}",
            "whether it is allowed to fail",
        ),
        (
            "{action: open, status: failed}",
            "never matches: no kind of event has `action` and `status` together",
        ),
        (
            "{event: push, not: {event: push}}",
            "the same event is under not:",
        ),
        (
            "{event: job, not: {protected: true}}",
            "has `protected` under not:, which never matches",
        ),
        (
            "{event: push, project: rocket}",
            "such as acme/rocket or **/rocket",
        ),
        (
            "{event: push, project: '*'}",
            "which never matches a project",
        ),
        (
            "{project: acme}",
            "has no slash, so that it matches milestone, access_token, deploy_token, member, subgroup, group events of a group and no project; write acme/** for the projects",
        ),
        (
            "{event: [push, member], project: acme}",
            "it matches member events of a group and no project; write acme/** for the projects of a group, or **/acme for projects of that name",
        ),
        (
            "{event: user, project: acme/**}",
            "never matches user events: GitLab does not say which project it is",
        ),
        (
            "{event: vulnerability, project: acme/**}",
            "GitLab does not say which project it is",
        ),
        (
            "{project: https://gitlab.example.org/acme/rocket}",
            "write the path alone, such as acme/rocket",
        ),
        (
            "{project: acme/rocket.git}",
            "paths of projects end without .git",
        ),
        ("{project: acme/}", "write `acme/**`"),
        (
            "{project: '(acme|engines)/rocket'}",
            "are no regular expressions",
        ),
        ("{project: ''}", "matches only events without a project"),
        (
            "{ref: ''}",
            "has the ref ``, which never matches: it is empty; leave the condition out",
        ),
        ("{labels: ' '}", "it is empty"),
        ("{ref: ' main'}", "write `main` without spaces"),
        ("{ref: 'main, next'}", "write a list, [main, next]"),
        ("{ref: release/}", "write `release/**`"),
        ("{ref: /^Release/i}", "are no regular expressions"),
        ("{ref: 'v[0-9]*'}", "are no regular expressions"),
        (
            "{event: push, ref: refs/tags/v*}",
            "has the ref `refs/tags/v*`, but push events are about branches; for tags, write event: tag_push",
        ),
        (
            "{event: [release, tag_push], ref: refs/heads/main}",
            "but release, tag_push events are about tags; for branches, write event: push",
        ),
        (
            "{labels: '!wip'}",
            "write not: {labels: \"wip\"} to exclude it",
        ),
        ("{labels: ~bug}", "write bug without ~"),
        ("{labels: 'bug,wip'}", "write a list, [bug, wip]"),
        (
            "{actor: Robin Example}",
            "write the user name or the e-mail",
        ),
        ("{actor: 'robin,kim'}", "write a list, [robin, kim]"),
        (
            "{event: pipeline, allowed_failure: true, status: failed}",
            "never matches pipeline events: a pipeline with `allowed_failure: true` passed with warnings",
        ),
        (
            "{event: pipeline, source: parent_pipeline, status: [failed, fixed]}",
            "has `status: fixed`, which child pipelines never are",
        ),
        (
            "{event: push, action: delete, paths: x}",
            "GitLab lists no commits of a branch or tag that is deleted",
        ),
        (
            "{event: tag_push, action: delete, author: x}",
            "GitLab lists no commits of a branch or tag that is deleted",
        ),
        (
            "{event: merge_request, action: ready, draft: true}",
            "a merge request that became ready is no draft",
        ),
        (
            "{event: merge_request, action: draft, draft: false}",
            "a merge request that became a draft is one",
        ),
        (
            "{event: merge_request, action: push, not: {action: update}}",
            "every event with its `action` also has one that is under not:",
        ),
        (
            "{event: pipeline, status: failed, not: {status: failed}}",
            "every value of `status` is also under not:",
        ),
        ("{ref: /^main$/}", "patterns are no regular expressions"),
        ("{ref: ^main$}", "patterns are no regular expressions"),
        (
            "{actor: '!bot'}",
            "write not: {actor: \"bot\"} to exclude it",
        ),
        ("{ref: [main, '!release']}", "write not: {ref: \"release\"}"),
        (
            "{actor: '@robin'}",
            "user names of GitLab begin without an @",
        ),
        (
            "{paths: /src/**}",
            "paths begin without a slash or ./, and end without a slash; write `src/**`",
        ),
        ("{paths: ./src}", "write `src`"),
        ("{paths: src/}", "write `src/**`"),
        ("{paths: src//../x}", "write `src/x`"),
        ("{paths: 'src\\app\\*'}", "paths have slashes"),
        (
            "{paths: '{a,b}/{c,d}'}",
            "write a list with one pattern per item, without braces",
        ),
        ("{ref: '{main,{next,old}}'}", "write a list with one"),
        ("{paths: '{id}/{a,b}'}", "write a list with one"),
    ] {
        let text = format!("rules:\n- {}\n", rule.replacen('{', "{to: '@a', ", 1));
        let found = warnings(&text).join("\n");
        assert!(found.contains(expected), "{rule}: {found}");
        assert!(
            found.starts_with("ROUTES: rule 1 (line 2) "),
            "{rule}: {found}"
        );
    }
    for (role, event) in [
        ("reviewers", "push"),
        ("new_reviewers", "issue"),
        ("pusher", "merge_request"),
        ("pipeline starter", "push"),
        ("mentioned", "pipeline"),
        ("actor", "release"),
        ("committer", "push, action: delete"),
        ("new_reviewers", "merge_request, action: merge"),
        ("new_assignees", "issue, action: [close, reopen]"),
        ("actor", "issue, except_actor: true"),
        ("pusher", "push, except_actor: true"),
        ("pipeline starter", "job, except_actor: true"),
    ] {
        let found = warnings(&format!("rules: [{{event: {event}, to: {role}}}]")).join("\n");
        assert!(
            found.contains(&format!("never notifies `{role}`")),
            "{role}: {found}"
        );
    }
}

#[test]
fn a_regular_expression_is_a_warning() {
    for (condition, patterns) in [
        (
            "ref",
            &[
                "release/.*",
                "feature/.+",
                ".*",
                ".*-stable",
                "release-.*",
                "(main|dev)",
                "main$",
                r"v\d+",
            ][..],
        ),
        ("project", &["acme/.*", "acme/rocket$", "acme/(a|b)", ".+"]),
        (
            "actor",
            &["robin|kim", ".*-bot", "bot$", r"robin\.", "(robin|kim)"],
        ),
        ("author", &[".*@example.org", r".+@example\.org"]),
        (
            "paths",
            &[r".*\.js", r"src/.*\.(js|ts)", "src/*.(js|ts)", r".+\.md$"],
        ),
        ("labels", &[".*", "team::.*", "^bug$"]),
    ] {
        for pattern in patterns {
            for rule in [
                format!("{{{condition}: '{pattern}', to: '@a'}}"),
                format!("{{not: {{{condition}: '{pattern}'}}, to: '@a'}}"),
            ] {
                let found = warnings(&format!("rules: [{rule}]")).join("\n");
                let expected = format!(
                    "has the {condition} `{pattern}`, which never matches: patterns are no regular expressions"
                );
                assert!(found.contains(&expected), "{rule}: {found}");
            }
        }
    }
}

#[test]
fn an_advised_pattern_has_no_warning() {
    for (condition, pattern, advised) in [
        ("paths", "/", r#""**""#),
        ("paths", ".", r#""**""#),
        ("paths", "./", r#""**""#),
        ("ref", "/", r#""**""#),
        ("paths", "src/*/", "src/*/**"),
        ("paths", "src/**/", "src/**"),
        ("paths", "/*/", r#""*/**""#),
        ("paths", "src\\app", "src/app"),
        ("paths", r"\src\", "src/**"),
        ("paths", "**/*.{json,rs}", r#"["**/*.json", "**/*.rs"]"#),
        ("project", "acme/{a,b}", "[acme/a, acme/b]"),
        ("project", "acme/{a, b}/**", "[acme/a/**, acme/b/**]"),
        ("project", "acme/a, acme/b,", "[acme/a, acme/b]"),
        ("ref", "{main,dev}", "[main, dev]"),
        ("actor", "{robin,kim}-bot", "[robin-bot, kim-bot]"),
        ("labels", "{bug,team::a}", r#"[bug, "team::a"]"#),
        (
            "project",
            "git@gitlab.example.org:acme/rocket.git",
            "acme/rocket",
        ),
        (
            "project",
            "git@gitlab.example.org:acme/rocket",
            "acme/rocket",
        ),
        ("project", "/acme/rocket.git", "acme/rocket"),
        ("project", "acme/rocket.git/", "acme/rocket"),
    ] {
        let found =
            warnings(&format!("rules: [{{{condition}: '{pattern}', to: '@a'}}]")).join("\n");
        let is_advised = [
            format!("write `{advised}`"),
            format!("write a list, {advised}"),
            format!("write the path alone, `{advised}`"),
        ];
        assert!(
            is_advised.iter().any(|text| found.contains(text)),
            "{pattern}: {found}"
        );
        let then = warnings(&format!("rules: [{{{condition}: {advised}, to: '@a'}}]"));
        assert_eq!(then, Vec::<String>::new(), "{pattern}");
    }
}

#[test]
fn no_documented_rule_is_without_effect() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut count = 0;
    for page in ["README.md", "function/docs/routing.md"] {
        let text = fs::read_to_string(root.join(page)).expect("can be read");
        let blocks = text.split("```yaml\n").skip(1);
        for block in blocks.filter_map(|block| block.split("```").next()) {
            if block.contains("rules:") {
                assert_eq!(warnings(block), Vec::<String>::new(), "{page}");
                count += 1;
            }
        }
    }
    assert_eq!(count, 3);
}

#[test]
fn a_user_is_found_with_and_without_an_at_sign() {
    let rules = "users: {'@robin': robin.rocket}\nrules: [{to: actor}]";
    let rules = routing::parse(rules).expect("is valid");
    assert_eq!(recipients_of(&rules, &example("push")), "@robin.rocket");
}

#[test]
fn a_rule_that_an_earlier_one_hides_is_a_warning() {
    for (rules, is_hidden) in [
        ("{to: '@a'}, {event: push, to: '@b'}", true),
        (
            "{project: '**', to: '@a'}, {project: 'acme/*', to: '@b'}",
            true,
        ),
        (
            "{event: [push, job], to: '@a'}, {event: push, ref: main, to: '@b'}",
            true,
        ),
        (
            "{event: job, status: [failed, success], to: '@a'}, {event: job, status: failed, to: '@b'}",
            true,
        ),
        ("{to: nobody}, {action: ready, to: '@b'}", true),
        (
            "{event: merge_request, action: update, to: '@a'}, {event: merge_request, action: ready, to: '@b'}",
            true,
        ),
        // A wider pattern, and one that may be narrower.
        (
            "{project: acme/**, to: '@a'}, {project: [acme/rocket, acme/engines/*], to: '@b'}",
            true,
        ),
        (
            "{project: 'acme/*', to: '@a'}, {project: acme/**, to: '@b'}",
            false,
        ),
        (
            "{event: push, ref: '*', to: '@a'}, {event: push, ref: main, to: '@b'}",
            true,
        ),
        (
            "{event: push, ref: '*', to: '@a'}, {event: push, ref: release/2, to: '@b'}",
            false,
        ),
        (
            "{to: '@a', not: {ref: main}}, {to: '@b', not: {ref: ma*}}",
            true,
        ),
        (
            "{to: '@a', not: {ref: ma*}}, {to: '@b', not: {ref: main}}",
            false,
        ),
        // Kinds that cannot have what sets the rules apart.
        (
            "{event: pipeline, to: '@a'}, {source: schedule, to: '@b'}",
            true,
        ),
        (
            "{to: '@a', not: {draft: true}}, {event: push, to: '@b'}",
            true,
        ),
        (
            "{event: push, to: '@a'}, {event: push, confidential: true, to: '@b'}",
            true,
        ),
        // An update of these is no minor one.
        (
            "{event: wiki_page, to: '@a'}, {event: wiki_page, action: update, to: '@b'}",
            true,
        ),
        (
            "{event: release, to: '@a'}, {event: release, action: update, to: '@b'}",
            true,
        ),
        (
            "{event: note, to: '@a'}, {event: note, action: update, to: '@b'}",
            false,
        ),
        // A merge request that is opened with reviewers is no update.
        (
            "{event: merge_request, action: update, to: '@a'}, {event: merge_request, action: review_requested, to: '@b'}",
            false,
        ),
        (
            "{event: merge_request, action: [open, update], to: '@a'}, {event: merge_request, action: [assigned, push], to: '@b'}",
            true,
        ),
        ("{to: '@a', continue: true}, {event: push, to: '@b'}", false),
        (
            "{event: push, to: '@a'}, {event: [push, job], to: '@b'}",
            false,
        ),
        ("{event: push, to: '@a'}, {ref: main, to: '@b'}", false),
        (
            "{to: '@a', not: {ref: main}}, {event: push, to: '@b'}",
            false,
        ),
        (
            "{protected: true, to: '@a'}, {protected: false, to: '@b'}",
            false,
        ),
        (
            "{event: pipeline, status: [failed, fixed], to: '@a'}, {event: pipeline, status: success, to: '@b'}",
            true,
        ),
        // These match what the first rule leaves out.
        ("{to: '@a'}, {confidential: true, to: '@b'}", false),
        ("{to: '@a'}, {status: running, to: '@b'}", false),
        ("{to: '@a'}, {action: ready, to: '@b'}", false),
    ] {
        let found = warnings(&format!("rules: [{rules}]")).join("\n");
        let says_so = found.contains("rule 2 (line 1) is never evaluated: rule 1 (line 1)");
        assert_eq!(says_so, is_hidden, "{rules}: {found}");
        assert_eq!(found.is_empty(), !is_hidden, "{rules}: {found}");
    }
}

#[test]
fn a_rule_that_several_earlier_ones_hide_is_a_warning() {
    let rules = "rules: [{event: push, to: '@a'}, {event: job, to: '@a'}, {event: [push, job], ref: main, to: '@b'}]";
    let expected = "ROUTES: rule 3 (line 1) is never evaluated: rule 1 (line 1) and rule 2 (line 1) match the same events first; set continue: true in these, or write this rule before it";
    assert_eq!(warnings(rules), [expected]);
}

#[test]
fn patterns_that_only_look_like_mistakes_have_no_warning() {
    for rule in [
        "{event: member, project: acme}",
        "{event: [push, release], ref: refs/tags/v*}",
        "{event: pipeline, ref: [refs/tags/v*, refs/heads/main]}",
        "{event: pipeline, allowed_failure: true, status: [failed, success]}",
        "{event: job, allowed_failure: true, status: failed}",
        "{event: pipeline, source: [push, parent_pipeline], status: [failed, fixed]}",
        "{event: push, action: [delete, push], paths: src/**}",
        "{paths: 'docs/a b, c.md'}",
        "{labels: ['needs review', 'team::engines', 'C++']}",
        "{author: kim+gitlab@example.org}",
        "{ref: feature/a+b|c}",
        "{project: '**/rocket'}",
        // A group and its projects.
        "{project: [acme, acme/**]}",
        "{project: ['acme/*', acme]}",
        "{project: [acme, '**'], event: push}",
        "{project: [acme, acme/**], event: [milestone, release]}",
        "{project: [acme, acme/**], event: [member, merge_request]}",
        "{not: {project: [acme, acme/**]}}",
        // Names with a dot, and signs that these names may have.
        "{project: ['acme/*.*', 'acme/rocket.*']}",
        "{ref: ['*.*', 'release-1.*', v.*]}",
        "{actor: ['*.*@example.org', 'kim.*']}",
        "{author: '1+dependabot[bot]@users.noreply.example.org'}",
        "{paths: ['.*', .*/x, '.*rc.json', 'app/(shop)/[id]/*.tsx', 'a$b', 'a,b', '{a}']}",
        "{labels: ['.NET', 'a|b', 'C++']}",
    ] {
        let text = format!("rules: [{}]", rule.replacen('{', "{to: '@a', ", 1));
        assert_eq!(warnings(&text), Vec::<String>::new(), "{rule}");
    }
    let rule = "rules: [{event: issue, to: [actor, assignees], except_actor: true}]";
    let found = warnings(rule).join("\n");
    assert!(found.contains("never notifies `actor`"), "{found}");
    assert!(!found.contains("`assignees`"), "{found}");
}

/// Every recorded payload, and examples with what some versions of GitLab add.
fn events() -> Vec<Event> {
    let mut bodies: Vec<_> = fixtures().into_values().collect();
    bodies.extend(Kind::known().map(|kind| example(kind.label())));
    let draft = json!({ "merge_request": { "draft": true, "labels": [{ "title": "bug" }] } });
    bodies.push(changed("note", &draft));
    bodies.push(changed("emoji", &draft));
    // Authors of commits whose address is public.
    for kind in ["push", "tag_push"] {
        let mut body = example(kind);
        body["commits"][0]["author"]["email"] = json!("kim@example.org");
        bodies.push(body);
    }
    let bodies = bodies.into_iter().map(|body: Value| body.to_string());
    let events = bodies.filter_map(|body| parse(None, body.as_bytes()).ok());
    events.collect()
}

/// The table of what hooks say is right in both directions: no payload says more, and for every cell one
/// payload does.
#[test]
fn the_table_of_what_hooks_say_agrees_with_the_recorded_payloads() {
    let conditions = [
        "project: acme/**",
        "ref: '**'",
        "status: [running, failed, success, canceled, skipped]",
        "protected: true",
        "protected: false",
        "allowed_failure: false",
        "source: [push, web, schedule, merge_request_event, parent_pipeline, api, trigger]",
        "labels: '**'",
        "draft: true",
        "draft: false",
        "paths: '**'",
        "actor: '**'",
        "author: '**'",
        "action: [open, create, push, update, award, detected, close, merge]",
    ];
    let events = events();
    let (mut said, mut allowed) = (BTreeSet::new(), BTreeSet::new());
    for kind in Kind::known().map(Kind::label) {
        for condition in conditions {
            let name = condition.split(':').next().expect("has a name");
            let text =
                format!("rules: [{{event: {kind}, {condition}, confidential: true, to: '@a'}}]");
            let rules = routing::parse(&text).expect("is valid");
            if rules.warnings().is_empty() {
                allowed.insert((kind, name));
            }
            // A word of another list is no word that rules can name.
            let is_word = ["action", "status"].contains(&name);
            let says = |event: &Event| {
                let text = format!("{:?}", rules.explain(event));
                let is_other = is_word && text.contains("matches other");
                !is_other && !text.contains("GitLab does not say")
            };
            let mut of_kind = events.iter().filter(|event| event.kind().label() == kind);
            if of_kind.any(says) {
                said.insert((kind, name));
            }
        }
    }
    let missing: Vec<_> = said.difference(&allowed).collect();
    assert!(missing.is_empty(), "payloads say more: {missing:?}");
    let unproved: Vec<_> = allowed.difference(&said).collect();
    assert!(unproved.is_empty(), "no payload says: {unproved:?}");
}

#[test]
fn no_payload_names_a_user_whose_role_is_a_warning() {
    let events = events();
    for role in [
        "actor",
        "author",
        "committer",
        "assignees",
        "reviewers",
        "new_assignees",
        "new_reviewers",
        "mentioned",
        "pusher",
        "pipeline starter",
    ] {
        for kind in Kind::known().map(Kind::label) {
            let text =
                format!("others: '@a'\nrules: [{{event: {kind}, confidential: true, to: {role}}}]");
            let rules = routing::parse(&text).expect("is valid");
            let is_named = events.iter().any(|event| rules.evaluate(event).is_ok());
            let warnings = rules.warnings();
            assert!(!is_named || warnings.is_empty(), "{kind}: {warnings:?}");
        }
    }
}

#[test]
fn check_fails_for_a_rule_that_never_matches() {
    let mut settings: BTreeMap<String, String> = [
        ("GITLAB_WEBHOOK_TOKENS", "a-token-of-some-length"),
        ("ROCKETCHAT_URL", "http://127.0.0.1:1"),
        ("ROCKETCHAT_USER_ID", "rbAXPnMktTFbNpwtJ"),
        (
            "ROCKETCHAT_AUTH_TOKEN",
            "9HqLlyZOugoStsXCUfD_0YdwnNnunAJF8V47U3QHXSq",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let rules = "rules: [{event: job, protected: true, to: '@alice'}]";
    settings.insert("ROUTES".to_owned(), rules.to_owned());
    let output = program(&settings).arg("check").output().expect("runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.contains("never matches job events"));
    assert!(line.is_some_and(|line| line.starts_with("FAIL ")), "{text}");
    assert!(!text.contains("ok    configuration"), "{text}");
    assert!(!output.status.success());
}

#[test]
fn a_group_under_not_is_no_mistake_in_a_rule_for_events_of_groups() {
    for kind in ["member", "milestone"] {
        let rule = format!("rules: [{{event: {kind}, not: {{project: acme}}, to: '@a'}}]");
        assert_eq!(warnings(&rule), Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn a_rule_that_excludes_what_it_asks_for_is_a_warning() {
    for (rule, key) in [
        ("{draft: true, not: {draft: true}, to: '@a'}", "draft"),
        ("{ref: main, not: {ref: [main, next]}, to: '@a'}", "ref"),
        (
            "{labels: [a, b], not: {labels: [b, a]}, to: '@a'}",
            "labels",
        ),
    ] {
        let found = warnings(&format!("rules: [{rule}]")).join("\n");
        let expected = format!("never matches: every value of `{key}` is also under not:");
        assert!(found.contains(&expected), "{rule}: {found}");
    }
    for rule in [
        "{draft: true, not: {ref: main}, to: '@a'}",
        "{ref: [main, next], not: {ref: main}, to: '@a'}",
    ] {
        assert_eq!(warnings(&format!("rules: [{rule}]")), Vec::<String>::new());
    }
}
