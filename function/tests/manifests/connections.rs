//! Who may connect to whom: NetworkPolicies, evaluated for pairs of pods as Kubernetes does. Which pairs there are, and which are
//! expected, is in `gitlab::connections` and `rocketchat::connections`. Only a cluster proves that policies are enforced.

use serde_json::{Value, json};

use crate::agreement::is_part_of;
use crate::rendered::{at, list, text};

/// A pod, as a policy sees it.
pub(crate) struct Pod {
    /// The labels of its namespace; `null` outside of the cluster.
    namespace: Value,
    labels: Value,
    /// Names and numbers of its ports.
    pub(crate) ports: Vec<(String, u64)>,
    address: &'static str,
}

impl Pod {
    /// A pod without named ports.
    pub(crate) fn new(namespace: &str, labels: Value) -> Self {
        Self {
            namespace: labels_of_namespace(namespace),
            labels,
            ports: Vec::new(),
            address: "10.0.0.9",
        }
    }

    /// A pod of a rendering, from its template.
    pub(crate) fn of(namespace: &str, template: &Value) -> Self {
        let containers = list(template, "/spec/containers");
        let ports = containers.iter().flat_map(|each| list(each, "/ports"));
        let port = |port: &Value| {
            let number = at(port, "/containerPort").as_u64().expect("a number");
            (text(port, "/name").to_owned(), number)
        };
        Self {
            ports: ports.map(port).collect(),
            ..Self::new(namespace, at(template, "/metadata/labels").clone())
        }
    }

    /// A server outside of the cluster, or the API server, which have no labels.
    pub(crate) fn outside(address: &'static str) -> Self {
        Self {
            namespace: Value::Null,
            address,
            ..Self::new("", json!({}))
        }
    }

    /// The same pod in a namespace that has this label, too.
    pub(crate) fn in_namespace_with(mut self, label: &str) -> Self {
        self.namespace[label] = json!("true");
        self
    }

    /// Whether the name of its namespace begins like this.
    pub(crate) fn is_in(&self, prefix: &str) -> bool {
        let name = &self.namespace[NAME];
        name.as_str().is_some_and(|name| name.starts_with(prefix))
    }
}

const NAME: &str = "kubernetes.io/metadata.name";

fn labels_of_namespace(name: &str) -> Value {
    json!({ NAME: name })
}

/// Whether the policies of both sides allow a connection to this port.
pub(crate) fn may_connect(policies: &[&Value], from: &Pod, to: &Pod, port: u64) -> bool {
    may_leave(policies, from, to, port) && allows(policies, "Ingress", (to, from), port, &to.ports)
}

/// Whether the policies of the first pod allow the connection, whatever the other side does.
pub(crate) fn may_leave(policies: &[&Value], from: &Pod, to: &Pod, port: u64) -> bool {
    allows(policies, "Egress", (from, to), port, &to.ports)
}

/// Whether the policies of one direction that select the first pod allow the other one; all do if none selects it. `named` are the
/// ports of the pod that is connected to.
fn allows(
    policies: &[&Value],
    direction: &str,
    (pod, other): (&Pod, &Pod),
    port: u64,
    named: &[(String, u64)],
) -> bool {
    let (rules, peers) = match direction {
        "Ingress" => ("/spec/ingress", "/from"),
        _ => ("/spec/egress", "/to"),
    };
    let is_port = |it: &&Value| {
        let wanted = &it["port"];
        let is_named = |(name, number): &(String, u64)| *wanted == name.as_str() && *number == port;
        it.get("protocol").is_none_or(|it| it == "TCP")
            && (*wanted == port || named.iter().any(is_named))
    };
    let selecting = policies.iter().filter(|policy| {
        is_in_namespace_of(policy, pod)
            && list(policy, "/spec/policyTypes").contains(&&json!(direction))
            && selects(at(policy, "/spec/podSelector"), &pod.labels)
    });
    let selecting: Vec<_> = selecting.collect();
    selecting.is_empty()
        || selecting.iter().any(|policy| {
            list(policy, rules).into_iter().any(|rule| {
                let (ports, peers) = (list(rule, "/ports"), list(rule, peers));
                (ports.is_empty() || ports.iter().any(is_port))
                    && (peers.is_empty() || peers.iter().any(|peer| is_peer(peer, policy, other)))
            })
        })
}

/// Whether a peer of a rule is this pod. A peer without a selector of namespaces is in that of the policy.
fn is_peer(peer: &Value, policy: &Value, pod: &Pod) -> bool {
    if let Some(block) = peer.get("ipBlock") {
        let within = |cidr: &Value| contains(cidr.as_str().expect("a text"), pod.address);
        return within(&block["cidr"]) && !list(block, "/except").into_iter().any(within);
    }
    if pod.namespace.is_null() {
        return false;
    }
    let in_namespace = match peer.get("namespaceSelector") {
        Some(selector) => selects(selector, &pod.namespace),
        None => is_in_namespace_of(policy, pod),
    };
    let selector = peer.get("podSelector");
    in_namespace && selector.is_none_or(|selector| selects(selector, &pod.labels))
}

fn is_in_namespace_of(policy: &Value, pod: &Pod) -> bool {
    pod.namespace.get(NAME) == Some(at(policy, "/metadata/namespace"))
}

/// Whether a selector with labels or expressions selects these labels.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let known = ["matchLabels", "matchExpressions"];
    let fields = selector.as_object().expect("a selector");
    assert!(
        fields.keys().all(|key| known.contains(&key.as_str())),
        "{selector}"
    );
    let by_expression = |expression: &&Value| {
        let value = labels.get(text(expression, "/key"));
        match text(expression, "/operator") {
            "In" => value.is_some_and(|value| list(expression, "/values").contains(&value)),
            "Exists" => value.is_some(),
            other => panic!("the operator {other} is not evaluated here"),
        }
    };
    let wanted = selector.get("matchLabels");
    wanted.is_none_or(|wanted| is_part_of(wanted, labels))
        && list(selector, "/matchExpressions")
            .iter()
            .all(by_expression)
}

fn contains(cidr: &str, address: &str) -> bool {
    let number = |text: &str| {
        text.parse::<std::net::Ipv4Addr>()
            .expect("an address")
            .to_bits()
    };
    let (base, length) = cidr.split_once('/').expect("a range");
    let ignored = 32 - length.parse::<u32>().expect("a length");
    let network = |address: u32| address.checked_shr(ignored).unwrap_or(0);
    network(number(base)) == network(number(address))
}
