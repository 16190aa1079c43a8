"""Writes one invalid object for each kind among rendered ones: with a field that the kind does not have.

usage: unknown_fields.py RENDERED FOLDER

A schema that accepts one of them is not strict, and would accept a misspelled field in the manifests too.
"""

import pathlib
import sys

import yaml

# Kinds that `check` names as those without a schema.
WITHOUT_SCHEMA = ("networking.gke.io/v1", "eventing.knative.dev/v1alpha1")


class Loader(yaml.CSafeLoader):
    """Reads `=`, the operator of a matcher in an AlertmanagerConfig, as a string. YAML 1.1 has a special type for it."""


Loader.add_constructor("tag:yaml.org,2002:value", Loader.construct_scalar)


def main():
    rendered, folder = (pathlib.Path(argument) for argument in sys.argv[1:])
    found = {}
    for path in sorted(rendered.glob("*.yaml")):
        for item in yaml.load_all(path.read_text(), Loader=Loader):
            if item["apiVersion"] not in WITHOUT_SCHEMA:
                found.setdefault((item["apiVersion"], item["kind"]), item)
    for (version, kind), item in found.items():
        item.get("spec", item)["unknownField"] = "misspelled"
        name = f"{kind}_{version.replace('/', '_')}.yaml".lower()
        (folder / name).write_text(yaml.safe_dump(item))


main()
