//! What rules and templates see of an event, where two readings were possible. Owns the decisions; what a
//! rule or a template does with an attribute is in `routing` and `templates`.

use serde_json::{Value, json};
use webhook_app::gitlab::commit::CommitSha;
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::kind::Kind;
use webhook_app::gitlab::participants::Person;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};
use webhook_app::notifier::routing;

use crate::messages::{compose, fixtures, parse, pointers};
use crate::routing::{changed, example, patch, recipients_of};

fn event(body: &Value) -> Event {
    parse(None, body.to_string().as_bytes()).expect("is an event")
}

/// The message, but for who triggered the event.
fn render(body: &Value) -> String {
    let (_, message) = compose(body).expect("is an event");
    let text = message.expect("has a message").text;
    text.replace(", started by Robin Example", "")
        .replace(" by Robin Example", "")
}

fn fixture(name: &str) -> Event {
    event(fixtures().get(name).expect("is a fixture"))
}

#[test]
fn a_merge_request_with_new_commits_is_a_push_that_update_matches_too() {
    let attributes = fixture("merge_request_with_new_commits").attributes;
    assert_eq!(attributes.action.as_deref(), Some("push"));
    assert_eq!(attributes.generic_action, Some("update"));
    let body = fixtures()["merge_request_with_new_commits"].clone();
    for (action, expected) in [
        ("push", "@alice"),
        ("update", "@alice"),
        ("open", "no_rule"),
        ("merge", "no_rule"),
    ] {
        let rules = format!("rules: [{{event: merge_request, action: {action}, to: '@alice'}}]");
        let rules = routing::parse(&rules).expect("is valid");
        assert_eq!(recipients_of(&rules, &body), expected, "{action}");
    }
}

#[test]
fn the_title_of_a_pipeline_is_that_of_its_commit_and_its_name_is_the_text() {
    let named = changed(
        "pipeline",
        &json!({ "object_attributes": { "name": "Nightly build" } }),
    );
    let attributes = event(&named).attributes;
    let without_name = event(&example("pipeline")).attributes;
    assert_eq!(attributes.title, without_name.title);
    assert_eq!(attributes.text.as_deref(), Some("Nightly build"));
    assert_eq!(without_name.text, None);
}

#[test]
fn the_title_and_the_committer_of_a_push_are_those_of_its_head() {
    for kind in ["push", "tag_push"] {
        let attributes = event(&example(kind)).attributes;
        assert!(attributes.title.is_some(), "{kind}");
        let committer = attributes.participants.committer;
        assert_eq!(attributes.participants.author, committer, "{kind}");
        let name = committer.as_ref().and_then(Person::display_name);
        assert!(name.is_some(), "{kind}");
    }
}

#[test]
fn gitlab_names_no_actor_of_a_membership_or_an_account() {
    for kind in ["member", "user", "group", "project", "key"] {
        let event = event(&example(kind));
        assert_eq!(event.attributes.participants.actor, None, "{kind}");
    }
}

#[test]
fn a_reaction_has_the_page_and_the_title_of_what_it_is_on_and_its_name_as_text() {
    let emoji = json!({ "object_attributes": { "name": "rocket" } });
    let attributes = event(&changed("emoji", &emoji)).attributes;
    assert!(attributes.page.is_some());
    assert!(attributes.title.is_some());
    assert_ne!(attributes.title, attributes.text);
    assert_eq!(attributes.text.as_deref(), Some("rocket"));
}

#[test]
fn a_repository_update_is_about_its_first_ref() {
    let attributes = event(&example("repository_update")).attributes;
    assert_eq!(attributes.reference.as_deref(), Some("main"));
}

#[test]
fn a_field_that_only_rules_want_never_makes_a_body_unreadable() {
    let odd = [
        json!(7),
        json!("x"),
        json!([[]]),
        json!({ "id": [] }),
        json!(null),
    ];
    for (kind, fields) in [
        ("push", &["ref_protected", "user_email"][..]),
        (
            "merge_request",
            &["user", "assignees", "reviewers", "labels", "changes"],
        ),
        ("issue", &["user", "assignees", "labels", "changes"]),
        ("note", &["user", "snippet"]),
        ("pipeline", &["user"]),
        (
            "job",
            &["user", "commit", "build_allow_failure", "environment"],
        ),
    ] {
        for field in fields {
            for value in &odd {
                let mut body = example(kind);
                body[*field] = value.clone();
                let (read, plain) = (render(&body), render(&example(kind)));
                // The people of a new merge request or issue are in the last line.
                let [read, plain] = [&read, &plain].map(|text| text.lines().next());
                assert_eq!(read, plain, "{kind} {field} {value}");
            }
        }
    }
    for field in [
        "assignee_ids",
        "reviewer_ids",
        "source_branch",
        "target_branch",
    ] {
        for value in &odd {
            let mut body = example("note");
            body["merge_request"][field] = value.clone();
            assert_eq!(render(&body), render(&example("note")), "{field} {value}");
        }
    }
}

