//! Checks that the Broker and its Trigger agree with the program: which events come back, where, for how long they are
//! tried, what each response means, and who may connect.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fakes::broker::Next;
use serde_json::{Value, json};
use webhook_app::hand_off::event::EVENT_TYPE;
use webhook_app::limits::LIMITS;
use webhook_app::outcome::Failure;

use crate::agreement::is_part_of;
use crate::network_policies::policy;
use crate::program::Program;
use crate::rendered::{Rendered, at, file, kustomize, list, number, overlay, rendered, text};
use crate::restricted::pods;
use crate::settings::config;

const README: &str = "knative/eventing/README.md";
const GUARANTEES: &str = "function/docs/guarantees.md";

/// The overlays with a Broker, and the kind of their workload.
const OVERLAYS: &[(&str, &str)] = &[
    ("eventing", "apps/Deployment"),
    ("eventing-rabbitmq", "apps/Deployment"),
    ("eventing-renamed", "apps/Deployment"),
    ("knative-eventing", "serving.knative.dev/Service"),
    ("knative-eventing-rabbitmq", "serving.knative.dev/Service"),
];

/// After this time, RabbitMQ closes the channel of a consumer that has not acknowledged an event.
const RABBITMQ_CONSUMER_TIMEOUT: Duration = Duration::from_mins(30);

const TRIGGER: &str = "eventing.knative.dev/Trigger";
const BROKER: &str = "eventing.knative.dev/Broker";
const POD_LABELS: &str = "/spec/podSelector/matchLabels";

#[test]
fn every_reference_of_the_broker_leads_to_an_object_of_the_overlay() {
    for (name, workload) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let trigger = rendered.one(TRIGGER);
        let binding = rendered.one("sources.knative.dev/SinkBinding");

        let subscriber = at(trigger, "/spec/subscriber/ref");
        let receives = match *workload {
            "apps/Deployment" => "/Service",
            knative => knative,
        };
        let dead_letters = at(trigger, "/spec/delivery/deadLetterSink/ref");
        let subject = at(binding, "/spec/subject");
        let sink = at(binding, "/spec/sink/ref");
        for (reference, kind) in [
            (subscriber, receives),
            (dead_letters, "/Service"),
            (subject, *workload),
            (sink, BROKER),
        ] {
            let target = text(reference, "/name");
            assert!(rendered.has(kind, target), "{name}: {kind} {target}");
            let group = text(reference, "/apiVersion").rsplit_once('/');
            let group = group.map_or("", |(group, _)| group);
            assert_eq!(kind, format!("{group}/{}", text(reference, "/kind")));
        }
        assert!(
            rendered.has(BROKER, text(trigger, "/spec/broker")),
            "{name}"
        );
        if let Some(reference) = rendered.one(BROKER).pointer("/spec/config/name") {
            let kind = "eventing.knative.dev/RabbitmqBrokerConfig";
            let target = reference.as_str().expect("a name");
            assert!(rendered.has(kind, target), "{name}: {target}");
        }
    }
}

#[tokio::test]
async fn events_come_back_to_a_path_that_takes_them_and_no_others_do() {
    let program = Program::start(&[("SINK_URL", "http://127.0.0.1:9/")]).await;
    for (name, _) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let trigger = rendered.one(TRIGGER);

        assert_eq!(
            *at(trigger, "/spec/filter/attributes"),
            json!({"type": EVENT_TYPE}),
            "{name}"
        );
        let path = text(trigger, "/spec/subscriber/uri");
        // Without the signature of an event.
        assert_eq!(program.post(path, true).await, 401, "{name}: {path}");
    }
    let other = Program::start(&[]).await;
    assert_eq!(other.post("/deliver", true).await, 404);
}

#[tokio::test]
async fn dead_letters_go_to_a_path_that_takes_them() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dead-letters");
    std::fs::create_dir_all(&folder).expect("can be made");
    let folder = folder.to_str().expect("is UTF-8");
    let program = Program::start(&[("DEAD_LETTERS_FOLDER", folder)]).await;
    for (name, _) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let sink = at(rendered.one(TRIGGER), "/spec/delivery/deadLetterSink");

        // Without the signature of an event.
        let path = text(sink, "/uri");
        assert_eq!(program.post(path, true).await, 401, "{name}: {path}");
    }
}

