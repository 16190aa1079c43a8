"""Lets the monitoring of a test cluster run thirty times as fast as it is delivered.

Owns what is changed in the objects that `make monitoring` has created: times in rules, intervals of scrapes and of notifications,
and the namespaces in which monitors look. What the rules compare and how alerts silence each other stays as it is.
"""

import base64, json, os, re

import objects
from cluster import GROUP, SELECTOR, fail, items, kubectl

FACTOR = 30
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# The namespaces of the real installation, and those of the drill.
NAMESPACES = {"rocketchat": os.environ["CHAT_NAMESPACE"], "gitlab": os.environ["GITLAB_NAMESPACE"], "envoy-gateway-system": os.environ["OTHER_NAMESPACE"]}


def seconds(duration):
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


def shorter(duration, at_least=0):
    """The duration as Prometheus reads it. Below a second it is zero."""
    return f"{max(at_least, seconds(duration) // FACTOR)}s"


def expression(text):
    """Windows and offsets, and the same windows as a number of seconds, such as in webhook_app:started_within:5m."""
    # A rate needs a few scrapes, which are a second apart.
    text = re.sub(r"\[(\d+[smhd])\]", lambda found: f"[{shorter(found[1], 8)}]", text)
    text = re.sub(r"offset (\d+[smhd])", lambda found: f"offset {shorter(found[1], 8)}", text)
    return re.sub(r"> time\(\) - (\d+)$", lambda found: f"> time() - {max(8, int(found[1]) // FACTOR)}", text)


def least(key, duration):
    """Seconds that stay of it, because pods start and autoscalers read as slowly as always: at most a minute."""
    if key == "keep_firing_for":
        return min(60, seconds(duration) // 5)
    return min(60, seconds(duration) // 15) if seconds(duration) >= 300 else 0


def rules(item):
    for group in item["spec"]["groups"]:
        for rule in group["rules"]:
            rule["expr"] = expression(rule["expr"])
            for key in ("for", "keep_firing_for"):
                if key in rule:
                    rule[key] = shorter(rule[key], least(key, rule[key]))


def monitor(item):
    spec = item["spec"]
    # The prober must answer in time, too.
    probe = [spec] if item["kind"] == "Probe" else []
    for endpoint in spec.get("endpoints", []) + spec.get("podMetricsEndpoints", []) + probe:
        endpoint.update(interval="1s", scrapeTimeout="1s")
    selector = spec.get("namespaceSelector", {})
    if "matchNames" in selector:
        selector["matchNames"] = [NAMESPACES.get(name, name) for name in selector["matchNames"]]


def prometheus(item):
    item["spec"].update(scrapeInterval="1s", evaluationInterval="1s")


def notifications(item):
    """The Secret with the configuration of Alertmanager."""
    text = base64.b64decode(item["data"]["alertmanager.yaml"]).decode()
    for given, value in [("group_wait: 30s", "group_wait: 3s"), ("group_interval: 5m", "group_interval: 5s"), ("group_interval: 1m", "group_interval: 5s")]:
        if given not in text:
            fail(f"expected {given} in the configuration of Alertmanager, found none; change hurry.py with it")
        text = text.replace(given, value)
    item["data"]["alertmanager.yaml"] = base64.b64encode(text.encode()).decode()


CHANGES = {"PrometheusRule": rules, "ServiceMonitor": monitor, "PodMonitor": monitor, "Probe": monitor, "Prometheus": prometheus, "Secret": notifications}


def apply():
    """Changes the objects in the cluster; returns the rules, by the names of their groups."""
    resources = [f"{name}.{GROUP}" for name in ("prometheusrules", "servicemonitors", "podmonitors", "probes", "prometheuses")] + ["secrets"]
    changed = [item for name in resources for item in items(name, "--all-namespaces", "--selector", SELECTOR)]
    kinds = {item["kind"] for item in changed}
    if kinds != set(CHANGES):
        fail(f"expected objects of the kinds {', '.join(sorted(CHANGES))} that make monitoring has created, found {', '.join(sorted(kinds)) or 'none'}")
    for item in changed:
        CHANGES[item["kind"]](item)
        # A patch, because the operator updates the status of these objects at the same time.
        patch = json.dumps({key: item[key] for key in ("spec", "data") if key in item})
        kubectl("--namespace", item["metadata"]["namespace"], "patch", objects.resource(item), item["metadata"]["name"], "--type", "merge", "--patch-file", "/dev/stdin", text=patch)
    return {group["name"]: group["rules"] for item in changed if item["kind"] == "PrometheusRule" for group in item["spec"]["groups"]}
