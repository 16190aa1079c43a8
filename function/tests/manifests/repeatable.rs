//! Checks that a local cluster can be created after any interruption: the script is killed at each call of kind,
//! k3d, docker and kubectl that changes something, and the next run completes what is missing.

use crate::sandbox::{EMPTY, Sandbox};

const LOCAL: &str = "function/tests/e2e/local";

#[test]
fn up_completes_what_a_killed_run_has_begun() {
    for cluster in ["kind", "k3d"] {
        let Some(sandbox) = Sandbox::new(&format!("repeatable-{cluster}")) else {
            return;
        };
        let calls = calls_of(&sandbox, "up", cluster);
        assert!(calls >= 2, "{cluster}: {calls}");
        let mut places = vec!["create".to_owned()];
        places.extend((1..calls).map(|call| call.to_string()));
        completes(&sandbox, "up", cluster, &places);
    }
}

#[test]
fn demo_completes_what_a_killed_run_has_begun() {
    let Some(sandbox) = Sandbox::new("repeatable-demo") else {
        return;
    };
    let up = calls_of(&sandbox, "up", "kind");
    let demo = calls_of(&sandbox, "demo", "kind");
    assert!(demo > up + 5, "{demo} and {up}");
    let places: Vec<_> = (up + 1..demo).map(|call| call.to_string()).collect();
    completes(&sandbox, "demo", "kind", &places);
}

#[test]
fn up_can_be_repeated_and_down_removes_also_what_a_killed_run_has_begun() {
    for cluster in ["kind", "k3d"] {
        let Some(sandbox) = Sandbox::new(&format!("repeated-{cluster}")) else {
            return;
        };
        let variables = [("CLUSTER", cluster), ("INTERRUPT", "create")];
        sandbox.run(&format!("{LOCAL} up"), &variables, EMPTY);
        let run = |command: &str| {
            let line = format!("{LOCAL} {command}");
            let run = sandbox.run_again(&line, &[("CLUSTER", cluster)], EMPTY);
            assert_eq!(run.code, Some(0), "{cluster} {command}\n{}", run.output);
            (sandbox.files("state/made"), run.programs)
        };
        let (begun_is_removed, _) = run("down");
        let (made, _) = run("up");

        let (again, programs) = run("up");
        let (removed, _) = run("down");
        let (still_removed, _) = run("down");

        assert!(
            begun_is_removed.is_empty(),
            "{cluster}: {begun_is_removed:?}"
        );
        assert_eq!(again, made, "{cluster}");
        let creates = programs.iter().find(|line| line.contains(" create "));
        assert_eq!(creates, None, "{cluster}");
        assert!(removed.is_empty(), "{cluster}: {removed:?}");
        assert!(still_removed.is_empty(), "{cluster}");
    }
}

/// Kills the command at each place, and compares what the next run leaves with what an undisturbed one does.
fn completes(sandbox: &Sandbox, command: &str, cluster: &str, places: &[String]) {
    let line = format!("{LOCAL} {command}");
    let run = sandbox.run(&line, &[("CLUSTER", cluster)], EMPTY);
    assert_eq!(run.code, Some(0), "{cluster}\n{}", run.output);
    let expected = sandbox.files("state/made");
    for place in places {
        let variables = [("CLUSTER", cluster), ("INTERRUPT", place)];
        let killed = sandbox.run(&line, &variables, EMPTY);
        assert_eq!(killed.code, None, "{cluster}, {place}: {}", killed.output);

        let run = sandbox.run_again(&line, &[("CLUSTER", cluster)], EMPTY);

        let case = format!("{cluster}, killed at call {place}:\n{}", killed.output);
        assert_eq!(run.code, Some(0), "{case}\nthen\n{}", run.output);
        assert_eq!(sandbox.files("state/made"), expected, "{case}");
    }
}

/// How many calls that change something a command makes.
fn calls_of(sandbox: &Sandbox, command: &str, cluster: &str) -> usize {
    let run = sandbox.run(
        &format!("{LOCAL} {command}"),
        &[("CLUSTER", cluster)],
        EMPTY,
    );
    assert_eq!(run.code, Some(0), "{}", run.output);
    let calls = &sandbox.files("state")["calls"];
    calls.trim().parse().expect("a number")
}
