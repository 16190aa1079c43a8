"""The objects that `up` applies, and that `check` looks for.

Owns what belongs to monitoring on a cluster with and without a Prometheus, and what is changed in it. Reads the manifests of
this repository through kubectl; cluster.py says what the cluster has.
"""

import base64, json, os

from cluster import GROUP, LABEL, MONITORING, NAMESPACE, ROOT, SELECTOR, alertmanager, fail, is_ours, items, kubectl, name_of, one, operator_version, prometheus_server

# The keys of the Secret with which Alertmanager notifies, and those that may be in it.
SECRET = "webhook-app-alertmanager"
KEYS = ("rocketchat-url", "rocketchat-token", "rocketchat-user-id", "pagerduty-routing-key", "heartbeat-url")
# What the manifests have for real servers.
CHAT, PAGERDUTY = "https://chat.example.org", "https://events.pagerduty.com/v2/enqueue"
# The first operator that passes on all fields of Rocket.Chat.
OPERATOR_NEEDED = (0, 89)
ADAPTER_API = "v1beta1.custom.metrics.k8s.io"
# The order in which they are created.
FIRST = ("Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "RoleBinding", "Secret", "ConfigMap")
# All kinds that there may be, in the order in which they are removed: without its server, the APIService would block the
# deletion of namespaces.
RESOURCES = (
    "apiservices.apiregistration.k8s.io",
    *(f"{name}.{GROUP}" for name in ("prometheuses", "alertmanagers", "alertmanagerconfigs", "servicemonitors", "podmonitors", "probes", "prometheusrules")),
    "deployments.apps",
    "daemonsets.apps",
    "services",
    "configmaps",
    "secrets",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "serviceaccounts",
    "namespaces",
)


def render(*folders):
    """The objects of these kustomizations."""
    return parsed("---\n".join(kubectl("kustomize", str(folder), is_local=True) for folder in folders))


def parsed(manifests):
    """The objects of these manifests, which kubectl reads without a cluster."""
    text = kubectl("patch", "--local", "--filename", "-", "--type", "merge", "--patch", "{}", "--output", "json", text=manifests, is_local=True)
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        item, length = decoder.raw_decode(text)
        found.extend(item["items"] if item["kind"] == "List" else [item])
        text = text[length:]
    return found


def wanted(existing, crds):
    """All objects, and notes about what is left out and why. `existing` is a Prometheus that the cluster has, or None."""
    notes = []
    overlay = os.environ.get("OVERLAY")
    always = (ROOT / "monitoring", ROOT / "monitoring/monitors")
    if existing is None:
        found = render(overlay or ROOT / "monitoring/standalone", *always)
    else:
        if overlay:
            fail(f"expected no OVERLAY, because the Prometheus {name_of(existing)} is used, found {overlay}; unset it, or set PROMETHEUS to monitoring/webhook-app")
        found = render(ROOT / "monitoring/standalone/blackbox-exporter", *always) + adapter_for(existing)
        notes += scraping_notes(existing)
    adapter = one("apiservices", ADAPTER_API)
    if adapter and not is_ours(adapter):
        found = [item for item in found if not of_adapter(item)]
        notes.append("the cluster has an adapter for custom.metrics.k8s.io, which is left as it is; its rules must be those of monitoring/prometheus-metrics-adaptor-values.yaml")
    found += probes(notes)
    found = [in_namespace(item) for item in found]
    notified = notifications(existing, crds, found, notes)
    found += notified
    found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": MONITORING}})
    return sorted(unique(found), key=lambda item: FIRST.index(item["kind"]) if item["kind"] in FIRST else len(FIRST)), notes


def identity(item):
    return item["apiVersion"].split("/")[0] if "/" in item["apiVersion"] else "", item["kind"], name_of(item)


def resource(item):
    """KIND.GROUP, as kubectl takes it."""
    group, kind, _ = identity(item)
    return ".".join(filter(None, [kind.lower(), group]))


def dashboards(found):
    """The ConfigMaps with a dashboard."""
    return [item for item in found if item["metadata"].get("labels", {}).get("grafana_dashboard") == "1"]


def unique(found):
    """The blackbox-exporter is part of two folders."""
    return list({identity(item): item for item in found}.values())


def of_adapter(item):
    names = [item["metadata"]["name"], item.get("roleRef", {}).get("name", "")]
    return any("prometheus-adapter" in name for name in names) or item["metadata"]["name"] == ADAPTER_API


def in_namespace(item):
    """The object for the namespace of the function."""
    if NAMESPACE == "webhook-app":
        return item
    item = json.loads(json.dumps(item).replace("kubectl -n webhook-app ", f"kubectl -n {NAMESPACE} "))
    if item["metadata"].get("namespace") == "webhook-app":
        item["metadata"]["namespace"] = NAMESPACE
    selector = item.get("spec", {}).get("namespaceSelector", {})
    if selector.get("matchNames") == ["webhook-app"]:
        selector["matchNames"] = [NAMESPACE]
    return item


def adapter_for(existing):
    """The adapter, which reads from this Prometheus."""
    server, given = prometheus_server(existing), "http://prometheus-operated.monitoring.svc:9090"
    folder = "monitoring/standalone/adapter"
    return json.loads(replaced(json.dumps(render(ROOT / folder)), given, server.address, folder))


def replaced(text, given, value, folder):
    """The text of a folder with a value of the user in place of the one that is given there."""
    if given not in text:
        fail(f"expected {given} in {folder}, found none; change objects.py with it")
    return text.replace(given, value)


def scraping_notes(existing):
    namespace = existing["metadata"]["namespace"]
    if namespace == MONITORING:
        return []
    return [f"the NetworkPolicy of the function admits Prometheus of the namespace {MONITORING} only; that of {namespace} needs a label, see k8s-base/deployment/networkpolicy-scrape.yaml"]


def probes(notes):
    """The probes of the addresses in WEBHOOK_URL and PAGES."""
    addresses = {"webhook-app": os.environ.get("WEBHOOK_URL", "").split(), "pages": os.environ.get("PAGES", "").split()}
    for variable, name, what in [("WEBHOOK_URL", "webhook-app", "the address of the webhooks"), ("PAGES", "pages", "Rocket.Chat and GitLab")]:
        if not addresses[name]:
            notes.append(f"{what}: not probed from outside; set {variable}")
    found = []
    for item in render(ROOT / "monitoring/probes") if any(addresses.values()) else []:
        if item["kind"] == "Probe":
            if not addresses.get(item["metadata"]["name"]):
                continue
            item["spec"]["targets"]["staticConfig"]["static"] = addresses[item["metadata"]["name"]]
            # HOST:443: only its certificate, so that no pod of Knative starts.
            if not any("://" in address for address in addresses[item["metadata"]["name"]]):
                item["spec"]["module"] = "tls"
        found.append(item)
    return found


def notifications(existing, crds, found, notes):
    """The configuration of Alertmanager, if the Secret with its keys exists."""
    target = {"metadata": {"namespace": MONITORING}} if existing is None else alertmanager(existing["metadata"]["namespace"])
    if target is None:
        notes.append("the cluster has no Alertmanager, so no notifications are sent")
        return []
    namespace = target["metadata"]["namespace"]
    other = [name_of(item) for item in others(crds)]
    if other:
        notes.append(f"the AlertmanagerConfig {', '.join(other)} is left as it is")
        return []
    secret = one("secret", SECRET, "--namespace", namespace)
    values = {} if secret is None else secret.get("data", {})
    missing = [key for key in KEYS if not values.get(key)]
    if missing:
        found_keys = "no such Secret" if secret is None else f"one without {', '.join(missing)}"
        notes.append(
            f"Alertmanager sends no notifications: expected the Secret {SECRET} in the namespace {namespace}, found {found_keys}; "
            f"create it and run this again:\n  kubectl -n {namespace} create secret generic {SECRET} "
            + " ".join(f"--from-literal={key}=…" for key in KEYS)
        )
        return []
    version = operator_version(crds)
    if version and version >= OPERATOR_NEEDED and f"alertmanagerconfigs.{GROUP}" in crds:
        return alertmanager_config(namespace, values)
    if existing is not None:
        notes.append(f"Alertmanager sends no notifications: expected version 0.89 of the Prometheus operator or later, found {version}; update it, or use monitoring/alertmanager/raw")
        return []
    return raw_config(namespace, values, found)


def others(crds):
    if f"alertmanagerconfigs.{GROUP}" not in crds:
        return []
    found = items(f"alertmanagerconfigs.{GROUP}", "--all-namespaces")
    return [item for item in found if item["metadata"]["name"] == "webhook-app" and not is_ours(item)]


def decoded(values, key, default=None):
    return base64.b64decode(values[key]).decode().strip() if key in values else default


def chat(values):
    return decoded(values, "rocketchat-url").rstrip("/")


def alertmanager_config(namespace, values):
    """For operators that know Rocket.Chat. In the namespace of Alertmanager, where its Secret is."""
    folder = "monitoring/alertmanager/alertmanagerconfig"
    found = [item for item in render(ROOT / folder) if item["kind"] == "AlertmanagerConfig"]
    found = json.loads(replaced(json.dumps(found), CHAT, chat(values), folder))
    for item in found:
        item["metadata"]["namespace"] = namespace
        for receiver in item["spec"]["receivers"]:
            for config in receiver.get("pagerdutyConfigs", []):
                if "pagerduty-url" in values:
                    config["url"] = decoded(values, "pagerduty-url")
    return found


def raw_config(namespace, values, found):
    """For older operators: the configuration of Alertmanager itself. It names the files of the keys, not the keys."""
    folder = "monitoring/alertmanager/raw"
    text = (ROOT / folder / "alertmanager.yaml").read_text()
    text = replaced(text, CHAT, chat(values), folder)
    text = replaced(text, PAGERDUTY, decoded(values, "pagerduty-url", PAGERDUTY), folder)
    for item in found:
        if item["kind"] == "Alertmanager":
            item["spec"]["configSecret"] = f"{SECRET}-config"
            item["spec"]["secrets"] = [SECRET]
    metadata = {"name": f"{SECRET}-config", "namespace": namespace}
    return [{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"alertmanager.yaml": text}}]


def created(crds):
    """What `up` has created, in the order of RESOURCES. A kind that the cluster does not know has no objects."""
    known = [name for name in RESOURCES if GROUP not in name or name in crds]
    return [item for name in known for item in items(name, "--all-namespaces", "--selector", SELECTOR)]


def remove(item, seconds):
    """Removes an object and its pods, and waits for it, because the order matters."""
    namespace, _, name = name_of(item).rpartition("/")
    command = ["delete", resource(item), name, "--ignore-not-found", "--cascade=foreground", f"--timeout={seconds}s"]
    kubectl(*(["--namespace", namespace] if namespace else []), *command, request_limit=None)


def labelled(item):
    """The object with the label of what `up` has created."""
    labels = {**item["metadata"].get("labels", {}), LABEL[0]: LABEL[1]}
    return {**item, "metadata": {**item["metadata"], "labels": labels}}


def as_stream(found):
    """For the standard input of kubectl. JSON is YAML, too; kubectl takes it for YAML because of the first line."""
    return "".join(f"---\n{json.dumps(item)}\n" for item in found)