/// One member of one example at a time is huge: a text of 100 KB, or a list of 2,000 entries.
#[test]
fn an_event_is_small_however_large_its_body_is() {
    let mut large = Vec::new();
    for kind in Kind::known() {
        let example = example(kind.label());
        for pointer in pointers(&example, "") {
            let mut body = example.clone();
            let member = body.pointer_mut(&pointer).expect("exists");
            match member {
                Value::String(text) => text.push_str(&"x".repeat(100_000)),
                Value::Array(items) if !items.is_empty() => {
                    let item = items[0].clone();
                    items.resize(2_000, item);
                }
                _ => continue,
            }
            let Ok(event) = parse(None, body.to_string().as_bytes()) else {
                continue;
            };
            let size = format!("{event:?}").len();
            if size > 64 * 1024 {
                large.push(format!("{}{pointer}: {size} bytes", kind.label()));
            }
        }
    }
    assert_eq!(large, Vec::<String>::new());
}

#[test]
fn failed_jobs_beyond_the_limit_are_counted() {
    let failed = json!({ "name": "test", "status": "failed" });
    let body = changed(
        "pipeline",
        &json!({
            "object_attributes": { "status": "failed" },
            "builds": vec![failed; 150],
        }),
    );
    let attributes = event(&body).attributes;
    assert_eq!(attributes.failed_jobs.len(), LIMITS.events.max_list_entries);
    assert_eq!(attributes.failed_job_count, 150);
    let text = render(&body);
    assert!(text.contains(" and [147 more]("), "{text}");
}

#[test]
fn the_commit_of_a_merge_is_the_one_it_created() {
    for (name, expected) in [
        ("merge_request_merged", Some("7be41a08")),
        ("merge_request_merged_after_a_squash", Some("7be41a08")),
        ("merge_request_squashed_by_a_fast_forward", Some("90ab34c8")),
        ("merge_request_merged_by_a_fast_forward", Some("3f2c9d7b")),
        ("merge_request_test_of_a_merged_one", Some("7be41a08")),
    ] {
        let sha = fixture(name).attributes.sha;
        assert_eq!(sha.as_ref().map(CommitSha::short), expected, "{name}");
    }
    // The merge commit that GitLab tests before a merge is on no branch.
    for action in ["open", "close", "update", "approved"] {
        let mut body = fixtures()["merge_request_merged"].clone();
        body["object_attributes"]["action"] = json!(action);
        let sha = event(&body).attributes.sha;
        let sha = sha.as_ref().map(CommitSha::short);
        assert_eq!(sha, Some("3f2c9d7b"), "{action}");
    }
}

/// Where a body names the commit that it is about; the commits that it compares with are elsewhere.
const COMMITS: &[&str] = &[
    "/after",
    "/checkout_sha",
    "/sha",
    "/commit/id",
    "/commit/sha",
    "/commit_url",
    "/merge_request/last_commit/id",
    "/changes/0/after",
    "/object_attributes/sha",
    "/object_attributes/commit_id",
    "/object_attributes/last_commit/id",
];

