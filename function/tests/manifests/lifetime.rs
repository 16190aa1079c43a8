//! Checks that probes, grace period and rolling update give a pod enough time.

use webhook_app::limits::LIMITS;

use crate::rendered::{all, at, number, overlay, rendered};
use crate::restricted::pods;
use crate::settings::config;

/// GitLab's timeout for a webhook.
pub(crate) const GITLAB_SECONDS: u64 = 10;

/// The formula in the comment of deployment.yaml.
#[test]
fn the_grace_period_of_every_deployment_covers_its_shutdown() {
    for folder in all() {
        let rendered = rendered!(&folder);
        if rendered.every("apps/Deployment").is_empty() || rendered.every("/ConfigMap").len() != 1 {
            continue;
        }
        let pods = pods(&rendered);
        let (name, pod) = &pods[0];
        if !name.starts_with("webhook-app") {
            continue;
        }
        let config = config(&rendered);
        let telemetry = LIMITS.telemetry;
        let needed = config.lame_duck
            + config.delivery_timeout
            + LIMITS.shutdown.drain_reserve
            + telemetry.flush_timeout
            + telemetry.log_flush_timeout;

        let grace = number(pod, "/terminationGracePeriodSeconds");

        assert!(
            grace > needed.as_secs(),
            "{folder}: {grace} s for {needed:?}"
        );
        assert!(config.delivery_timeout.as_secs() < GITLAB_SECONDS);
    }
}

#[test]
fn a_pod_is_unready_before_it_stops_listening() {
    let rendered = rendered!("k8s-base");
    let probe = at(pods(&rendered)[0].1, "/containers/0/readinessProbe");

    let unready = number(probe, "/periodSeconds") * number(probe, "/failureThreshold");

    assert!(unready < config(&rendered).lame_duck.as_secs());
}

#[test]
fn a_slow_load_balancer_has_the_longest_lame_duck_time() {
    let rendered = rendered!(overlay("slow-load-balancer"));

    let lame_duck = config(&rendered).lame_duck.as_secs();

    assert_eq!(lame_duck, LIMITS.shutdown.max_lame_duck_seconds);
}

#[test]
fn a_rolling_update_never_has_fewer_pods() {
    let rendered = rendered!("k8s-base");
    let spec = at(rendered.one("apps/Deployment"), "/spec");
    let strategy = at(spec, "/strategy/rollingUpdate");

    assert_eq!(number(strategy, "/maxUnavailable"), 0);
    assert!(number(strategy, "/maxSurge") > 0);
    // A new node and the pull of the image take minutes.
    assert!(number(spec, "/progressDeadlineSeconds") >= 600);
}
