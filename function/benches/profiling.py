"""Profiles a server under load with Linux perf and shows its CPU time by group of functions.

Owns the groups. A function belongs to the first group whose pattern matches.
"""

import re
import subprocess
import time

GROUPS = {
    "kernel": r"\[k\]",
    "allocator": r"malloc|free|realloc|unlink_chunk",
    "SHA-256": r"sha256",
    "memory copies": r"mem(move|cpy|set)",
    "JSON": r"serde",
    "URLs": r"url::",
    "HTTP": r"hyper|http::|httparse|reqwest|axum|tower",
    "async runtime": r"tokio|mio::|futures",
    "webhook-app": r"webhook_app",
    "other": r"",
}
SECONDS = 3


def shares(server, tools, work, **load):
    """The percentage of samples per group while `load` is sent."""
    data = work / "perf.data"
    tools.send(count=200, connections=16)
    recording = subprocess.Popen(
        ["perf", "record", "--freq", "2000", "--output", data, "--pid", str(server.process.pid), "--", "sleep", str(SECONDS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    time.sleep(0.3)
    tools.send(**load)
    if recording.wait():
        raise SystemExit("bench: perf could not record; it needs root, and on Debian the package linux-perf")
    report = subprocess.run(
        ["perf", "report", "--input", data, "--stdio", "--no-children", "--sort", "sym"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ).stdout
    found = dict.fromkeys(GROUPS, 0.0)
    for percent, name in re.findall(r"^ +([0-9.]+)% +(.*)$", report, re.MULTILINE):
        group = next(group for group, pattern in GROUPS.items() if re.search(pattern, name))
        found[group] += float(percent)
    return found


def table(columns):
    lines = ["| share of CPU time | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for group in GROUPS:
        lines.append(f"| {group} | " + " | ".join(f"{shares[group]:.0f} %" for shares in columns.values()) + " |")
    return "\n".join(lines) + "\n"
