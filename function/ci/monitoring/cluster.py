"""kubectl in the context of KUBE_CONTEXT, and which Prometheus and Alertmanager watch the function.

Owns how the commands beside this file reach the cluster and the label of what `up` has created. What is applied is in
objects.py; the commands decide what to do with it.
"""

import json, os, pathlib, subprocess, sys, urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[3]
# The namespace of the function, and that of `monitoring/standalone`.
NAMESPACE = os.environ.get("NAMESPACE") or "webhook-app"
MONITORING = "monitoring"
# What `up` creates has it. Other objects are neither changed nor removed.
LABEL = ("app.kubernetes.io/managed-by", "webhook-app-monitoring")
SELECTOR = "=".join(LABEL)
GROUP = "monitoring.coreos.com"
NEEDED_CRDS = [f"{name}.{GROUP}" for name in ("alertmanagers", "podmonitors", "probes", "prometheuses", "prometheusrules", "servicemonitors")]
OPERATOR = f"""install the Prometheus operator, which defines them, and run this again:
  kubectl apply --server-side -f https://github.com/prometheus-operator/prometheus-operator/releases/latest/download/bundle.yaml
or install kube-prometheus-stack with Helm, as monitoring/README.md shows"""


def fail(message):
    sys.exit(f"FAILED: {message}")


def select_cluster():
    """Points kubectl at the cluster that CLUSTER names: that of KUBECONFIG, or the kind or k3d cluster of `make up`."""
    name = os.environ.get("CLUSTER") or "existing"
    if name not in ("existing", "kind", "k3d"):
        fail(f"expected kind, k3d or existing for CLUSTER, found {name}")
    if name != "existing":
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
        config = target / "e2e" / f"kubeconfig-{name}"
        if not config.exists():
            fail(f"expected the cluster of make up CLUSTER={name}, found no {config}; run that first, or unset CLUSTER to use the current context")
        os.environ["KUBECONFIG"] = str(config)
    found = call("version", "--output", "json")
    if found.returncode:
        fail(f"expected a cluster, kubectl found none: {found.stderr.strip()}; set KUBECONFIG, KUBE_CONTEXT or CLUSTER")


def call(*arguments, text=None, request_limit="--request-timeout=35s", is_local=False):
    """Runs kubectl. A request that hangs fails; an admission webhook may take 30 s. A local call needs no cluster."""
    context = os.environ.get("KUBE_CONTEXT")
    options = [] if is_local else [*filter(None, [request_limit]), *(["--context", context] if context else [])]
    environment = {**os.environ, **({"KUBECONFIG": os.devnull} if is_local else {})}
    try:
        return subprocess.run(["kubectl", *options, *arguments], input=text, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        fail("expected kubectl in PATH, found none; install it: https://kubernetes.io/docs/tasks/tools/")


def kubectl(*arguments, **options):
    """The output of kubectl, which must succeed."""
    done = call(*arguments, **options)
    if done.returncode:
        fail(f"kubectl {' '.join(arguments[:4])}: {done.stderr.strip()}")
    return done.stdout


def items(*arguments, **options):
    """What `kubectl get` finds: a list, also of one object or of none."""
    found = json.loads(kubectl("get", *arguments, "--output", "json", **options) or '{"items": []}')
    return found.get("items", [found])


def one(*arguments):
    """The object, or None."""
    return next(iter(items(*arguments, "--ignore-not-found")), None)


def name_of(item):
    """NAMESPACE/NAME, or the name of an object without a namespace."""
    metadata = item["metadata"]
    return "/".join(filter(None, [metadata.get("namespace"), metadata["name"]]))


def is_ours(item):
    return item["metadata"].get("labels", {}).get(LABEL[0]) == LABEL[1]


def crds():
    """The definitions of the operator that the cluster has, by name."""
    # By name, because other definitions are large and an account may see only some.
    return {item["metadata"]["name"]: item for item in items("crd", *NEEDED_CRDS, f"alertmanagerconfigs.{GROUP}", "--ignore-not-found")}


def operator_version(found):
    """The version of the definitions, such as (0, 95), or None."""
    annotations = found[NEEDED_CRDS[0]]["metadata"].get("annotations", {})
    text = annotations.get("operator.prometheus.io/version", "").split(".")
    return tuple(int(part) for part in text[:2]) if len(text) > 2 and text[0].isdigit() and text[1].isdigit() else None


def need_crds():
    """The definitions of the operator; fails if one is missing."""
    found = crds()
    missing = [name for name in NEEDED_CRDS if name not in found]
    if missing:
        fail(f"expected the custom resource definitions of the Prometheus operator, found no {', '.join(missing)}; {OPERATOR}")
    return found


# The one of `monitoring/standalone`.
STANDALONE = f"{MONITORING}/webhook-app"


def prometheus():
    """The Prometheus that the cluster has beside the one of `monitoring/standalone`, or None. PROMETHEUS chooses one of several."""
    found = {name_of(item): item for item in items(f"prometheuses.{GROUP}", "--all-namespaces")}
    chosen = os.environ.get("PROMETHEUS")
    if chosen:
        if chosen not in found and chosen != STANDALONE:
            fail(f"expected a Prometheus {chosen} because of PROMETHEUS, found {', '.join(found) or 'none'}; give NAMESPACE/NAME of one of them, or {STANDALONE} for a new one")
        return found[chosen] if chosen != STANDALONE else None
    others = [item for name, item in found.items() if name != STANDALONE]
    if len(others) > 1:
        names = ", ".join(map(name_of, others))
        fail(f"expected at most one Prometheus, found {names}; set PROMETHEUS to the one that is to watch the function, or to {STANDALONE} for a new one")
    return next(iter(others), None)


def alertmanager(namespace):
    """The Alertmanager of this namespace, or another one of the cluster, or None."""
    found = sorted(items(f"alertmanagers.{GROUP}", "--all-namespaces"), key=lambda item: item["metadata"]["namespace"] != namespace)
    return next(iter(found), None)


class Server:
    """The HTTP interface of a Prometheus or an Alertmanager, through the API server."""

    def __init__(self, item, kind, port):
        metadata, spec = item["metadata"], item["spec"]
        scheme = "https:" if spec.get("web", {}).get("tlsConfig") else ""
        prefix = spec.get("routePrefix", "/").rstrip("/")
        self.name, self.spec, self.port, self.prefix = name_of(item), spec, port, prefix
        self.namespace, self.service = metadata["namespace"], spec.get("serviceName", f"{kind}-operated")
        self.address = f"http://{self.service}.{self.namespace}.svc:{port}{prefix}"
        # The pod, because several servers of a namespace share a Service.
        pod = f"{scheme}{kind}-{metadata['name']}-0:{port}"
        self.path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/proxy{prefix}"

    def read(self, path, **query):
        """JSON and None, or None and the error."""
        found = call("get", "--raw", f"{self.path}/api/{path}" + ("?" + urllib.parse.urlencode(query) if query else ""))
        if found.returncode:
            return None, found.stderr.strip() or "no answer"
        try:
            answer = json.loads(found.stdout)
        except ValueError:
            return None, "the answer is not JSON"
        return (answer["data"] if isinstance(answer, dict) and "data" in answer else answer), None


def prometheus_server(item):
    return Server(item, "prometheus", 9090)


def alertmanager_server(item):
    return Server(item, "alertmanager", 9093)
