"""Checks Compose files against the Compose specification, with unknown keys rejected.

usage: compose.py FILE…

Merge keys and variables are resolved first, as Compose does. That the files agree with the program is checked in compose.rs.
"""
import json
import re
import sys

import compose_spec
import yaml

# ${NAME:-default} and ${NAME:?message}
VARIABLE = re.compile(r"\$\{\w+:([-?])([^}]*)\}")


def resolve(text: str) -> dict:
    """Required variables are names of images here."""
    return yaml.safe_load(VARIABLE.sub(lambda found: found[2] if found[1] == "-" else "example:1", text))


def problem(compose: dict) -> str | None:
    try:
        compose_spec.PyCompose.from_json(json.dumps(compose))
    except ValueError as error:
        return str(error)
    return None


for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        compose = resolve(file.read())
    if found := problem(compose):
        sys.exit(f"{path}: {found}")
    for service in compose["services"].values():
        service["raed_only"] = True
    if problem(compose) is None:
        sys.exit(f"{path}: an unknown key was not rejected; does the check work?")
