# shellcheck shell=sh
# The cluster, as the steps use it: applies and deletes overlays, sends webhooks from a pod, queries the fake Rocket.Chat
# and Prometheus.

# All namespaces begin with this prefix; the first one is that of webhook-app. The overlays use the same names.
app_namespace=webhook-app-e2e
chat_namespace=$app_namespace-rocketchat
gitlab_namespace=$app_namespace-gitlab
monitoring_namespace=$app_namespace-monitoring
other_namespace=$app_namespace-other
namespaces="$app_namespace $chat_namespace $gitlab_namespace $monitoring_namespace $other_namespace"
# Everything that is applied has this label (overlays/ownership). Objects without it are not changed.
label=app.kubernetes.io/managed-by=webhook-app-e2e

webhook_url=http://webhook-app.$app_namespace.svc/webhook
chat_url=http://rocketchat.$chat_namespace.svc:3000
# Over websockets, some versions of kubectl lose the start of a short output (observed with 1.32).
export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false

# The cluster is reachable, and no namespace of these names exists without the label.
preflight() {
  kubectl version > /dev/null 2>&1 || fail "kubectl cannot reach a cluster; set KUBECONFIG"
  refuse_unlabelled_namespaces
  info "cluster: $(($(kubectl get nodes --no-headers | wc -l))) node(s), Kubernetes $(kubectl version -o json 2> /dev/null | json_value serverVersion.gitVersion)"
}

refuse_unlabelled_namespaces() {
  # shellcheck disable=SC2086 # several names
  kubectl get namespaces --ignore-not-found $namespaces -o json > "$work/existing.json" ||
    fail "kubectl could not read the namespaces; use an account with permission to read them"
  refuse_unlabelled "$work/existing.json"
}

