#!/usr/bin/env python3
"""Breaks one thing after another on a test cluster, and shows for each which alerts arrive, and that they end. See `run`.
usage: drill.py MANIFESTS   the rendered manifests of the function as they are applied

Owns the failures, how each is provoked and mended, and what must arrive where. hurry.py makes the rules fast.
"""

import copy, functools, json, os, pathlib, re, sys, time
from dataclasses import dataclass, field
from typing import Callable

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "function/ci/monitoring"))

import cluster, hurry, objects, panels
from cluster import NAMESPACE as APP, call, fail, kubectl, one

CHAT, GITLAB, RECEIVERS, OTHER = (os.environ[f"{name}_NAMESPACE"] for name in ("CHAT", "GITLAB", "RECEIVERS", "OTHER"))
MONITORING = cluster.MONITORING
WEBHOOK = f"http://webhook-app.{APP}.svc/webhook"
BOTH, PAGERDUTY = frozenset({"PagerDuty", "Rocket.Chat"}), frozenset({"PagerDuty"})
WATCHDOG = "WebhookAppWatchdog"
# How long an alert may take to arrive, and to end: the longest window of a rule is two minutes here.
SECONDS = 240
# It works for the example with which templates are tried at start, and divides by zero for other pushes.
TEMPLATE = """push: '{% if sha[:4] == "3f2c" %}{{ sha }}{% else %}{{ 1 // (title | length - 26) }}{% endif %}'"""


# What is broken and mended.


def scale(namespace, workload, replicas):
    kubectl("--namespace", namespace, "scale", workload, f"--replicas={replicas}")
    if replicas:
        ready(namespace, workload)


def ready(namespace, workload):
    kubectl("--namespace", namespace, "rollout", "status", workload, "--timeout=120s", request_limit=None)


def away(namespace, name):
    """Takes a Deployment to zero pods, and brings it back."""
    return tuple(functools.partial(scale, namespace, f"deployment/{name}", replicas) for replicas in (0, 1))


def send(*arguments):
    """Sends webhooks from the pod of GitLab."""
    return kubectl("--namespace", GITLAB, "exec", "sender", "--", "/bin/fake-gitlab", "send", WEBHOOK, *arguments, request_limit=None)


def function(change=None):
    """Applies the manifests of the function, after a change of its Deployment."""
    manifests = copy.deepcopy(MANIFESTS)
    deployment = next(item for item in manifests if item["kind"] == "Deployment" and item["metadata"]["name"] == "webhook-app")
    if change:
        change(deployment["spec"])
    kubectl("apply", "--filename", "-", text="".join(f"---\n{json.dumps(item)}\n" for item in manifests))


def mended():
    function()
    ready(APP, "deployment/webhook-app")


def with_settings(settings, then=lambda: None):
    """Runs the function with other values of settings."""
    def change(spec):
        container(spec).setdefault("env", []).extend({"name": name, "value": value} for name, value in settings.items())

    def provoke():
        function(change)
        ready(APP, "deployment/webhook-app")
        then()

    return provoke, mended


def container(spec):
    return spec["template"]["spec"]["containers"][0]


def without_pods(spec):
    """An image that cannot be pulled, and no old pods that go on meanwhile."""
    spec["strategy"] = {"type": "Recreate", "rollingUpdate": None}
    container(spec)["image"] = "registry.invalid/webhook-app:none"


def crashing(spec):
    container(spec).setdefault("env", []).append({"name": "ROCKETCHAT_URL", "value": "not a URL"})


def out_of_memory(spec):
    """A limit that a burst of large webhooks exceeds."""
    resources = container(spec)["resources"]
    resources["requests"]["memory"], resources["limits"]["memory"] = "8Mi", "16Mi"


def starve():
    function(out_of_memory)
    ready(APP, "deployment/webhook-app")
    # The pods end, so some webhooks are not answered.
    call("--namespace", GITLAB, "exec", "sender", "--", "/bin/fake-gitlab", "send", WEBHOOK, "--bytes", "16000000", "--count", "4", request_limit=None)


def push():
    """Someone pushes to GitLab, which sends a webhook and keeps what came of it."""
    kubectl("--namespace", GITLAB, "exec", "sender", "--", "/bin/fake-gitlab", "happen", f"http://gitlab.{GITLAB}.svc", request_limit=None)


