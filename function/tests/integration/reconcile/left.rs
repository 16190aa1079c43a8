//! What a run leaves: it is named, and the exit code is 1 while it is new.

use super::*;

const MORE_THAN_A_DAY: Duration = Duration::from_hours(25);

impl Setup {
    /// A run names what is left and is not complete; after a day, a run still names it and is complete.
    async fn assert_named_and_counted_for_a_day(&self, words: &[&str]) {
        for is_complete in [false, true] {
            let output = self.run(ONCE, &[]).await;
            let summary = output.summary();
            assert!(
                words.iter().all(|words| summary.contains(words)),
                "{summary}"
            );
            assert_eq!(output.round.is_complete(), is_complete, "{summary}");
            self.gitlab.advance(MORE_THAN_A_DAY);
        }
    }
}

#[tokio::test]
async fn a_webhook_to_a_former_url_is_named_and_counts_for_a_day() {
    let setup = Setup::start().await;
    let former = json!({ "url": setup.harness.function.url("/former") });
    let url = json!({ "url": setup.harness.function.url("/webhook") });
    setup.gitlab.change_hook(setup.hook, &former);
    setup.pushes(1..=1).await;
    setup.gitlab.change_hook(setup.hook, &url);
    setup
        .assert_named_and_counted_for_a_day(&["left: 1 webhook to a former URL"])
        .await;
    setup.finish();
}

#[tokio::test]
async fn a_lost_webhook_is_named_and_counts_for_a_day() {
    let gitlab = FakeGitLab::builder().record_limit(100).start().await;
    let setup = Setup::with(gitlab.expect("starts"), &[]).await;
    setup.break_recipient();
    setup.pushes(1..=1).await;
    setup
        .assert_named_and_counted_for_a_day(&["lost: push", "1 lost"])
        .await;
    setup.finish();
}

#[tokio::test]
async fn pushes_of_which_only_gitlab_knows_whether_the_hook_receives_them_are_left() {
    let setup = Setup::start().await;
    let filter = json!({ "branch_filter_strategy": "regex", "push_events_branch_filter": "^m" });
    setup.gitlab.change_hook(setup.hook, &filter);
    setup.gitlab.record_event(PROJECT, Trigger::Push, &push(1));
    setup.gitlab.advance(Duration::from_mins(5));
    let output = setup.run(BACKFILL, &[]).await;
    let summary = output.summary();
    assert!(
        summary.contains("left: 1 push, because only GitLab knows"),
        "{summary}"
    );
    assert!(!output.round.is_complete());
    setup.finish();
}

#[tokio::test]
async fn memberships_without_a_project_are_an_error() {
    let setup = Setup::start().await;
    setup.gitlab.set_access(BOT, PROJECT, None);
    let output = setup.run(ONCE, &[("HOOKS", "[{membership: true}]")]).await;
    let summary = output.summary();
    assert!(summary.contains("is Maintainer of no project"), "{summary}");
    assert!(!output.round.is_complete());
    setup.finish();
}
