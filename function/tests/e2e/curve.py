"""Draws the curve of an autoscaler: webhooks a minute and pods over time, as SVG.

usage: curve.py CSV > SVG
"""
import csv
import sys

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 64, 44, 48
INK, GRID, WEBHOOKS, PODS = "#57606a", "#8c959f", "#0969da", "#bc4c00"

with open(sys.argv[1], newline="") as file:
    rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]

last = max(row["seconds"] for row in rows)
highest = {
    "webhooks": max(60, *(max(row["webhooks_per_minute"], row["sent_per_minute"]) for row in rows)) * 1.1,
    "pods": max(row["replicas"] for row in rows) * 1.1,
}


def across(seconds):
    return LEFT + (WIDTH - LEFT - RIGHT) * seconds / last


def up(value, scale):
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / highest[scale]


def text(x, y, content, anchor="middle", colour=INK, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}" {more}>{content}</text>'


def line(column, scale, colour, steps=False, more=""):
    points, previous = [], None
    for row in rows:
        if steps and previous is not None:
            points.append((across(row["seconds"]), up(previous, scale)))
        points.append((across(row["seconds"]), up(row[column], scale)))
        previous = row[column]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" {more}/>'


def ticks(top, count):
    step = next(step for step in (1, 2, 5, 10, 20, 50, 60, 100, 120, 200, 300, 600, 1000, 2000, 5000, 10**9) if top / step <= count)
    return range(0, int(top) + 1, step)


def main():
    shown = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">',
        "<title>Webhooks a minute and pods over time</title>",
    ]
    for value in ticks(highest["webhooks"], 8):
        y = up(value, "webhooks")
        shown.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}" stroke-opacity="0.3"/>')
        shown.append(text(LEFT - 8, y + 4, value, "end", WEBHOOKS))
    for value in ticks(highest["pods"], 12):
        shown.append(text(WIDTH - RIGHT + 8, up(value, "pods") + 4, value, "start", PODS))
    for value in ticks(last / 60, 12):
        shown.append(text(across(value * 60), HEIGHT - BOTTOM + 18, value))
    shown += [
        text(WIDTH / 2, HEIGHT - 10, "minutes since the load began"),
        text(LEFT, 18, "webhooks a minute: sent (dashed) and measured", "start", WEBHOOKS),
        text(WIDTH - RIGHT, 18, "pods", "end", PODS),
        line("sent_per_minute", "webhooks", WEBHOOKS, True, 'stroke-dasharray="4 4" stroke-opacity="0.6"'),
        line("webhooks_per_minute", "webhooks", WEBHOOKS),
        line("replicas", "pods", PODS, True),
        "</svg>",
    ]
    print("\n".join(shown))


main()
