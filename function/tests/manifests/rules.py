"""Extracts the rules of monitoring/rules for promtool, and checks what promtool does not.

usage: rules.py FOLDER

promtool reads no PrometheusRule, so FOLDER gets the rules alone, and the tests with the series of healthy.yaml that they do
not give themselves. Checked here: each alert has for, a severity, a text with the next step and a runbook; a test in which it
fires and one in which it ends; what fires beside it is inhibited by the configuration of Alertmanager; and our metrics and
the values of their labels are those of the documentation.
"""

import pathlib
import re
import sys

import yaml

RULES = pathlib.Path("monitoring/rules")
RUNBOOKS = pathlib.Path("monitoring/runbooks")
ALERTMANAGER = pathlib.Path("monitoring/alertmanager/raw/alertmanager.yaml")
METRICS = [pathlib.Path("monitoring/METRICS.md"), pathlib.Path("function/docs/reconcile.md")]
RUNBOOK_URL = "https://gitlab.example.org/team/webhook-app/-/blob/main/monitoring/runbooks/"
SEVERITIES = ["critical", "warning", "info"]
# It never ends, and each test would name it.
WATCHDOG = "WebhookAppWatchdog"
ALL_FIRING = f'group by (alertname) (ALERTS{{alertstate="firing", alertname!="{WATCHDOG}"}})'
OURS = re.compile(r"\b((?:webhooks?|http_server|http_client|process)_[a-z0-9_]+)\b(?!:)(?:\{([^}]*)\})?")
HISTOGRAM = re.compile(r"_(bucket|count|sum)$")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
DURATION = re.compile(r"(\d+)([smhd])")

problems = []


def report(problem):
    problems.append(problem)


def load(path):
    return yaml.safe_load(path.read_text())


def seconds(duration):
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(int(number) * units[unit] for number, unit in DURATION.findall(duration))


def read_rules(folder):
    """The alerts by name, and the names of the recording rules. Writes the rules."""
    alerts, records = {}, set()
    for path in sorted(RULES.glob("*.yaml")):
        spec = load(path)["spec"]
        (folder / path.name).write_text(yaml.safe_dump(spec, width=1000))
        for rule in (rule for group in spec["groups"] for rule in group["rules"]):
            if "record" in rule:
                records.add(rule["record"])
            elif rule["alert"] in alerts:
                report(f"{path}: two alerts have the name {rule['alert']}")
            else:
                alerts[rule["alert"]] = rule
    return alerts, records


def check_alert(name, rule):
    annotations = rule.get("annotations", {})
    if not rule.get("for"):
        report(f"{name}: expected for, found none")
    if rule.get("labels", {}).get("severity") not in SEVERITIES:
        report(f"{name}: expected a severity of {SEVERITIES}")
    if rule.get("labels", {}).get("service") != "webhook-app":
        report(f"{name}: expected the label service: webhook-app, by which Alertmanager routes it")
    for key in ["summary", "description"]:
        if not annotations.get(key, "").strip():
            report(f"{name}: expected the annotation {key}, found none")
    if "{{" not in annotations.get("description", "") and not re.match(r"(vector|absent)\(", rule["expr"]):
        report(f"{name}: expected the value or a label in the description")
    if annotations.get("runbook_url") != f"{RUNBOOK_URL}{name}.md":
        report(f"{name}: expected the runbook_url {RUNBOOK_URL}{name}.md, found {annotations.get('runbook_url')}")
    runbook = RUNBOOKS / f"{name}.md"
    if not runbook.exists():
        report(f"{name}: expected {runbook}, which does not exist")
    else:
        check_runbook(runbook)


def check_runbook(path):
    text = path.read_text()
    parts = ["## Meaning", "## First command", "## Causes", "## Remedy", "## Proof"]
    missing = [part for part in [f"# {path.stem}", *parts] if f"{part}\n" not in text]
    if missing:
        report(f"{path}: expected the headings {missing}")
    if "```sh\n" not in text:
        report(f"{path}: expected a command to copy")
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if not (path.parent / link).exists():
            report(f"{path}: {link} does not exist")


def documented():
    """The documented metrics with the values of their labels; None if the values are not listed."""
    metrics = {}
    for path in METRICS:
        for line in path.read_text().splitlines():
            cells = [cell.strip() for cell in line.replace("\\|", "").split("|")[1:-1]]
            if len(cells) == 4 and re.fullmatch(r"`[a-z0-9_]+`", cells[0]) and cells[1] in ["counter", "gauge", "histogram"]:
                labels = re.findall(r"`(\w+)`", cells[2])
                metrics[cells[0].strip("`")] = {label: None for label in labels}
            elif len(cells) == 3 and cells[0].strip("`") in metrics and cells[2].startswith("`"):
                metrics[cells[0].strip("`")][cells[1].strip("`")] = re.findall(r"`([^`]*)`", cells[2])
    return metrics