# FILE: existing objects that would be changed, as JSON. Fails if one lacks the label. Objects in the namespaces of the tests
# need no label, because the label of the namespace is checked.
refuse_unlabelled() {
  # shellcheck disable=SC2086 # several names
  unlabelled=$(python3 -c 'import json, sys
file, label, *namespaces = sys.argv[1:]
key, value = label.split("=")
text = open(file).read()
found = json.loads(text) if text.strip() else {"items": []}
for item in found.get("items", [found]):
    metadata = item["metadata"]
    namespace = metadata.get("namespace")
    if namespace not in namespaces and metadata.get("labels", {}).get(key) != value:
        print("  " + item["kind"], metadata["name"], "in " + namespace if namespace else "")' "$1" "$label" $namespaces) ||
    fail "could not parse the existing objects in $1"
  [ -z "$unlabelled" ] || fail "these objects would be changed, but do not have the label $label, so they were not created by the tests:
$unlabelled
Use another cluster, or delete or rename them."
}

# Cleaning up deletes everything with the label, so it would also delete a running demo.
refuse_leftovers() (
  left=$(kubectl get namespaces -l "$label" -o name | paste -s -d , - | sed 's/,/, /g')
  [ -z "$left" ] || fail "an earlier run or a demo left $left; delete them first: make down CLUSTER=existing"
)

# Deploys the fake Rocket.Chat and the pods that send webhooks and connect from other namespaces.
apply_fixtures() {
  heading "fixtures"
  apply fixtures
  # Not `kubectl wait pod --all`, which fails if the Deployment has no pod yet.
  kubectl -n "$chat_namespace" rollout status deployment/rocketchat --timeout=120s > /dev/null
  kubectl wait --for=condition=Ready pod/sender -n "$gitlab_namespace" --timeout=120s > /dev/null
  kubectl wait --for=condition=Ready pod/other -n "$other_namespace" --timeout=120s > /dev/null
  kubectl wait --for=condition=Ready pod/scraper -n "$monitoring_namespace" --timeout=120s > /dev/null
  info "ok: the fixtures are ready"
}

# OVERLAY: renders it with the images and the GatewayClass of this run.
render() {
  kubectl kustomize "$here/overlays/$1" > "$work/rendering.yaml" || fail "could not render the overlay $1"
  sed \
    -e "s#registry.example.com/webhook-app:[^ ]*#$IMAGE#" \
    -e "s#registry.example.com/fakes:[^ ]*#$FAKES_IMAGE#" \
    -e "s#gatewayClassName: .*#gatewayClassName: ${GATEWAY_CLASS:-}#" "$work/rendering.yaml"
}

# OVERLAY [SED]: applies it, after a sed command if one is given. Nothing else applies objects to an existing cluster.
apply() {
  render "$1" > "$work/overlay.yaml"
  sed "${2:-}" "$work/overlay.yaml" > "$work/apply.yaml"
  refuse_unlabelled_namespaces
  {
    kubectl get --ignore-not-found -f "$work/apply.yaml" -o json > "$work/existing.json" 2> "$work/apply.log" &&
      refuse_unlabelled "$work/existing.json" &&
      kubectl apply -f "$work/apply.yaml" > "$work/apply.log" 2>&1
  } || { cat "$work/apply.log" >&2; fail "could not apply the overlay $1"; }
}
delete_overlay() {
  render "$1" > "$work/overlay.yaml"
  kubectl delete --ignore-not-found --wait -f "$work/overlay.yaml" > /dev/null 2>&1 || true
}
# Deletes the namespace of webhook-app with everything in it, and creates it again.
delete_app() {
  kubectl delete namespace -l "$label" --field-selector "metadata.name=$app_namespace" --wait > /dev/null
  apply setup
}

# Applies the Deployment packaging and waits until it is ready; called by each step that needs it.
ensure_deployment() {
  roll_out deployment
  wait_until 60 "at least two pods are ready" two_ready
}

# OVERLAY [SED]: applies an overlay of the Deployment packaging and waits until its pods have replaced all others.
roll_out() {
  # Both packagings use the same names.
  ! kubectl -n "$app_namespace" get ksvc webhook-app > /dev/null 2>&1 || delete_app
  apply "$@"
  kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=120s > /dev/null ||
    fail "the Deployment of the overlay $1 did not become ready"
}

# At least two, because an HPA that has a metric may want more.
two_ready() { [ "$(kubectl -n "$app_namespace" get deployment webhook-app -o jsonpath='{.status.readyReplicas}')" -ge 2 ]; }
pods() { kubectl -n "$app_namespace" get pods -l app.kubernetes.io/name=webhook-app "$@"; }
# The names of the pods that are not being terminated.
active_pods() { pods -o go-template='{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}'; }

# ARGUMENT…: runs the fake GitLab in its pod.
fake_gitlab() { kubectl -n "$gitlab_namespace" exec sender -- /bin/fake-gitlab "$@"; }

# WHAT COUNT RESULT: every webhook was answered 200 and stored as exactly one message.
expect_delivered() {
  info "$3"
  expect_equal "$1: answered 200" "$2" "$(info "$3" | json_value answers.200)"
  expect_equal "$1: stored as exactly one message" "$2" "$(info "$3" | json_value stored.once)"
}

# PATH: reads the inspection API of the fake Rocket.Chat.
inspect_rocketchat() { kubectl get --raw "/api/v1/namespaces/$chat_namespace/services/rocketchat:3000/proxy/inspect/$1"; }

# REPLICAS: 0 takes the fake Rocket.Chat away, with its messages, which are in memory; 1 brings it back.
scale_rocketchat() {
  kubectl -n "$chat_namespace" scale deployment/rocketchat --replicas="$1" > /dev/null
  kubectl -n "$chat_namespace" rollout status deployment/rocketchat --timeout=60s > /dev/null
  [ "$1" != 0 ] || kubectl -n "$chat_namespace" wait --for=delete pod -l app.kubernetes.io/name=rocketchat --timeout=60s > /dev/null
}

# NAME: how many messages are stored for this user, and how often the most frequent one was inserted.
stored_for() {
  inspect_rocketchat messages | python3 -c 'import json, sys
found = [one["inserts"] for one in json.load(sys.stdin) if one["recipient"] == sys.argv[1]]
print(len(found), max(found, default=0))' "$1"
}

# EXPRESSION: prints the first sample of the query result as an integer, or an empty line if there is none.
query_prometheus() {
  query=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$1")
  kubectl get --raw "/api/v1/namespaces/$prometheus_namespace/services/prometheus-operated:9090/proxy/api/v1/query?query=$query" |
    python3 -c 'import json, sys
found = json.load(sys.stdin)["data"]["result"]
print(round(float(found[0]["value"][1])) if found else "")'
}

# API-VERSION: whether the cluster serves it.
serves() { kubectl api-versions | contains -x "$1"; }

# STEP REASON: records that the step cannot run on this cluster. With REQUIRE_TOOLS=1 the run fails.
skip() { skipped="${skipped:-} $1 ($2);"; "$root/function/ci/skip" "$1; $2" || fail "$1 did not run"; }

diagnostics() {
  heading "diagnostics"
  kubectl get pods -A -o wide | grep -E "NAMESPACE|$app_namespace|monitoring" || true
  kubectl -n "$app_namespace" get events --sort-by=.lastTimestamp 2> /dev/null | tail -20 || true
  pods -o name 2> /dev/null | head -3 | while read -r pod; do
    kubectl -n "$app_namespace" logs "$pod" -c webhook-app --tail=3 2> /dev/null || true
  done
}

# Deletes by label only, never by name. Objects outside the namespaces go first: an APIService without its server would block
# the deletion of namespaces.
cleanup() {
  heading "cleanup"
  {
    kubectl delete apiservice,clusterrole,clusterrolebinding -l "$label" --ignore-not-found &&
      kubectl -n kube-system delete rolebinding -l "$label" --ignore-not-found &&
      kubectl delete namespace -l "$label" --ignore-not-found --wait
  } > "$work/delete.log" 2>&1 || {
    cat "$work/delete.log" >&2
    fail "could not delete everything; the remaining objects have the label $label"
  }
  info "deleted all objects with the label $label"
}
