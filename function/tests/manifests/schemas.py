"""Writes the JSON Schemas that kubeconform needs, with unknown fields rejected.

usage: schemas.py FOLDER

Those of Kubernetes come from the PyPI package kubernetes-validate, which contains them as published with each
release. The others are generated from the CustomResourceDefinitions in the Go modules of their projects, so the
manifests are valid for the versions below. CEL rules are not part of a schema and not checked.
"""

import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys

import kubernetes_validate
import yaml

# The oldest supported Kubernetes, whose API has the fewest fields, and the newest, whose API has lost the most.
OLDEST = "1.34.0"
NEWEST = "1.37.0"

# module@version and the CustomResourceDefinitions under it. The newest versions that Go 1.26 accepts: Gateway API 1.7,
# Argo CD 3.6 and the controllers of Flux 1.10 need Go 1.27. Those of the Prometheus operator are in its chart, here that
# of 0.93, because no current version of the operator is published as a module.
# Knative's broker for RabbitMQ is no published module either; the test in eventing.rs compares its one kind.
MODULES = {
    "github.com/prometheus-community/helm-charts@v0.0.0-20260828105119-ed5d7d9b5933": [
        f"charts/kube-prometheus-stack/charts/crds/crds/crd-{kind}.yaml"
        for kind in (
            "alertmanagerconfigs",
            "alertmanagers",
            "podmonitors",
            "probes",
            "prometheuses",
            "prometheusrules",
            "scrapeconfigs",
            "servicemonitors",
        )
    ],
    "knative.dev/eventing@v0.50.0": [
        f"config/core/resources/{kind}.yaml" for kind in ("broker", "sinkbindings", "trigger")
    ],
    "knative.dev/serving@v0.51.0": [
        f"config/core/300-resources/{kind}.yaml" for kind in ("domain-mapping", "service")
    ],
    "sigs.k8s.io/gateway-api@v1.6.3": [
        f"config/crd/standard/gateway.networking.k8s.io_{kind}.yaml" for kind in ("gateways", "httproutes")
    ],
    "github.com/envoyproxy/gateway@v1.9.1": [
        f"charts/gateway-crds-helm/templates/generated/gateway.envoyproxy.io_{kind}.yaml"
        for kind in ("backendtrafficpolicies", "clienttrafficpolicies")
    ],
    "github.com/kedacore/keda/v2@v2.21.0": ["config/crd/bases/keda.sh_scaledobjects.yaml"],
    "github.com/cert-manager/cert-manager@v1.21.2": [
        f"deploy/crds/cert-manager.io_{kind}.yaml" for kind in ("certificates", "clusterissuers", "issuers")
    ],
    "github.com/external-secrets/external-secrets@v1.3.2": [
        f"config/crds/bases/external-secrets.io_{kind}.yaml" for kind in ("externalsecrets", "secretstores")
    ],
    "github.com/bitnami-labs/sealed-secrets@v0.40.0": ["helm/sealed-secrets/crds/bitnami.com_sealedsecrets.yaml"],
    "github.com/openshift/api@v0.0.0-20260408160412-464776f95207": [
        "route/v1/zz_generated.crd-manifests/routes.crd.yaml"
    ],
    "github.com/cilium/cilium@v1.20.2": ["pkg/k8s/apis/cilium.io/client/crds/v2/ciliumnetworkpolicies.yaml"],
    "github.com/argoproj/argo-cd/v3@v3.5.7": ["manifests/crds/application-crd.yaml"],
    "github.com/fluxcd/source-controller@v1.9.6": ["config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml"],
    "github.com/fluxcd/kustomize-controller@v1.9.6": ["config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"],
    "github.com/kyverno/kyverno@v1.19.1": ["config/crds/policies.kyverno.io/policies.kyverno.io_imagevalidatingpolicies.yaml"],
}

# Groups whose definitions allow fields that they do not list, and would accept any misspelled one.
LISTED_ONLY = ("eventing.knative.dev",)

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
    result = subprocess.run(["go", "mod", "download", "-json", module], check=False, capture_output=True, cwd="/")
    answer = json.loads(result.stdout)
    if "Dir" not in answer:
        sys.exit(f"expected to download {module}, found: {answer.get('Error', result.stderr)}")
    return pathlib.Path(answer["Dir"])


class Loader(yaml.CSafeLoader):
    """Reads a plain `=` as a text, which YAML 1.1 reserves and the operators of matchers contain."""


Loader.add_constructor("tag:yaml.org,2002:value", Loader.construct_yaml_str)


def definition(path):
    """One CustomResourceDefinition, without the Helm conditions that some projects wrap theirs in."""
    lines = path.read_text().splitlines()
    return yaml.load("\n".join(line for line in lines if not line.startswith("{{")), Loader=Loader)


def strict(schema, listed_only=False):
    """The schema, with additional properties rejected unless it allows them explicitly and not only the listed ones are."""
    if not isinstance(schema, dict):
        return schema
    closed = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        closed.pop("type", None)
        closed["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if "properties" in schema:
        closed["properties"] = {name: strict(value, listed_only) for name, value in schema["properties"].items()}
        if "backoffDelay" in closed["properties"]:
            # Of the feature delivery-timeout, which is on by default; Knative lists no field of a feature.
            closed["properties"].setdefault("timeout", {"type": "string"})
        if listed_only or not schema.get("x-kubernetes-preserve-unknown-fields"):
            closed.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if key in closed:
            closed[key] = strict(closed[key], listed_only)
    if "allOf" in closed:
        # The server sets defaults before it checks what a field must not be; kubeconform sets none.
        closed["allOf"] = [condition for condition in closed["allOf"] if '"not"' not in json.dumps(condition)]
        if not closed["allOf"]:
            del closed["allOf"]
    return closed


def write_kubernetes(folder, version):
    """Writes one file for each built-in kind of a version of Kubernetes, and the shared definitions."""
    folder.mkdir(parents=True)
    package = pathlib.Path(kubernetes_validate.__file__).parent
    for path in (package / "kubernetes-json-schema" / f"v{version}-local-strict").iterdir():
        text = path.read_text().replace("/api/_definitions.json", (folder / "_definitions.json").resolve().as_uri())
        (folder / path.name).write_text(text)


def write_custom(folder, path):
    """Writes one file for each version of a kind."""
    spec = definition(path)["spec"]
    for version in spec["versions"]:
        schema = strict(version["schema"]["openAPIV3Schema"], spec["group"] in LISTED_ONLY)
        schema.setdefault("properties", {})
        schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
        schema["properties"]["metadata"] = METADATA
        name = f"{spec['names']['kind'].lower()}_{spec['group']}_{version['name']}.json"
        (folder / name).write_text(json.dumps(schema))


def module_definitions(module):
    """Downloads a module: the paths of the definitions that are used of it."""
    home = module_folder(module)
    return [home / path for path in MODULES[module]]


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    custom = folder / "custom"
    custom.mkdir(parents=True)
    # Downloads wait for the network, so they run beside each other and beside the rest.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        modules = [pool.submit(module_definitions, module) for module in MODULES]
        for name, version in (("oldest", OLDEST), ("newest", NEWEST)):
            write_kubernetes(folder / name, version)
        for found in modules:
            for path in found.result():
                write_custom(custom, path)


main()
