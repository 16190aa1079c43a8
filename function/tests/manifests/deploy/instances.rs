//! What the deploy script does with several workloads in one overlay: in one namespace, which it restores together, and in two
//! namespaces, whose settings it keeps apart.

use super::answers::State::{self, Complete, Failed};
use super::answers::{Answer, always, deploy_overlay, once, two_instances, workload};
use super::{assert_rejected, sandbox};

const RESOURCE: &str = "deployment.apps";

const SETTINGS: &str = "configMapGenerator: [{name: webhook-app, behavior: merge, literals: [ROCKETCHAT_URL=https://chat.acme.test, ROCKETCHAT_RECIPIENT=alice]}]";

/// The answers for an instance: as it was, `None` if it is new; as it is during the rollout; and at last.
fn instance(name: &str, before: Option<&str>, during: State, last: State) -> Vec<Answer> {
    let get = format!("get {RESOURCE} webhook-app-{name} ");
    let former = |template| workload(RESOURCE, template, Complete).to_string();
    vec![
        once(
            &format!("{get}--ignore-not-found"),
            0,
            before.map(former).unwrap_or_default(),
        ),
        // For the rollout, and to restore it.
        once(&get, 0, workload(RESOURCE, "new", during)),
        once(&get, 0, workload(RESOURCE, "new", during)),
        always(&get, 0, workload(RESOURCE, "former", last)),
    ]
}

#[test]
fn if_one_workload_fails_all_are_restored_and_the_worst_result_counts() {
    let Some(sandbox) = sandbox("deploy-two") else {
        return;
    };
    let suffixed = |name| format!("namespace: hooks\nnameSuffix: -{name}\n{SETTINGS}");
    let folder = two_instances(&sandbox, [&suffixed("a"), &suffixed("b")]);
    let old = Some("former");
    let cases = [
        (
            "the second fails",
            [
                instance("a", old, Complete, Complete),
                instance("b", old, Failed, Complete),
            ],
            10,
            &["a", "b"][..],
        ),
        (
            "the first is new and fails",
            [
                instance("a", None, Failed, Failed),
                instance("b", old, Complete, Complete),
            ],
            12,
            &["b"],
        ),
        (
            "restoring the first fails",
            [
                instance("a", old, Failed, Failed),
                instance("b", None, Complete, Complete),
            ],
            11,
            &["a"],
        ),
        (
            "the first is as before and the second fails",
            [
                instance("a", Some("new"), Complete, Complete),
                instance("b", old, Failed, Complete),
            ],
            10,
            &["b"],
        ),
    ];
    for (case, answers, code, restored) in cases {
        let answers: Vec<_> = answers.into_iter().flatten().collect();

        let run = deploy_overlay(&sandbox, &folder, &answers);

        assert_eq!(run.code, Some(code), "{case}: {}", run.output);
        for name in ["a", "b"] {
            let patch = format!("patch {RESOURCE} webhook-app-{name}");
            let is_restored = run.calls.iter().any(|call| call.is(&patch));
            assert_eq!(
                is_restored,
                restored.contains(&name),
                "{case}: {name}: {}",
                run.output
            );
        }
    }
}

#[test]
fn settings_of_another_namespace_do_not_count() {
    let Some(sandbox) = sandbox("deploy-two-namespaces") else {
        return;
    };
    let fixed = "generatorOptions: {disableNameSuffixHash: true}";
    let secret = "secretGenerator: [{name: webhook-app, literals: [GITLAB_SIGNING_KEYS=key, ROCKETCHAT_USER_ID=id, ROCKETCHAT_AUTH_TOKEN=token]}]";
    let without_address = SETTINGS.replace("https://chat.acme.test", "");
    let folder = two_instances(
        &sandbox,
        [
            &format!("namespace: hooks\n{fixed}\n{SETTINGS}\n{secret}"),
            &format!("namespace: hooks-b\n{fixed}\n{without_address}"),
        ],
    );
    let missing = once(
        "get Secret webhook-app ",
        1,
        "Error from server (NotFound): not found",
    );

    let run = deploy_overlay(&sandbox, &folder, &[missing]);

    let says = [
        "2 problem(s)",
        "Secret webhook-app does not exist in the namespace hooks-b",
        "expected a value for ROCKETCHAT_URL, found none",
    ];
    assert_rejected(&run, "two namespaces", &says);
}
