"""Writes the results of the benchmark as JSON, as Markdown for function/docs/performance.md, and as a plot.

Owns the goals and the labels. Both numbers of a ratio are from the same run.
"""

import html
import json

# Labels of names in the JSON.
LABELS = {
    "floor": "minimal server",
    "metrics, line": "metrics, access log",
    "metrics, line, spans": "metrics, access log, spans",
}


def label(name):
    return LABELS.get(name, name)


def goals(found):
    """Each measure with its value, goal, direction and unit."""
    webhook_app = lambda what: found[what]["webhook-app"]  # noqa: E731
    floor = found["cold start"]["floor"]["median_ms"]
    tls_floor = found["cold start over TLS"]["floor"]["median_ms"]
    small, on_lambda = webhook_app("4 KB pushes"), webhook_app("Lambda")
    health = found["cold start, health"]
    yield "start to first health response, relative to a minimal server", health["webhook-app"]["median_ms"] / health["floor"]["median_ms"], 1.6, "≤", "×"
    yield "start to first delivered webhook, relative to a minimal server", webhook_app("cold start")["median_ms"] / floor, 2.5, "≤", "×"
    yield "start to first delivered webhook over TLS, relative to a minimal server", webhook_app("cold start over TLS")["median_ms"] / tls_floor, 2.5, "≤", "×"
    for peer, least in (("nginx, static 200", 1 / 3), ("Fastify", 3), ("Flask + gunicorn", 50)):
        if peer in found["4 KB pushes"]:
            yield f"4 KB pushes/s on one core, relative to {peer}", small["per_second"] / found["4 KB pushes"][peer]["per_second"], least, "≥", "×"
    yield "60 KB pushes/s, relative to 4 KB pushes/s", webhook_app("60 KB pushes")["per_second"] / small["per_second"], 0.5, "≥", "×"
    rates = {name: result["per_second"] for name, result in found["telemetry"].items()}
    for name, least in (("metrics", 0.97), ("metrics, line", 0.91), ("metrics, line, spans", 0.85)):
        yield f"4 KB pushes/s with {label(name)}, relative to telemetry off", rates[name] / rates["telemetry off"], least, "≥", "×"
    for key, name, most in (("init_ms", "init", 2.5), ("first_ms", "first invocation", 0.7), ("warm_ms", "warm invocation", 0.3)):
        yield f"AWS Lambda protocol on this machine, {name}", on_lambda[key], most, "≤", "ms"
    yield "resident memory after start", health["webhook-app"]["resident_mb"], 3, "≤", "MB"
    yield "peak memory with 64 connections", small["highest_mb"], 10, "≤", "MB"
    yield "peak memory with 1000 connections", webhook_app("connections 1000")["highest_mb"], 40, "≤", "MB"
    waiting = webhook_app("64 waiting, 60 KB")
    yield "memory per 60 KB push in flight", (waiting["highest_mb"] - waiting["fresh_mb"]) * 1000 / 64, 50, "≤", "KB"
    if "nginx, static 200" in found["half load"]:
        yield "p99 latency at half load, relative to nginx", webhook_app("half load")["p99_ms"] / found["half load"]["nginx, static 200"]["p99_ms"], 2, "≤", "×"


