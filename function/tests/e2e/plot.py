"""Plots webhooks per minute and pods over time, as SVG.

usage: plot.py CSV > SVG
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


def x_of(seconds):
    return LEFT + (WIDTH - LEFT - RIGHT) * seconds / last


def y_of(value, scale):
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / highest[scale]


def text(x, y, content, anchor="middle", colour=INK, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}" {more}>{content}</text>'


def line(column, scale, colour, steps=False, more=""):
    points, previous = [], None
    for row in rows:
        if steps and previous is not None:
            points.append((x_of(row["seconds"]), y_of(previous, scale)))
        points.append((x_of(row["seconds"]), y_of(row[column], scale)))
        previous = row[column]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" {more}/>'


def ticks(top, count):
    step = next(step for step in (1, 2, 5, 10, 20, 50, 60, 100, 120, 200, 300, 600, 1000, 2000, 5000, 10**9) if top / step <= count)
    return range(0, int(top) + 1, step)


def main():
    shown = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">',
        "<title>Webhooks per minute and pods over time</title>",
    ]
    for value in ticks(highest["webhooks"], 8):
        y = y_of(value, "webhooks")
        shown.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}" stroke-opacity="0.3"/>')
        shown.append(text(LEFT - 8, y + 4, value, "end", WEBHOOKS))
    for value in ticks(highest["pods"], 12):
        shown.append(text(WIDTH - RIGHT + 8, y_of(value, "pods") + 4, value, "start", PODS))
    for value in ticks(last / 60, 12):
        shown.append(text(x_of(value * 60), HEIGHT - BOTTOM + 18, value))
    shown += [
        text(WIDTH / 2, HEIGHT - 10, "minutes since the start of the load"),
        text(LEFT, 18, "webhooks per minute: sent (dashed) and measured", "start", WEBHOOKS),
        text(WIDTH - RIGHT, 18, "pods", "end", PODS),
        line("sent_per_minute", "webhooks", WEBHOOKS, True, 'stroke-dasharray="4 4" stroke-opacity="0.6"'),
        line("webhooks_per_minute", "webhooks", WEBHOOKS),
        line("replicas", "pods", PODS, True),
        "</svg>",
    ]
    print("\n".join(shown))


main()