def check_metrics(where, expression, metrics):
    for name, matchers in OURS.findall(expression):
        base = HISTOGRAM.sub("", name) if name not in metrics else name
        if base not in metrics:
            report(f"{where}: {name} is not in {METRICS[0]} or {METRICS[1]}")
            continue
        for label, operator, wanted in MATCHER.findall(matchers):
            if label in ["job", "namespace", "pod", "le"]:
                continue
            if label not in metrics[base]:
                report(f"{where}: {base} has no label {label}")
                continue
            values = metrics[base][label]
            alternatives = wanted.split("|") if "~" in operator else [wanted]
            for alternative in alternatives if values else []:
                if not any(re.fullmatch(alternative, value) for value in values):
                    report(f"{where}: the label {label} of {base} is never {alternative}")


def series_of(text):
    """A series as its name and labels, whatever their order."""
    name, _, labels = text.partition("{")
    return name.strip(), frozenset((label, value) for label, _, value in MATCHER.findall(labels))


def inhibits(rules, source, target):
    def matches(matchers, labels):
        parsed = [MATCHER.fullmatch(matcher.strip()) for matcher in matchers]
        for found in parsed:
            label, operator, wanted = found.groups()
            fits = re.fullmatch(wanted if "~" in operator else re.escape(wanted), labels.get(label, ""))
            if bool(fits) == operator.startswith("!"):
                return False
        return True

    return any(matches(rule["source_matchers"], source) and matches(rule["target_matchers"], target) for rule in rules)


def read_tests(folder, alerts):
    """The tests by the alert that each begins its name with. Writes them, with the series of a healthy system."""
    healthy = load(RULES / "tests/healthy.yaml")["input_series"]
    tests = {}
    for path in sorted((RULES / "tests").glob("*.yaml")):
        if path.stem == "healthy":
            continue
        content = load(path)
        for test in content["tests"]:
            name = test["name"].split(":")[0]
            if name in alerts:
                tests.setdefault(name, []).append(test)
            elif name != "healthy":
                report(f"{path}: {test['name']!r} begins with no name of an alert")
            given = {series_of(series["series"]) for series in test["input_series"]}
            test["input_series"] += [series for series in healthy if series_of(series["series"]) not in given]
        (folder / "tests" / path.name).write_text(yaml.safe_dump(content, width=1000))
    return tests


def firing(assertion):
    samples = assertion.get("exp_samples", [])
    return [dict((label, value) for label, _, value in MATCHER.findall(sample["labels"]))["alertname"] for sample in samples]


def check_tests(name, tests, alerts, inhibitions):
    fires = ends = False
    for test in tests:
        was_firing = False
        for assertion in sorted(test["promql_expr_test"], key=lambda assertion: seconds(assertion["eval_time"])):
            if name != WATCHDOG and assertion["expr"] != ALL_FIRING:
                report(f"{test['name']}: expected the expression {ALL_FIRING}, which names all that fire")
            names = firing(assertion)
            if name in names:
                fires = was_firing = True
                check_neighbours(test["name"], name, names, alerts, inhibitions)
            else:
                ends = ends or was_firing
    if not fires:
        report(f"{name}: expected a test in which it fires, named '{name}' or '{name}: …'")
    elif not ends and name != WATCHDOG:
        report(f"{name}: expected a test in which it ends after it has fired")


def check_neighbours(test, name, names, alerts, inhibitions):
    def labels(alert):
        return {"alertname": alert, **alerts[alert]["labels"]}

    for other in names:
        by = any(inhibits(inhibitions, labels(source), labels(other)) for source in names if source != other)
        if other != name and not by:
            report(f"{test}: {other} fires too, and no rule in {ALERTMANAGER} inhibits it")


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "tests").mkdir(parents=True)
    alerts, records = read_rules(folder)
    metrics = documented()
    tests = read_tests(folder, alerts)
    inhibitions = load(ALERTMANAGER)["inhibit_rules"]
    for path in sorted(RULES.glob("*.yaml")):
        for rule in (rule for group in load(path)["spec"]["groups"] for rule in group["rules"]):
            where = rule.get("alert") or rule["record"]
            check_metrics(where, rule["expr"], metrics)
            for used in re.findall(r"\bwebhook_app:\w+:\w+", rule["expr"]):
                if used not in records:
                    report(f"{where}: no rule records {used}")
    for name, rule in alerts.items():
        check_alert(name, rule)
        check_tests(name, tests.get(name, []), alerts, inhibitions)
    for path in RUNBOOKS.glob("*.md"):
        if path.stem not in alerts:
            report(f"{path}: no alert has this name")
    if problems:
        sys.exit("\n".join(problems))
    print(f"rules: {len(alerts)} alerts, {len(records)} recording rules, {sum(map(len, tests.values()))} tests")


main()
