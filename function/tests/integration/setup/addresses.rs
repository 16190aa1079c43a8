//! The address of the webhook, and its triggers: they are those that `webhook-app hooks` and the function expect.

use super::World;
use crate::harness::program;

#[tokio::test]
async fn an_address_without_a_path_gets_that_of_the_function() {
    let world = World::start().await;
    let address = [("WEBHOOK_URL", "https://hooks.example.org")];

    let run = world.setup_with(&address, &[]).await;

    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let expected = "WEBHOOK_URL: has no path, so /webhook is added";
    assert!(run.err.contains(expected), "{}", run.err);
    let hooks = world.gitlab.hooks_of(super::PROJECT);
    let url = |hook: &u64| world.gitlab.hook(*hook)["url"].clone();
    let urls: Vec<_> = hooks.iter().map(url).collect();
    assert_eq!(urls, ["https://hooks.example.org/webhook"]);
    world.take_message();
    world.finish();
}

#[tokio::test]
async fn another_path_is_refused_and_one_behind_a_prefix_is_not() {
    let world = World::start().await;
    for path in ["hook", "webhook/", "webhooks", "healthz", "webhook/x"] {
        let address = format!("https://hooks.example.org/{path}");
        let run = world.setup_with(&[("WEBHOOK_URL", &address)], &[]).await;
        assert_eq!(run.code, Some(64), "{path}: {}", run.out);
        let expected = "WEBHOOK_URL: expected an address with the path /webhook";
        assert!(run.err.contains(expected), "{path}: {}", run.err);
    }
    assert_eq!(world.changes(0), Vec::<String>::new());
    let prefix = [("WEBHOOK_URL", "https://example.org/gitlab/webhook")];
    let run = world.setup_with(&prefix, &["--dry-run"]).await;
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    world.finish();
}

/// `hooks plan` with what setup says to start webhook-app with.
#[tokio::test]
async fn the_webhook_is_as_hooks_expects_it() {
    for overrides in [
        &[("ROCKETCHAT_RECIPIENT", "")][..],
        &[("ROCKETCHAT_RECIPIENT", "alice")],
        &[("ROCKETCHAT_RECIPIENT", ""), ("LIVE_PIPELINES", "true")],
    ] {
        let world = World::start().await;
        let run = world.setup_with(overrides, &["--to", "alice"]).await;
        assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
        world.chat.take_message();
        let stored = std::fs::read_to_string(world.file()).expect("is text");
        let mut settings = world.settings();
        for (name, value) in [
            ("HOOKS", "- project: acme/rocket"),
            ("ROCKETCHAT_RECIPIENT", "alice"),
        ] {
            settings.insert(name.to_owned(), value.to_owned());
        }
        let stored = stored.lines().filter(|line| !line.starts_with('#'));
        settings.extend(stored.filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        }));
        let mut plan = program(&settings);
        plan.args(["hooks", "plan"]);
        let plan = tokio::task::spawn_blocking(move || plan.output().expect("runs"));
        let plan = plan.await.expect("does not panic");
        let text = String::from_utf8_lossy(&plan.stdout);
        assert_eq!(plan.status.code(), Some(0), "{overrides:?}: {text}");
        assert!(text.starts_with("acme/rocket  ok\n"), "{text}");
        world.finish();
    }
}
