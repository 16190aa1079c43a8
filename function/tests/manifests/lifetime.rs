//! Checks that probes, grace period and rolling update give a pod enough time.

use crate::product::{DRAIN_RESERVE_SECONDS, GITLAB_SECONDS, LAME_DUCK_SECONDS};
use crate::rendered::{at, number, rendered, text};
use crate::restricted::pods;

#[test]
fn the_grace_period_covers_drain_and_delivery() {
    let rendered = rendered!("k8s-base");
    let (_, pod) = pods(&rendered)[0];
    let budget: u64 = text(rendered.one("/ConfigMap"), "/data/DELIVERY_TIMEOUT_SECONDS")
        .parse()
        .expect("a number");
    let probe = at(pod, "/containers/0/readinessProbe");

    let needed = LAME_DUCK_SECONDS + budget + DRAIN_RESERVE_SECONDS;
    let unready = number(probe, "/periodSeconds") * number(probe, "/failureThreshold");

    assert!(number(pod, "/terminationGracePeriodSeconds") > needed);
    assert!(
        unready < LAME_DUCK_SECONDS,
        "is unready only after {unready} s"
    );
    assert!(budget < GITLAB_SECONDS);
}

#[test]
fn a_rolling_update_never_has_fewer_pods() {
    let rendered = rendered!("k8s-base");
    let strategy = at(
        rendered.one("apps/Deployment"),
        "/spec/strategy/rollingUpdate",
    );

    assert_eq!(number(strategy, "/maxUnavailable"), 0);
    assert!(number(strategy, "/maxSurge") > 0);
}
