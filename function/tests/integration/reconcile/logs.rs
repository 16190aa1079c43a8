//! Logs that are hard to read: large records, records that GitLab no longer shows, and pages without an end.

use webhook_app::reconcile::{Totals, exposition};

use super::*;

/// A response may have 32 of them.
const MIB: usize = 1024 * 1024;

fn padded(mut body: Value, bytes: usize) -> Value {
    body["padding"] = json!("x".repeat(bytes));
    body
}

impl Setup {
    /// The ID of the newest record.
    fn newest(&self) -> u64 {
        let events = self.gitlab.events(self.hook);
        let newest = events.last().and_then(|event| event["id"].as_u64());
        newest.expect("there is a record")
    }

    async fn skips(&self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.gitlab
                .deliver(PROJECT, Trigger::Push, &skipped(number))
                .await;
        }
    }
}

#[tokio::test]
async fn a_record_that_is_too_large_is_named_by_its_place_and_the_others_are_sent() {
    let setup = Setup::start().await;
    setup.skips(100..=125).await;
    setup.break_recipient();
    let (mut named, mut newest) = (String::new(), 0);
    for (number, bytes) in [(1, 33 * MIB), (2, 17 * MIB), (3, 17 * MIB)] {
        setup.pushes([number]).await;
        let before = setup.newest();
        setup.skips([number]).await;
        setup
            .gitlab
            .replace_record(setup.newest(), padded(skipped(number), bytes));
        if number == 2 {
            named = format!("lost: 1 record between the events {newest} and ");
            named += &setup
                .gitlab
                .events(setup.hook)
                .iter()
                .rev()
                .nth(1)
                .expect("is there")["id"]
                .to_string();
        }
        newest = before;
    }
    setup.fix_recipient();
    setup.gitlab.clear_requests();

    let output = setup.run(ONCE, &[]).await;

    assert_eq!(output.count("sent again"), 3, "{:?}", output.lines);
    setup.take_pushes(1..=3);
    let summary = output.summary();
    assert!(
        summary.contains(&named) && summary.contains("1 lost"),
        "{named}\n{summary}"
    );
    assert!(!output.round.is_complete());
    let requests = setup.gitlab.requests();
    let log: Vec<_> = requests
        .iter()
        .filter(|request| request.path.ends_with("/events"))
        .collect();
    let is_full = |query: &str| query.contains("per_page=20&page=2");
    assert!(log.iter().any(|request| is_full(&request.query)), "{log:?}");
    setup.finish();
}

#[tokio::test]
async fn what_gitlab_no_longer_shows_is_forgotten() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=1).await;
    setup
        .gitlab
        .replace_record(setup.newest(), json!({ "oversize": true }));
    setup.pushes(2..=2).await;
    let config = setup.config(ONCE, &[]);
    let mut reconciler =
        Reconciler::new(&config, ONCE, setup.clock(), |_| {}).expect("can be set up");
    for (expected, days) in [(1, 6), (1, 9), (0, 0)] {
        let round = reconciler.round().await.expect("GitLab responds");
        let metrics = exposition(&Totals::default(), Some(&round));
        let labels = format!("project=\"{PROJECT_ID}\",hook=\"{}\"", setup.hook);
        for line in [
            format!("webhook_gitlab_hook_unrecoverable{{{labels},reason=\"oversize\"}} {expected}"),
            format!("webhook_gitlab_hook_failed_keys_waiting{{{labels}}} {expected}"),
        ] {
            assert!(
                metrics.lines().any(|found| found == line),
                "{line}\n{metrics}"
            );
        }
        setup.gitlab.advance(Duration::from_hours(days * 24));
    }
    setup.finish();
}

#[tokio::test]
async fn with_direct_every_record_is_posted_however_large_they_are_together() {
    let setup = Setup::start().await;
    let file = std::env::temp_dir().join(format!("reconcile-large-{}.json", std::process::id()));
    let cursor = [("RECONCILE_CURSOR_FILE", file.to_str().expect("is text"))];
    setup.break_recipient();
    for number in 1..=3 {
        setup.pushes([number]).await;
        if number > 1 {
            setup
                .gitlab
                .replace_record(setup.newest(), json!("x".repeat(17 * MIB)));
        }
    }
    setup.fix_recipient();
    let output = setup.run(DIRECT, &cursor).await;
    assert_eq!(output.count("sent again"), 3, "{:?}", output.lines);
    assert!(output.round.is_complete());
    setup.take_pushes(1..=1);
    let again = setup.run(DIRECT, &cursor).await;
    assert_eq!(again.lines, [""; 0]);
    std::fs::remove_file(file).expect("was written");
    setup.finish();
}

#[tokio::test]
async fn a_log_whose_next_page_never_ends_is_read() {
    let setup = Setup::start().await;
    setup.gitlab.make_logs_endless();
    setup.break_recipient();
    setup.pushes(1..=1).await;
    setup.fix_recipient();
    let output = setup.run(ONCE, &[]).await;
    assert!(output.round.is_complete(), "{}", output.summary());
    setup.take_pushes(1..=1);
    setup.finish();
}