#[test]
fn the_pod_of_dead_letters_has_the_settings_of_the_function_and_a_volume() {
    for (name, suffix) in [("dead-letters", "-renamed"), ("knative-dead-letters", "")] {
        let rendered = rendered!(overlay(name));
        let set = rendered.one("apps/StatefulSet");
        let full_name = format!("webhook-app-dead-letters{suffix}");
        assert_eq!(text(set, "/metadata/name"), full_name);
        let labels = at(set, "/spec/template/metadata/labels");
        assert_eq!(labels, at(set, "/spec/selector/matchLabels"));
        let services = rendered.every("/Service");
        let service = services
            .iter()
            .find(|service| text(service, "/metadata/name") == full_name);
        let service = service.expect("has a Service");
        assert_eq!(labels, at(service, "/spec/selector"), "{name}");
        assert_eq!(text(set, "/spec/serviceName"), full_name);

        let container = at(set, "/spec/template/spec/containers/0");
        let function = at(rendered.workloads()[0], "/spec/template/spec/containers/0");
        assert_eq!(at(container, "/image"), at(function, "/image"), "{name}");
        assert_eq!(
            at(container, "/envFrom"),
            at(function, "/envFrom"),
            "{name}"
        );
        let folder = at(container, "/env/0");
        assert_eq!(text(folder, "/name"), "DEAD_LETTERS_FOLDER");
        assert_eq!(
            at(folder, "/value"),
            at(container, "/volumeMounts/0/mountPath")
        );
        let volume = text(container, "/volumeMounts/0/name");
        assert_eq!(
            text(set, "/spec/volumeClaimTemplates/0/metadata/name"),
            volume
        );

        let bindings = rendered.every("sources.knative.dev/SinkBinding");
        let subjects = bindings
            .iter()
            .map(|binding| text(binding, "/spec/subject/name"));
        assert!(
            subjects.into_iter().any(|subject| subject == full_name),
            "{name}"
        );
        let account = text(set, "/spec/template/spec/serviceAccountName");
        assert!(
            rendered.has("/ServiceAccount", account),
            "{name}: {account}"
        );
    }
}

/// Knative's broker for RabbitMQ forgets what the function refuses, so the function puts it aside itself.
#[test]
fn the_function_puts_dead_letters_where_the_broker_does_and_may_connect() {
    for name in ["dead-letters", "knative-dead-letters"] {
        let rendered = rendered!(overlay(name));
        let sink = at(rendered.one(TRIGGER), "/spec/delivery/deadLetterSink");
        let (service, path) = (text(sink, "/ref/name"), text(sink, "/uri"));
        let address = text(rendered.one("/ConfigMap"), "/data/DEAD_LETTER_SINK");
        assert_eq!(address, format!("http://{service}{path}"), "{name}");

        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        let stores = json!({"app.kubernetes.io/name": "webhook-app-dead-letters"});
        let function = at(rendered.workloads()[0], "/spec/template/metadata/labels");
        let allows = |rules: &str, from: &Value, to: &Value| {
            policies.iter().any(|policy| {
                let rule = policy.pointer(rules);
                let peer = rule.and_then(|rule| rule.pointer("/0/podSelector/matchLabels"));
                let selects = |selector: Option<&Value>, labels: &Value| {
                    selector.is_some_and(|selector| is_part_of(selector, labels))
                };
                selects(policy.pointer(POD_LABELS), from) && selects(peer, to)
            })
        };
        assert!(allows("/spec/egress/0/to", function, &stores), "{name}");
        assert!(allows("/spec/ingress/0/from", &stores, function), "{name}");
    }
}

#[test]
fn an_event_is_tried_for_longer_than_a_fix_waits_and_shorter_than_rabbitmq_allows() {
    for (name, _) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let delivery = at(rendered.one(TRIGGER), "/spec/delivery");
        assert_eq!(text(delivery, "/backoffPolicy"), "exponential");
        let retries = u32::try_from(number(delivery, "/retry")).expect("few");
        let [delay, timeout] =
            ["/backoffDelay", "/timeout"].map(|field| seconds(text(delivery, field)));

        // Knative's pauses are delay * 2^0 and so on; those of the CloudEvents library, which the dispatcher for RabbitMQ
        // uses, begin with 2^1.
        let knative = delay * (2_u32.pow(retries) - 1);
        let rabbitmq = 2 * knative;

        assert!(knative > LIMITS.hand_off.fix_wait, "{name}: {knative:?}");
        let longest = rabbitmq + timeout * (retries + 1);
        assert!(longest < RABBITMQ_CONSUMER_TIMEOUT, "{name}: {longest:?}");
        for total in [knative, rabbitmq] {
            let (minutes, seconds) = (total.as_secs() / 60, total.as_secs() % 60);
            let shown = format!("{minutes} minutes and {seconds} seconds");
            assert!(file(README).contains(&shown), "{shown} in {README}");
        }
    }
}

#[test]
fn the_broker_waits_for_the_response_of_the_function() {
    for (name, _) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let timeout = seconds(text(rendered.one(TRIGGER), "/spec/delivery/timeout"));

        let slowest = config(&rendered).delivery_timeout + cold_start(&rendered);

        assert!(timeout > slowest, "{name}: {timeout:?} for {slowest:?}");
    }
}

/// The time that Knative gives a pod to start and to begin its response.
fn cold_start(rendered: &Rendered) -> Duration {
    let pointer = "/responseStartTimeoutSeconds";
    let seconds = pods(rendered)[0].1.pointer(pointer);
    Duration::from_secs(seconds.and_then(Value::as_u64).unwrap_or_default())
}