def rocketchat_away():
    scale(CHAT, "deployment/rocketchat", 0)
    send("--rate", "4", "--seconds", "5")


def rocketchat_back():
    scale(CHAT, "deployment/rocketchat", 1)
    send("--count", "5")


def database_away():
    scale(CHAT, "deployment/mongodb", 0)
    rocketchat_away()


def database_back():
    # At the same time: Rocket.Chat alone would be the next failure.
    kubectl("--namespace", CHAT, "scale", "deployment/mongodb", "--replicas=1")
    rocketchat_back()


def address_of(name):
    """Lets the public address lead to the pods with this name, and to no others."""
    patch = json.dumps({"spec": {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}})
    kubectl("--namespace", APP, "patch", "networkpolicy", "public-address", "--type", "merge", "--patch", patch)


def hooks_apply():
    kubectl("--namespace", APP, "exec", "deployment/webhook-app-reconcile", "--", "/webhook-app", "hooks", "apply", request_limit=None)


def gitlab_back():
    """The fake GitLab has lost its webhooks and made a new token."""
    scale(GITLAB, "deployment/gitlab", 1)
    token = json.loads(kubectl("--namespace", GITLAB, "logs", "deployment/gitlab", "--container", "gitlab").splitlines()[0])["token"]
    for item in MANIFESTS:
        if item["kind"] == "Secret" and "GITLAB_API_TOKEN" in item.get("stringData", {}):
            item["stringData"]["GITLAB_API_TOKEN"] = token
    function()
    kubectl("--namespace", APP, "rollout", "restart", "deployment/webhook-app-reconcile")
    ready(APP, "deployment/webhook-app-reconcile")
    hooks_apply()


def other_outcomes():
    """What no alert is about, and yet a panel shows: webhooks of GitLab, those that no rule sends to anybody, and those to nobody."""
    scale(CHAT, "deployment/rocketchat", 0)
    push()
    scale(CHAT, "deployment/rocketchat", 1)
    push()
    # The rules and the one recipient exclude each other.
    for settings in [{"ROUTES": 'rules: [{event: pipeline, to: "@alice"}]', "ROCKETCHAT_RECIPIENT": ""}, {"ROCKETCHAT_RECIPIENT": "nobody"}]:
        provoke, mend = with_settings(settings, lambda: send("--count", "2"))
        provoke()
        mend()


@dataclass
class Failure:
    """What goes wrong, the alert that must arrive, and where."""

    what: str
    alert: str
    provoke: Callable
    mend: Callable
    receivers: frozenset = BOTH


NOTHING = lambda: None
FAILURES = [
    Failure("a project has no webhook", "ReconcileHookMissing", NOTHING, hooks_apply),
    Failure("Rocket.Chat is away", "RocketchatDown", rocketchat_away, rocketchat_back, PAGERDUTY),
    Failure("MongoDB is away, and Rocket.Chat with it", "MongodbDown", database_away, database_back, PAGERDUTY),
    Failure("webhooks with a forged signature", "WebhookAppSignatureFailures", lambda: send("--rate", "6", "--seconds", "5", "--proof", "forged"), NOTHING),
    Failure("the token of the bot is wrong", "WebhookAppUnauthorized", *with_settings({"ROCKETCHAT_AUTH_TOKEN": "wrong-token-of-the-drill"}, lambda: send("--count", "5"))),
    Failure("the recipient does not exist", "WebhookAppRecipientUnreachable", *with_settings({"ROCKETCHAT_RECIPIENT": "nobody"})),
    Failure("a template fails", "WebhookAppTemplateFailing", *with_settings({"MESSAGES": TEMPLATE}, lambda: send("--count", "5"))),
    Failure("no pod can start", "WebhookAppAbsent", lambda: function(without_pods), mended),
    Failure("the function was deleted", "WebhookAppMissing", lambda: kubectl("--namespace", APP, "delete", "deployment", "webhook-app", request_limit=None), mended),
    Failure("new pods end with a wrong setting", "WebhookAppRestarts", lambda: function(crashing), mended),
    Failure("pods are out of memory", "WebhookAppOutOfMemory", starve, mended),
    Failure("the public address is closed", "WebhookAppProbeFailed", lambda: address_of("nothing"), lambda: address_of("webhook-app")),
    Failure("the blackbox exporter is away", "BlackboxDown", *away(MONITORING, "blackbox-exporter")),
    Failure("the metrics adapter is away", "WebhookAppHpaCannotRead", *away(MONITORING, "prometheus-adapter")),
    Failure("kube-state-metrics is away", "KubeStateMetricsDown", *away(MONITORING, "kube-state-metrics")),
    Failure("RabbitMQ is away", "RabbitmqDown", *away(OTHER, "rabbitmq")),
    Failure("no runner", "GitlabRunnerDown", *away(GITLAB, "gitlab-runner")),
    Failure("GitLab is away", "GitlabDown", away(GITLAB, "gitlab")[0], gitlab_back),
]