#[test]
fn every_event_with_a_commit_carries_it() {
    let mut kinds = std::collections::BTreeSet::new();
    for (name, body) in fixtures() {
        let commits = COMMITS
            .iter()
            .filter_map(|field| body.pointer(field)?.as_str());
        let mut shas = commits.filter_map(|text| CommitSha::parse(text.rsplit('/').next()?));
        let event = event(&body);
        let is_known = event.attributes.sha.is_some();
        // The id of the commit and the URL of its page do not agree.
        if shas.next().is_some() && name != "deployment_whose_commits_disagree" {
            assert!(is_known, "{name}");
            kinds.insert(event.kind().label());
        }
    }
    let expected = [
        "deployment",
        "emoji",
        "job",
        "merge_request",
        "note",
        "pipeline",
        "push",
        "release",
        "repository_update",
        "tag_push",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_merged_result_shows_the_merge_request_and_its_last_commit() {
    let merged_result = fixtures()["pipeline_of_a_merged_result"].clone();
    let attributes = event(&merged_result).attributes;
    assert_eq!(attributes.title.as_deref(), Some("Add landing legs"));
    let [sha, source] = [&attributes.sha, &attributes.source_sha]
        .map(|sha| sha.as_ref().map(|sha| sha.short().to_owned()));
    assert_eq!(sha.as_deref(), Some("c65d1e7f"));
    assert_eq!(source.as_deref(), Some("3f2c9d7b"));
    let text = render(&merged_result);
    assert!(text.contains("\nmerged result · "), "{text}");
    assert!(!text.contains("[c65d1e7f]("), "{text}");
    for (case, change) in [
        (
            "pushed",
            json!({ "object_attributes": { "source": "push" } }),
        ),
        ("no merge request", json!({ "merge_request": null })),
        (
            "another title",
            json!({ "commit": { "message": "Merge branch 'a' into 'b'" } }),
        ),
    ] {
        let mut body = merged_result.clone();
        patch(&mut body, &change);
        assert_eq!(event(&body).attributes.source_sha, None, "{case}");
        let text = render(&body);
        assert!(text.contains("[c65d1e7f]("), "{case}: {text}");
        assert!(!text.contains("merged result"), "{case}: {text}");
    }
}

#[test]
fn a_branch_that_moves_back_is_reset_and_any_other_push_says_nothing_of_force() {
    let text = |name: &str| render(&fixtures()[name]);
    let reset = text("push_that_goes_back");
    assert!(
        reset.starts_with("⏪ [3f2c9d7b](") && reset.contains(") is now the head of `main` in "),
        "{reset}"
    );
    let back = fixture("push_that_goes_back").attributes;
    assert_eq!(back.action.as_deref(), Some("push"));
    for name in [
        "push_that_may_be_forced",
        "push_of_a_new_branch_without_commits",
        "push_with_more_commits_than_listed",
    ] {
        let text = text(name);
        assert!(text.contains(" pushed "), "{name}: {text}");
        assert!(!text.contains("force") && !text.contains("reset"), "{text}");
    }
    // Without the number of commits, nothing is known.
    let mut body = fixtures()["push_that_goes_back"].clone();
    body["total_commits_count"] = Value::Null;
    assert!(render(&body).contains(" pushed to `main` "));
}

#[test]
fn a_ref_of_a_merge_request_is_shown_as_the_merge_request() {
    let page = "[merge request 12](https://gitlab.example.org/acme/rocket/-/merge_requests/12)";
    for name in [
        "job_of_a_merge_request",
        "job_of_a_merge_train_of_an_older_gitlab",
        "deployment_of_a_merge_request",
    ] {
        let body = fixtures()[name].clone();
        for last in ["head", "merge", "train"] {
            let mut body = body.clone();
            body["ref"] = json!(format!("refs/merge-requests/12/{last}"));
            let text = render(&body);
            assert!(text.contains(page), "{name}: {text}");
            assert!(!text.contains("refs/"), "{name}: {text}");
        }
        let reference = event(&body).attributes.reference.expect("has a ref");
        for (glob, expected) in [
            (reference.as_str(), "@alice"),
            ("refs/merge-requests/**", "@alice"),
            ("main", "no_rule"),
        ] {
            let rules = format!("rules: [{{ref: '{glob}', to: '@alice'}}]");
            let rules = routing::parse(&rules).expect("is valid");
            assert_eq!(recipients_of(&rules, &body), expected, "{name} {glob}");
        }
    }
}

#[test]
fn a_pipeline_matches_the_source_branch_of_its_merge_request() {
    let mut body = fixtures()["pipeline_of_a_merged_result"].clone();
    for reference in ["feature/landing-legs", "refs/merge-requests/12/merge"] {
        body["object_attributes"]["ref"] = json!(reference);
        let found = event(&body).attributes.reference;
        assert_eq!(found.as_deref(), Some("feature/landing-legs"));
    }
    body["merge_request"] = Value::Null;
    let text = render(&body);
    assert!(text.contains(" for [merge request 12]("), "{text}");
}

#[test]
fn a_failure_that_is_allowed_is_recognized_and_said() {
    for (name, expected, words) in [
        ("job_that_may_fail", Some(true), " failed (allowed) on "),
        ("job_failed", Some(false), " failed on "),
        ("job_passed", Some(false), " passed on "),
        (
            "pipeline_passed_with_warnings",
            Some(true),
            " passed with warnings on ",
        ),
        ("pipeline_passed", Some(false), " passed on "),
        ("pipeline_failed", Some(false), " failed on "),
    ] {
        let body = fixtures()[name].clone();
        assert_eq!(event(&body).attributes.allowed_failure, expected, "{name}");
        let text = render(&body);
        assert!(text.contains(words), "{name}: {text}");
    }
    let mut job = fixtures()["job_failed"].clone();
    job["build_allow_failure"] = Value::Null;
    assert_eq!(event(&job).attributes.allowed_failure, None);
}

#[test]
fn the_status_in_detail_decides_whether_a_pipeline_passed_with_warnings() {
    let mut body = fixtures()["pipeline_passed_with_warnings"].clone();
    let allowed = |body: &Value| event(body).attributes.allowed_failure;
    // In another language, as a user of GitLab chose it.
    body["object_attributes"]["detailed_status"] = json!("mit Warnungen bestanden");
    assert_eq!(allowed(&body), Some(true));
    body["builds"] = fixtures()["pipeline_passed"]["builds"].clone();
    assert_eq!(allowed(&body), Some(false));
    body["builds"] = Value::Null;
    assert_eq!(allowed(&body), None);
    // The jobs that start other pipelines are not listed.
    body["object_attributes"]["detailed_status"] = json!("passed with warnings");
    assert_eq!(allowed(&body), Some(true));
}

#[test]
fn a_message_says_only_what_gitlab_says() {
    let reset = json!({ "object_attributes": { "system": true } });
    let labels = |first: u64, second: u64| {
        let label = |id: u64| json!({ "id": id, "title": format!("label {id}") });
        json!([label(first), label(second)])
    };
    let order = json!({ "previous": labels(1, 2), "current": labels(2, 1) });
    let ready = json!({ "previous": "Draft: a", "current": "a" });
    let update =
        |changes: Value| json!({ "object_attributes": { "action": "update" }, "changes": changes });
    for (name, change, expected) in [
        (
            "merge_request_unapproved",
            reset,
            Some(", reset by a push of "),
        ),
        (
            "merge_request_updated",
            update(json!({ "labels": order })),
            None,
        ),
        (
            "issue_updated",
            update(json!({ "title": ready })),
            Some(" retitled in "),
        ),
        (
            "merge_request_updated",
            update(json!({ "title": { "previous": "a", "current": "Draft: a" } })),
            Some("🔀 [Merge request 12]("),
        ),
        (
            "merge_request_opened",
            json!({ "object_attributes": { "title": "Draft:", "draft": true } }),
            Some("\n`Draft:`\n"),
        ),
        (
            "push_without_names",
            json!({ "user_name": "\u{200b}", "user_username": "robin" }),
            Some(" by robin\n"),
        ),
        (
            "pipeline_running",
            json!({ "object_attributes": { "duration": 63 } }),
            Some("order\nafter a push"),
        ),
        (
            "repository_update_that_deletes_a_branch",
            json!({}),
            Some("🚮 "),
        ),
        (
            "member_leaves_a_group",
            json!({}),
            Some(" is no longer in group "),
        ),
        (
            "member_may_not_join_a_group",
            json!({ "event_name": "user_access_request_revoked_for_group" }),
            Some(" to join group **acme** has ended"),
        ),
    ] {
        let mut body = fixtures()[name].clone();
        patch(&mut body, &change);
        let event = event(&body);
        let all = Visibility {
            confidential: true,
            in_progress: true,
            minor_updates: true,
        };
        let message = message::render(&event, all, MessageStyle::Signs);
        let text = message.ok().map(|message| message.text());
        match expected {
            Some(part) => assert!(
                text.as_ref().is_some_and(|text| text.contains(part)),
                "{name}: {text:?}"
            ),
            None => assert_eq!(text, None, "{name}"),
        }
    }
}