def growth(found):
    """The results of increasing load, and their labels."""
    for what in found:
        kind, _, amount = what.partition(" ")
        if kind == "payload":
            size = int(amount)
            yield what, f"{size / 1000:.0f} KB pushes" if size < 1_000_000 else f"{size / 1_000_000:.0f} MB pushes"
        elif kind == "connections":
            yield what, "4 KB pushes"
    yield "4 KB pushes, 20 ms upstream", "4 KB pushes, Rocket.Chat latency 20 ms"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(results):
    found = results["measured"]
    lines = ["| measure | goal | measured | result |", "|---|---|---|---|"]
    for name, value, goal, sign, unit in goals(found):
        met = value <= goal if sign == "≤" else value >= goal
        lines.append(f"| {name} | {sign} {number(goal)} {unit} | {number(value)} {unit} | {'met' if met else '**missed**'} |")
    lines += ["", "| server | first response, ms | 4 KB pushes/s | CPU µs per push | p99, ms | 60 KB pushes/s | peak memory, MB |", "|---|---|---|---|---|---|---|"]
    for name, small in found["4 KB pushes"].items():
        cold = found["cold start"].get(name)
        large = found["60 KB pushes"][name]
        cells = [cold and cold["median_ms"], small["per_second"], small["cpu_us"], small["p99_ms"], large["per_second"], small["highest_mb"]]
        lines.append("| " + " | ".join([name] + [number(cell) if cell else "–" for cell in cells]) + " |")
    lines += ["", "| telemetry | 4 KB pushes/s | CPU µs per push | p99, ms |", "|---|---|---|---|"]
    for name, result in found["telemetry"].items():
        lines.append("| " + " | ".join([label(name)] + [number(result[key]) for key in ("per_second", "cpu_us", "p99_ms")]) + " |")
    lines += ["", "| start | first response, ms | relative to the minimal server | CPU, ms | memory, MB |", "|---|---|---|---|---|"]
    for what in ("cold start, health", "cold start", "cold start over TLS"):
        for name in ("floor", "webhook-app"):
            start, floor = found[what][name], found[what]["floor"]
            cells = [start["median_ms"], start["median_ms"] / floor["median_ms"], start["cpu_ms"], start["resident_mb"]]
            lines.append("| " + " | ".join([f"{what}: {label(name)}"] + [number(cell) for cell in cells]) + " |")
    lines += ["", "| load | connections | webhooks/s | CPU µs per webhook | p50, ms | p99, ms | peak memory, MB |", "|---|---|---|---|---|---|---|"]
    for what, name in growth(found):
        one = found[what]["webhook-app"]
        cells = [one[key] for key in ("per_second", "cpu_us", "p50_ms", "p99_ms", "highest_mb")]
        lines.append("| " + " | ".join([name, str(one["connections"])] + [number(cell) for cell in cells]) + " |")
    lines += ["", f"{results['cores']} cores, commit {results['commit']}; medians of interleaved rounds."]
    return "\n".join(lines) + "\n"


def bars(title, unit, values, top):
    """A horizontal bar chart with a logarithmic scale, because the values differ by orders of magnitude."""
    from math import log10

    largest, smallest = max(values.values()), min(values.values())
    low, high = log10(smallest) - 0.3, log10(largest)
    width = lambda value: 360 * (log10(value) - low) / max(high - low, 0.1)  # noqa: E731
    parts = [f'<text x="0" y="{top}" class="title">{html.escape(title)}</text>']
    for row, (name, value) in enumerate(values.items()):
        y = top + 14 + 22 * row
        kind = "ours" if name.startswith("webhook-app") else "peer"
        parts.append(f'<text x="170" y="{y + 12}" text-anchor="end">{html.escape(name)}</text>')
        parts.append(f'<rect x="180" y="{y}" width="{width(value):.1f}" height="16" class="{kind}"/>')
        parts.append(f'<text x="{186 + width(value):.1f}" y="{y + 12}">{number(value)} {unit}</text>')
    return "\n".join(parts), top + 14 + 22 * len(values) + 28


def plot(found):
    charts = [
        ("Start to first response, ms (log scale, shorter is better)", "ms", {label(name): value["median_ms"] for name, value in found["cold start"].items()}),
        ("Signed 4 KB pushes per second on one core (log scale, longer is better)", "/s", {name: value["per_second"] for name, value in found["4 KB pushes"].items()}),
        ("Peak memory under this load, MB (log scale, shorter is better)", "MB", {name: value["highest_mb"] for name, value in found["4 KB pushes"].items()}),
    ]
    top, parts = 20, []
    for title, unit, values in charts:
        chart, top = bars(title, unit, values, top)
        parts.append(chart)
    style = "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.ours{fill:#d64045}.peer{fill:#9db4c0}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 660 {top}" role="img"><style>{style}</style><rect x="-10" width="660" height="{top}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (folder / "table.md").write_text(table(results))
    (folder / "plot.svg").write_text(plot(results["measured"]))
