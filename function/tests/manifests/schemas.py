"""Writes the JSON Schemas that kubeconform needs, with unknown fields rejected.

usage: schemas.py FOLDER

Those of Kubernetes come from the PyPI package kubernetes-validate, which contains them as published with each
release. The others are generated from the CustomResourceDefinitions in the Go modules of their projects, so the
manifests are valid for the versions below. CEL rules are not part of a schema and not checked.
"""

import json
import pathlib
import shutil
import subprocess
import sys

import kubernetes_validate
import yaml

# The oldest Kubernetes that all of the modules below support.
KUBERNETES = "1.34.0"

# module@version and the CustomResourceDefinitions under it
MODULES = {
    "knative.dev/serving@v0.48.0": ["config/core/300-resources/service.yaml"],
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": [
        f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml"
        for kind in ("podmonitors", "prometheuses", "prometheusrules", "servicemonitors")
    ],
    "sigs.k8s.io/gateway-api@v1.6.1": [
        f"config/crd/standard/gateway.networking.k8s.io_{kind}.yaml" for kind in ("gateways", "httproutes")
    ],
    "github.com/envoyproxy/gateway@v1.9.1": [
        f"charts/gateway-crds-helm/templates/generated/gateway.envoyproxy.io_{kind}.yaml"
        for kind in ("backendtrafficpolicies", "clienttrafficpolicies")
    ],
    "github.com/kedacore/keda/v2@v2.20.2": ["config/crd/bases/keda.sh_scaledobjects.yaml"],
    "github.com/kyverno/kyverno@v1.19.1": ["config/crds/policies.kyverno.io/policies.kyverno.io_imagevalidatingpolicies.yaml"],
}

# The metadata fields that the manifests use; any other is a misspelling.
METADATA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def module_folder(module):
    """The folder of a module in Go's module cache, downloaded if necessary."""
    result = subprocess.run(["go", "mod", "download", "-json", module], check=True, capture_output=True, cwd="/")
    return pathlib.Path(json.loads(result.stdout)["Dir"])


def definition(path):
    """One CustomResourceDefinition, without the Helm conditions that some projects wrap theirs in."""
    lines = path.read_text().splitlines()
    return yaml.safe_load("\n".join(line for line in lines if not line.startswith("{{")))


def strict(schema):
    """The schema, with additional properties rejected unless it allows them explicitly."""
    if not isinstance(schema, dict):
        return schema
    closed = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        closed.pop("type", None)
        closed["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if "properties" in schema:
        closed["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            closed.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if key in closed:
            closed[key] = strict(closed[key])
    return closed


def write_kubernetes(folder):
    """Writes one file for each built-in kind of Kubernetes, and the shared definitions."""
    package = pathlib.Path(kubernetes_validate.__file__).parent
    for path in (package / "kubernetes-json-schema" / f"v{KUBERNETES}-local-strict").iterdir():
        text = path.read_text().replace("/api/_definitions.json", (folder / "_definitions.json").resolve().as_uri())
        (folder / path.name).write_text(text)


def write_custom(folder):
    """Writes one file for each kind and version of the modules."""
    for module, paths in MODULES.items():
        home = module_folder(module)
        for path in paths:
            spec = definition(home / path)["spec"]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
                schema["properties"]["metadata"] = METADATA
                name = f"{spec['names']['kind'].lower()}_{spec['group']}_{version['name']}.json"
                (folder / name).write_text(json.dumps(schema))


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("kubernetes", "custom"):
        (folder / name).mkdir(parents=True)
    write_kubernetes(folder / "kubernetes")
    write_custom(folder / "custom")


main()
