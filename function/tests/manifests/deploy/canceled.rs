//! What the deploy script does when its job is canceled during a rollout.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::answers::{State, always, deploy_with, once, workload};
use super::{SECRET, sandbox};

/// Ends the deploy script, which has started `rollout`, which waits.
const SLEEP: &str = "#!/bin/bash
[[ -e $STATE/canceled ]] || {
  touch $STATE/canceled
  read -r _ _ _ parent _ < /proc/$PPID/stat
  kill -s TERM $parent
}
exec /bin/sleep 0.05
";

#[test]
fn a_canceled_deployment_says_what_to_do_and_leaves_no_process() {
    let Some(sandbox) = sandbox("deploy-canceled") else {
        return;
    };
    let sleep = sandbox.folder("programs").join("sleep");
    fs::write(&sleep, SLEEP).expect("can be written");
    fs::set_permissions(&sleep, fs::Permissions::from_mode(0o755)).expect("can be set");
    let get = "get deployment.apps webhook-app ";
    let answers = [
        once(&format!("{get}--ignore-not-found"), 0, ""),
        always(
            get,
            0,
            workload("deployment.apps", "new", State::Incomplete),
        ),
    ];

    let run = deploy_with(&sandbox, "k8s-base", SECRET, &answers);

    assert_eq!(run.code, Some(143), "{}", run.output);
    let says = "canceled: the new revision may be rolled out in part";
    assert!(run.output.contains(says), "{}", run.output);
    // The output ends with the last process.
    assert!(!run.output.contains("not within"), "{}", run.output);
    assert!(
        !run.calls.iter().any(|call| call.is("patch")),
        "{:?}",
        run.calls
    );
}
