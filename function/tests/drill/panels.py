"""Runs every query of the dashboards against the Prometheus of the drill.

Owns what stands for the variables of Grafana, and why a panel may be empty: empty.json, with a sentence for each; * stands for
all panels of a dashboard.
"""

import json, pathlib, re, time

from cluster import ROOT
import objects

REASONS = json.loads((pathlib.Path(__file__).parent / "empty.json").read_text())
BUILT_IN = {"$__rate_interval": "1m", "$__interval": "15s", "$__range_s": "3600", "$__range": "1h"}


def replaced(expression):
    """The query with all values of each variable."""
    for name, value in BUILT_IN.items():
        expression = expression.replace(name, value)
    return re.sub(r'=~?"\$\{?\w+\}?"', '=~".*"', expression)


def mistakes(prometheus):
    """Queries that fail, panels without a value in the last hour and without a reason, and reasons for panels that do not exist; counts the queries."""
    found, count, now = [], 0, int(time.time())
    for item in objects.dashboards(objects.render(ROOT / "monitoring")):
        dashboard = json.loads(next(iter(item["data"].values())))
        name = item["metadata"]["name"]
        reasons = dict(REASONS.get(name, {}))
        every = reasons.pop("*", None)
        for panel in dashboard["panels"]:
            values = 0
            for target in panel.get("targets", []):
                count += 1
                answer, error = prometheus.read("v1/query_range", query=replaced(target["expr"]), start=now - 3600, end=now, step=15)
                if error:
                    found.append(f'{name}, panel "{panel["title"]}": expected an answer, found {error}')
                else:
                    values += len(answer["result"])
            reason = reasons.pop(panel["title"], None) or every
            if panel.get("targets") and not values and not reason:
                found.append(f'{name}, panel "{panel["title"]}" is empty; mend it, or say why in empty.json')
        found += [f'{name}: empty.json names the panel "{title}", which does not exist' for title in reasons]
    return found, count