# What arrives.


class Receivers:
    """What the receivers have printed since the last look."""

    def __init__(self):
        self.read_until = {}

    def new(self):
        """(receiver, trigger or resolve, alert) of each new notification."""
        return [*self.pagerduty(), *self.rocketchat()]

    def lines(self, container):
        text = kubectl("--namespace", RECEIVERS, "logs", "deployment/alerts", "--container", container)
        # The first line has the credentials.
        lines = [json.loads(line) for line in text.splitlines()[1:]]
        new = lines[self.read_until.get(container, 0):]
        self.read_until[container] = len(lines)
        return new

    def pagerduty(self):
        return [("PagerDuty", event["event_action"], event["payload"]["class"]) for event in self.lines("pagerduty")]

    def rocketchat(self):
        for message in self.lines("rocketchat"):
            attachment = message["attachments"][0]
            action = "resolve" if attachment["title"].startswith("resolved: ") else "trigger"
            yield "Rocket.Chat", action, re.search(r"(\w+)(?: in \S+)? · \[runbook\]", attachment["text"])[1]


@dataclass
class Seen:
    """What a failure has caused so far."""

    notified: set = field(default_factory=set)
    # The silenced alerts, and the alerts that silence them.
    silenced: dict = field(default_factory=dict)

    def look(self, receivers, alertmanager):
        self.notified.update(receivers.new())
        alerts = active(alertmanager)
        names = {alert["fingerprint"]: alert["labels"]["alertname"] for alert in alerts}
        for alert in alerts:
            causes = {names.get(cause, "an alert that has ended") for cause in alert["status"]["inhibitedBy"]}
            if causes:
                self.silenced.setdefault(alert["labels"]["alertname"], set()).update(causes)
        return alerts

    def has(self, receivers, action, alert):
        return all((receiver, action, alert) in self.notified for receiver in receivers)

    def others(self, alert):
        return sorted({name for _, action, name in self.notified if action == "trigger"} - {alert})


def active(alertmanager):
    alerts, error = alertmanager.read("v2/alerts")
    if error:
        fail(f"expected the alerts of Alertmanager, found: {error}")
    return [alert for alert in alerts if alert["labels"]["alertname"] != WATCHDOG]


