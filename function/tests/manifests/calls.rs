//! What a call of `kubectl` would change, and whether that belongs to the end-to-end tests: their namespaces have
//! a prefix, and every object that they apply has a label. Calls are recorded by `sandbox`; the scripts that
//! must pass are in `ownership`.

use serde_json::Value;

/// The function's namespace in the tests, and the prefix of the others.
pub(crate) const PREFIX: &str = "webhook-app-e2e";

/// Key and value of the label.
pub(crate) const LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "webhook-app-e2e");

/// Contexts of clusters that the scripts create, where they may change anything.
const MADE_CLUSTERS: &[&str] = &["kind-webhook-app-e2e", "k3d-webhook-app-e2e"];

/// The name is fixed, because a cluster has one adapter.
const ADAPTER: &str = "v1beta1.custom.metrics.k8s.io";

/// Cluster-scoped kinds as written on a command line. A call must not name one without the label selector.
const CLUSTER_KINDS: &[&str] = &[
    "apiservice",
    "clusterrole",
    "clusterrolebinding",
    "crd",
    "customresourcedefinition",
    "namespace",
    "node",
    "ns",
    "persistentvolume",
    "pv",
    "storageclass",
];

/// Options with a separate value; the others are flags or have the value after `=`.
const OPTIONS_WITH_VALUE: &[&str] = &[
    "--context",
    "--field-selector",
    "--filename",
    "--kustomize",
    "--namespace",
    "--output",
    "--patch",
    "--patch-file",
    "--raw",
    "--selector",
    "--type",
    "-c",
    "-f",
    "-k",
    "-l",
    "-n",
    "-o",
];

/// Commands that change nothing. Every other command counts as a change.
const READING: &[&str] = &[
    "api-resources",
    "api-versions",
    "auth can-i",
    "config current-context",
    "config view",
    "describe",
    "get",
    "logs",
    "rollout status",
    "version",
    "wait",
];

/// One call of `kubectl`.
#[derive(Debug)]
pub(crate) struct Call {
    /// The context in effect, of an option or of the kubeconfig.
    pub(crate) context: String,
    /// Positional arguments up to `--`.
    words: Vec<String>,
    options: Vec<(String, String)>,
    /// The objects in the files and folders that the call names.
    objects: Vec<Value>,
}

impl Call {
    pub(crate) fn new(
        context: &str,
        arguments: impl IntoIterator<Item = String>,
        objects: Vec<Value>,
    ) -> Self {
        let (mut words, mut options) = (Vec::new(), Vec::new());
        let mut arguments = arguments
            .into_iter()
            .take_while(|argument| argument != "--");
        while let Some(argument) = arguments.next() {
            if !argument.starts_with('-') {
                words.push(argument);
            } else if let Some((name, value)) = argument.split_once('=') {
                options.push((name.to_owned(), value.to_owned()));
            } else if OPTIONS_WITH_VALUE.contains(&argument.as_str()) {
                options.push((argument, arguments.next().unwrap_or_default()));
            } else {
                options.push((argument, String::new()));
            }
        }
        Self {
            context: context.to_owned(),
            words,
            options,
            objects,
        }
    }

    /// Whether it is the command, such as `delete` or `rollout undo`.
    pub(crate) fn is(&self, command: &str) -> bool {
        self.words
            .iter()
            .map(String::as_str)
            .zip(command.split(' '))
            .filter(|(word, expected)| word == expected)
            .count()
            == command.split(' ').count()
    }

    /// Whether an object of the kind is in one of the files.
    pub(crate) fn names_a(&self, kind: &str) -> bool {
        self.objects.iter().any(|object| object["kind"] == kind)
    }

    pub(crate) fn objects(&self) -> &[Value] {
        &self.objects
    }

    /// The value of an option, by one of its names.
    pub(crate) fn changes_something(&self) -> bool {
        let is_trial = self.option(&["--dry-run"]) == Some("server");
        !is_trial && !READING.iter().any(|command| self.is(command))
    }

    /// Why the call must not be made on a user's cluster; `None` if it may.
    pub(crate) fn objection(&self) -> Option<String> {
        if !self.changes_something() || MADE_CLUSTERS.contains(&self.context.as_str()) {
            return None;
        }
        let namespace = self.option(&["-n", "--namespace"]);
        let reason = if let Some(path) = self.option(&["--raw"]) {
            let within = path.split_once("/namespaces/").map(|(_, rest)| rest);
            let namespace = within.and_then(|rest| rest.split('/').next());
            (!namespace.is_some_and(is_own_name)).then(|| format!("{path} is in another namespace"))
        } else if self
            .option(&["-f", "--filename", "-k", "--kustomize"])
            .is_some()
        {
            self.objection_to_objects()
        } else if self.is("delete") && self.option(&["-l", "--selector"]) == Some(&selector()) {
            None
        } else if !namespace.is_some_and(is_own_name) {
            Some(format!("the namespace is {namespace:?}"))
        } else {
            let kinds = self.words.get(1).map_or("", String::as_str);
            let kinds = kinds.split('/').next().unwrap_or_default();
            let outside = kinds.split(',').find(|kind| is_cluster_kind(kind));
            outside.map(|kind| format!("a {kind} is cluster-scoped"))
        };
        reason.map(|reason| {
            format!(
                "kubectl {} {:?}: {reason}",
                self.words.join(" "),
                self.options
            )
        })
    }

    fn objection_to_objects(&self) -> Option<String> {
        if self.objects.is_empty() {
            return Some("the objects are not known".to_owned());
        }
        let may_be_named = |object: &&Value| !self.is("delete") || namespace_of(object).is_some();
        let is_allowed = |object: &&Value| is_own(object) && may_be_named(object);
        let other = self.objects.iter().find(|object| !is_allowed(object))?;
        Some(format!(
            "does not belong to the tests: {} {}",
            other["kind"], other["metadata"]
        ))
    }

    fn option(&self, names: &[&str]) -> Option<&str> {
        let found = self
            .options
            .iter()
            .find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, value)| value.as_str())
    }
}

/// Whether an object has the label, and a namespace or a name of the tests.
pub(crate) fn is_own(object: &Value) -> bool {
    let (key, value) = LABEL;
    let kind = object["kind"].as_str().unwrap_or_default();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let is_in_own_place = match (namespace_of(object), kind) {
        // This RoleBinding must be in the namespace of its Role.
        (Some("kube-system"), "RoleBinding")
        | (None, "Namespace" | "ClusterRole" | "ClusterRoleBinding") => is_own_name(name),
        (Some(namespace), _) => is_own_name(namespace),
        (None, "APIService") => name == ADAPTER,
        // It would be created in the namespace of the context.
        (None, _) => false,
    };
    is_in_own_place && object["metadata"]["labels"][key] == value
}

fn namespace_of(object: &Value) -> Option<&str> {
    object["metadata"]["namespace"].as_str()
}

fn is_own_name(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn is_cluster_kind(kind: &str) -> bool {
    let kind = kind.split('.').next().unwrap_or_default().to_lowercase();
    let singular = kind.strip_suffix('s').unwrap_or(&kind);
    CLUSTER_KINDS.contains(&kind.as_str()) || CLUSTER_KINDS.contains(&singular)
}

fn selector() -> String {
    format!("{}={}", LABEL.0, LABEL.1)
}
