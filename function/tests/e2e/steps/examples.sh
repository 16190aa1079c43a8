# The examples, as the API server sees them: each object is applied on the side of the server without being stored, in a
# namespace that enforces the profile `restricted`, and so is a pod of each Deployment. Kinds that the cluster does not
# serve are listed. Works without the rest of the tests: examples.sh NAMESPACE, which has the service account `webhook-app`,
# because Knative checks a pod with it.
# shellcheck shell=bash disable=SC1091,SC2154 # the files and variables of ../run
set -euo pipefail

examples_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  source "$examples_root/function/tests/e2e/assert.sh"
  examples_namespace=${1:?"usage: examples.sh NAMESPACE"}
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
else
  examples_namespace=$app_namespace-examples
  apply examples
fi

# The kinds that the cluster serves, as VERSION/KIND.
kubectl api-resources --no-headers | awk '{ print $(NF - 2) "/" $NF }' | sort -u > "$work/served"

# EXAMPLE: splits its objects into served.json and, as VERSION/KIND, a list of the others. All go to the namespace of this step.
# A Deployment is followed by one of its pods, because the profile applies to pods.
examples_split() {
  kubectl kustomize "$examples_root/$1" > "$work/example.yaml"
  KUBECONFIG=/dev/null kubectl patch --local --filename "$work/example.yaml" --type merge --output json \
    --patch "{\"metadata\": {\"namespace\": \"$examples_namespace\"}}" > "$work/example.json"
  python3 - "$work" << 'PYTHON'
import json, pathlib, sys
work = pathlib.Path(sys.argv[1])
known = set((work / "served").read_text().split())
text, decoder, place, objects = (work / "example.json").read_text(), json.JSONDecoder(), 0, []
while text[place:].strip():
    place += len(text[place:]) - len(text[place:].lstrip())
    found, place = decoder.raw_decode(text, place)
    objects.append(found)
served, others = [], []
for item in objects:
    kind = item["apiVersion"] + "/" + item["kind"]
    if kind not in known:
        others.append(kind)
        continue
    served.append(item)
    if item["kind"] == "Deployment":
        template = item["spec"]["template"]
        metadata = {**template["metadata"], "name": item["metadata"]["name"], "namespace": item["metadata"]["namespace"]}
        # Nothing is stored, so an example's own account does not exist.
        spec = {**template["spec"], "serviceAccountName": "webhook-app"}
        served.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
(work / "served.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": served}))
(work / "others").write_text(" ".join(sorted(set(others))))
PYTHON
}

for example in "$examples_root"/k8s-base/examples/*/ "$examples_root"/knative/examples/*/; do
  example=${example#"$examples_root/"} example=${example%/}
  examples_split "$example"
  count=$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["items"]))' < "$work/served.json")
  if ((count > 0)); then
    # Warnings are failures: the server gives one for a workload whose pods it would reject, and for a deprecated version.
    kubectl apply --server-side --dry-run=server --warnings-as-errors --filename "$work/served.json" > "$work/applied" 2>&1 ||
      { cat "$work/applied" >&2; fail "the API server rejects $example"; }
  fi
  info "ok: $example: the server accepts $count objects$([[ ! -s $work/others ]] || printf '; does not serve %s' "$(< "$work/others")")"
done
