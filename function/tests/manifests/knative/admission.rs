//! What Knative's admission webhook rejects with its default features. The schema accepts more than the webhook
//! does, so the relevant rules are repeated here, after `pkg/apis/serving` of knative.dev/serving v0.48.

use serde_json::Value;

use crate::rendered::{at, keys, list, number, text};

/// Fields of the pod that need no feature flag.
const POD: &str = "automountServiceAccountToken containerConcurrency containers enableServiceLinks \
                   idleTimeoutSeconds imagePullSecrets responseStartTimeoutSeconds \
                   serviceAccountName timeoutSeconds volumes";

/// Fields of the container that are allowed at all.
const CONTAINER: &str = "args command env envFrom image imagePullPolicy livenessProbe name ports \
                         readinessProbe resources securityContext startupProbe \
                         terminationMessagePath terminationMessagePolicy volumeMounts workingDir";

const VOLUMES: &[&str] = &["configMap", "emptyDir", "projected", "secret"];

/// Variables that Knative sets itself.
const VARIABLES: &[&str] = &["PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"];

/// Ports that queue-proxy listens on.
const PORTS: &[u64] = &[8008, 8012, 8013, 8022, 9090, 9091];

/// The longest window, delay or retention.
const MAX_MINUTES: u64 = 60;

const AUTOSCALING: &str = "autoscaling.knative.dev/";

/// Why the admission webhook would reject a Service, or its drain before SIGTERM would fail.
pub(crate) fn violations(service: &Value) -> Vec<String> {
    let template = at(service, "/spec/template");
    let pod = at(template, "/spec");
    let mut violations = misplaced(service);
    violations.extend(unknown("pod", pod, POD));
    violations.extend(containers(pod));
    violations.extend(volumes(pod));
    violations.extend(times(pod));
    violations.extend(autoscaling(template));
    violations
}

fn misplaced(service: &Value) -> Vec<String> {
    let annotations = keys(service, "/metadata/annotations");
    let scaling = annotations
        .iter()
        .filter(|name| name.starts_with(AUTOSCALING));
    scaling
        .map(|name| format!("{name} on the Service"))
        .collect()
}

fn unknown(place: &str, object: &Value, allowed: &str) -> Vec<String> {
    let is_unknown = |name: &&&str| !allowed.split_whitespace().any(|known| known == **name);
    let names = keys(object, "");
    let unknown = names.iter().filter(is_unknown);
    unknown
        .map(|name| format!("{name} of the {place}"))
        .collect()
}

fn containers(pod: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    let containers = list(pod, "/containers");
    violations.extend((containers.len() != 1).then(|| "more than one container".to_owned()));
    let container = containers[0];
    violations.extend(unknown("container", container, CONTAINER));
    let ports = list(container, "/ports");
    violations.extend((ports.len() > 1).then(|| "more than one port".to_owned()));
    for port in ports {
        let is_reserved = PORTS.contains(&number(port, "/containerPort"));
        violations.extend(is_reserved.then(|| format!("reserved port {port}")));
        let name = port.get("name").and_then(Value::as_str).unwrap_or_default();
        let is_protocol = ["", "http1", "h2c"].contains(&name);
        violations.extend((!is_protocol).then(|| format!("port name {name}")));
    }
    for variable in list(container, "/env") {
        let is_reserved = VARIABLES.contains(&text(variable, "/name"));
        violations.extend(is_reserved.then(|| format!("reserved variable {variable}")));
    }
    let has_token = pod
        .get("automountServiceAccountToken")
        .is_some_and(|mount| mount != false);
    violations.extend(has_token.then(|| "a token".to_owned()));
    violations
}

fn volumes(pod: &Value) -> Vec<String> {
    let mounts = list(pod, "/containers/0/volumeMounts");
    let is_invalid = |volume: &&Value| {
        let is_mounted = mounts.iter().any(|mount| mount["name"] == volume["name"]);
        let is_allowed = VOLUMES.iter().any(|kind| volume.get(kind).is_some());
        !is_mounted || !is_allowed
    };
    let invalid = list(pod, "/volumes").into_iter().filter(is_invalid);
    invalid.map(|volume| format!("volume {volume}")).collect()
}

fn times(pod: &Value) -> Vec<String> {
    let whole = number(pod, "/timeoutSeconds");
    let first_byte = number(pod, "/responseStartTimeoutSeconds");
    // 600 s are Knative's default maximum. The grace period is the same number; 30 s of it are spent waiting until no
    // requests arrive, and the rest must suffice for a delivery.
    let is_good = (45..=600).contains(&whole) && first_byte <= whole;
    (!is_good)
        .then(|| format!("timeoutSeconds {whole}"))
        .into_iter()
        .collect()
}

fn autoscaling(template: &Value) -> Vec<String> {
    let value = |name: &str| {
        let pointer = format!("/metadata/annotations/autoscaling.knative.dev~1{name}");
        template
            .pointer(&pointer)
            .map(|value| value.as_str().expect("a text"))
    };
    let mut violations = Vec::new();
    let is_hpa = value("class") == Some("hpa.autoscaling.knative.dev");
    let metric = value("metric").unwrap_or("concurrency");
    let is_known = is_hpa || ["concurrency", "rps"].contains(&metric);
    violations.extend((!is_known).then(|| format!("metric {metric}")));
    for name in ["target", "min-scale", "max-scale"] {
        let is_number = value(name).is_none_or(|value| value.parse::<u32>().is_ok());
        violations.extend((!is_number).then(|| format!("{name} is not a whole number")));
    }
    let never_zero = value("min-scale").is_some_and(|least| least != "0");
    violations.extend((is_hpa && !never_zero).then(|| "an HPA cannot scale to zero".to_owned()));
    let minutes = value("scale-to-zero-pod-retention-period").unwrap_or("0m");
    let is_short = minutes
        .trim_end_matches('m')
        .parse()
        .is_ok_and(|minutes: u64| minutes <= MAX_MINUTES);
    violations.extend((!is_short).then(|| format!("retention {minutes}")));
    violations
}