#[test]
fn the_table_of_responses_says_what_a_broker_does_with_each() {
    let table = responses();
    let every = Failure::every().into_iter();
    let statuses = every.map(|failure| failure.status_for_broker());
    for status in statuses.chain([200, 204]) {
        let documented = table.get(&status);
        let documented = documented.unwrap_or_else(|| panic!("{status} in {GUARANTEES}"));
        assert_eq!(*documented, Next::after(Some(status)), "{status}");
    }
}

/// The rows of the table: what a broker does after each status.
fn responses() -> BTreeMap<u16, Next> {
    let text = file(GUARANTEES);
    let (_, table) = text
        .split_once("| response of `/deliver` |")
        .expect("the table is there");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let rows = rows.flat_map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let next = match cells[2] {
            "forgets the event" => Next::Forget,
            "sends it again" => Next::Again,
            "puts it aside, as a dead letter" => Next::DeadLetter,
            other => panic!("expected what a broker does, found {other}"),
        };
        let statuses = cells[0].split(", ");
        let statuses = statuses.map(|status| status.parse().expect("a status"));
        statuses.map(|status| (status, next)).collect::<Vec<_>>()
    });
    rows.collect()
}

/// The broker for RabbitMQ runs in the namespace of the function, whose policies block everything else.
#[test]
fn only_pods_of_the_broker_are_admitted_and_the_function_reaches_it() {
    for (name, in_namespace, dispatcher) in [
        ("eventing", true, "filter"),
        ("eventing-rabbitmq", false, "dispatcher"),
    ] {
        let rendered = rendered!(overlay(name));
        let source = at(policy(&rendered, "webhook-app-deliver"), "/spec/ingress/0");
        let sink = at(policy(&rendered, "webhook-app-sink"), "/spec/egress/0");

        for (peers, role) in [("/from", dispatcher), ("/to", "ingress")] {
            let rule = if peers == "/to" { sink } else { source };
            let label = "/podSelector/matchLabels/eventing.knative.dev~1brokerRole";
            let peers = list(rule, peers);
            assert_eq!(peers.len(), 1, "{name}");
            assert_eq!(text(peers[0], label), role, "{name}");
            let namespace = peers[0].pointer("/namespaceSelector/matchLabels");
            let expected = json!({"kubernetes.io/metadata.name": "knative-eventing"});
            assert_eq!(namespace, in_namespace.then_some(&expected), "{name}");
        }
        assert_eq!(*at(source, "/ports"), json!([{"port": "http"}]), "{name}");
    }
}

/// Otherwise the channel confirms an event only after the function has accepted it.
#[test]
fn the_channel_in_memory_confirms_events_at_once() {
    let annotation = "/metadata/annotations/messaging.knative.dev~1async-handler";
    for (name, _) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let broker = rendered.one(BROKER);
        let is_in_memory = broker.to_string().contains("MTChannelBasedBroker");

        let found = broker.pointer(annotation);

        assert_eq!(found, is_in_memory.then_some(&json!("true")), "{name}");
    }
}

#[test]
fn the_broker_for_rabbitmq_stores_events_on_disk_and_sends_many_at_once() {
    for name in ["eventing-rabbitmq", "knative-eventing-rabbitmq"] {
        let rendered = rendered!(overlay(name));
        let config = rendered.one("eventing.knative.dev/RabbitmqBrokerConfig");

        // The fields of its definition, which is in no module, so that `check` cannot check it.
        assert_eq!(
            *at(config, "/spec"),
            json!({
                "rabbitmqClusterReference": {"name": "rabbitmq", "namespace": "rabbitmq"},
                "queueType": "quorum",
            })
        );
        let class = "/metadata/annotations/eventing.knative.dev~1broker.class";
        assert_eq!(text(rendered.one(BROKER), class), "RabbitMQBroker");
        let parallelism = "/metadata/annotations/rabbitmq.eventing.knative.dev~1parallelism";
        let parallelism: usize = text(rendered.one(TRIGGER), parallelism)
            .parse()
            .expect("a number");
        assert!((1..=LIMITS.sending.max_in_progress).contains(&parallelism));
    }
}

/// It would keep nothing without the Broker that it changes.
#[test]
fn rabbitmq_cannot_be_added_without_a_broker() {
    let Some(outcome) = kustomize("knative/eventing/rabbitmq") else {
        return;
    };

    let error = outcome.expect_err("no Broker to change");

    assert!(error.contains("Broker"), "{error}");
}

/// A duration in seconds as ISO 8601 writes it.
fn seconds(text: &str) -> Duration {
    let number = text
        .strip_prefix("PT")
        .and_then(|rest| rest.strip_suffix('S'));
    let number = number.and_then(|number| number.parse().ok());
    Duration::from_secs_f64(number.expect("as in PT1.5S"))
}