def wait_for(seconds, what, condition):
    """Seconds until the condition holds; None if it does not."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            print(f"  {what}: not within {seconds} s")
            return None
        time.sleep(1)
    return time.monotonic() - start


def healthy_at_first(prometheus, alertmanager, groups, first):
    """Waits until Prometheus has read the rules, all targets answer, and only what the first failure causes is active."""
    def has_rules():
        found, _ = prometheus.read("v1/rules")
        loaded = {group["name"]: group["rules"] for group in (found or {}).get("groups", [])}
        return all(
            [hurry.seconds(rule.get("for", "0s")) for rule in rules if "alert" in rule] == [rule["duration"] for rule in loaded.get(name, []) if rule["type"] == "alerting"]
            for name, rules in groups.items()
        )

    def answers():
        found, _ = prometheus.read("v1/targets", state="active")
        jobs = {}
        for target in (found or {}).get("activeTargets", []):
            jobs.setdefault(target["labels"]["job"], []).append(target["health"])
        return WANTED_JOBS <= set(jobs) and all(health == "up" for job in WANTED_JOBS for health in jobs[job])

    for what, condition in [
        ("Prometheus has read the rules", has_rules),
        (f"targets of the jobs {', '.join(sorted(WANTED_JOBS))} are up", answers),
        ("no alert is active that nothing has caused", lambda: {alert["labels"]["alertname"] for alert in active(alertmanager)} <= {first}),
    ]:
        took = wait_for(SECONDS, what, condition)
        if took is None:
            fail(f"expected before the drill: {what}; found {[alert['labels'] for alert in active(alertmanager)]}")
        print(f"ok: {what}, after {took:.0f} s")


# All neighbours, and the parts of the monitoring.
WANTED_JOBS = {"webhook-app", "webhook-app-reconcile", "rocketchat", "mongodb", "gitlab", "gitlab-registry", "gitlab-runner", "rabbitmq", "envoy", "blackbox", "kube-state-metrics", "node-exporter"}


def main():
    chosen = [failure for failure in FAILURES if not os.environ.get("CASES") or failure.alert in os.environ["CASES"].split(",")]
    if not chosen:
        fail(f"expected one of {', '.join(failure.alert for failure in FAILURES)} in CASES, found {os.environ['CASES']}")
    prometheus = cluster.prometheus_server(one(f"prometheuses.{cluster.GROUP}", "webhook-app", "--namespace", MONITORING))
    alertmanager = cluster.alertmanager_server(cluster.alertmanager(MONITORING))
    groups = hurry.apply()
    healthy_at_first(prometheus, alertmanager, groups, FAILURES[0].alert)
    receivers = Receivers()
    # So that a chosen failure is the only one.
    if FAILURES[0] not in chosen:
        hooks_apply()
        if wait_for(SECONDS, "no alert is active", lambda: not active(alertmanager)) is None:
            fail(f"expected no alert before the drill, found {[alert['labels'] for alert in active(alertmanager)]}")
        receivers.new()
    rows, failed = [], 0
    for failure in chosen:
        row, is_good = drill(failure, receivers, alertmanager)
        rows.append(row)
        failed += not is_good
    table(rows)
    if len(chosen) == len(FAILURES):
        failed += queries(prometheus)
    if failed:
        sys.exit(f"FAILED: {failed} mistakes, see ✗ above")
    print(f"\nall {len(rows)} failures were reported, and nothing else")


def queries(prometheus):
    """Runs the queries of the dashboards on what the drill has caused; returns the number of mistakes."""
    other_outcomes()
    # Two scrapes of what has just happened.
    time.sleep(5)
    mistakes, count = panels.mistakes(prometheus)
    print(*(f"✗ {mistake}" for mistake in mistakes), f"{count} queries of the dashboards ran, {len(mistakes)} mistakes", sep="\n")
    return len(mistakes)


def drill(failure, receivers, alertmanager):
    seen = Seen()
    print(f"\n{failure.what}: expect {failure.alert} at {' and '.join(sorted(failure.receivers))}", flush=True)
    start = time.monotonic()
    failure.provoke()
    provoked_in = time.monotonic() - start
    fired = wait_for(SECONDS, f"{failure.alert} arrives", lambda: (seen.look(receivers, alertmanager), seen.has(failure.receivers, "trigger", failure.alert))[1])
    # Consequences that are not silenced arrive soon after the cause.
    for _ in range(10):
        seen.look(receivers, alertmanager)
        time.sleep(1)
    start = time.monotonic()
    failure.mend()
    mended_in = time.monotonic() - start
    ended = wait_for(SECONDS, "all alerts end", lambda: not seen.look(receivers, alertmanager) and seen.has(failure.receivers, "resolve", failure.alert))
    others = seen.others(failure.alert)
    where = {receiver for receiver, action, name in seen.notified if action == "trigger" and name == failure.alert}
    is_good = fired is not None and ended is not None and not others and where == failure.receivers
    silenced = "; ".join(f"{name} by {', '.join(sorted(causes))}" for name, causes in sorted(seen.silenced.items()))
    row = ["✓" if is_good else "✗", failure.what, failure.alert, " and ".join(sorted(where)) or "none", took(fired, provoked_in), took(ended, mended_in), silenced or "–", ", ".join(others) or "–"]
    print("  " + " · ".join(row), flush=True)
    return row, is_good


def took(waited, before):
    """How long it took together; None if it did not happen."""
    return "never" if waited is None else f"{before + waited:.0f} s"


def table(rows):
    head = ["", "failure", "alert", "arrived at", "after", "ended after", "silenced", "others"]
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


if len(sys.argv) != 2:
    fail("expected the manifests of the function; usage: drill.py MANIFESTS")
MANIFESTS = objects.parsed(pathlib.Path(sys.argv[1]).read_text())
main()
