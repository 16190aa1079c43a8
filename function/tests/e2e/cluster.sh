# The cluster as the steps use it: overlays in and out, webhooks from inside, questions to the stand-in and to Prometheus.

# Every namespace begins with this prefix; the first one is the function's. The overlays have the same names.
app_namespace=webhook-app-e2e
chat_namespace=$app_namespace-rocketchat
gitlab_namespace=$app_namespace-gitlab
monitoring_namespace=$app_namespace-monitoring
other_namespace=$app_namespace-other
namespaces=("$app_namespace" "$chat_namespace" "$gitlab_namespace" "$monitoring_namespace" "$other_namespace")
# Everything applied carries this label (overlays/ownership). What exists without it belongs to somebody else.
label=app.kubernetes.io/managed-by=webhook-app-e2e

hook=http://webhook-app.$app_namespace.svc/webhook
chat=http://rocketchat.$chat_namespace.svc:3000
# Over websockets some kubectl lose the first words of a short answer (seen with 1.32).
export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false

# The cluster answers, and no namespace of these names belongs to somebody else.
preflight() {
  kubectl version > /dev/null 2>&1 || fail "kubectl reaches no cluster; set KUBECONFIG"
  refuse_foreign_namespaces
  say "cluster: $(kubectl get nodes --no-headers | wc -l) node(s), Kubernetes $(kubectl version -o json 2> /dev/null | value serverVersion.gitVersion)"
}

refuse_foreign_namespaces() {
  kubectl get namespaces --ignore-not-found "${namespaces[@]}" -o json > "$work/existing.json" ||
    fail "kubectl could not read the namespaces; use an account that may"
  refuse_foreign "$work/existing.json"
}

# FILE: objects that exist and would be changed, as JSON. Refuses those without the label, except in the namespaces of the
# tests: there the namespace's own label counts.
refuse_foreign() {
  local foreign
  foreign=$(python3 -c 'import json, sys
file, label, *own = sys.argv[1:]
key, value = label.split("=")
text = open(file).read()
found = json.loads(text) if text.strip() else {"items": []}
for item in found.get("items", [found]):
    about = item["metadata"]
    namespace = about.get("namespace")
    if namespace not in own and about.get("labels", {}).get(key) != value:
        print("  " + item["kind"], about["name"], "in " + namespace if namespace else "")' "$1" "$label" "${namespaces[@]}") ||
    fail "the objects that exist could not be read from $1"
  [[ -z $foreign ]] || fail "these would be changed, but lack the label $label and so belong to somebody else:
$foreign
Take another cluster, or delete or rename them yourself."
}

# Fake servers for Rocket.Chat and GitLab, and pods that send webhooks.
furnish() {
  headline "stand-ins"
  apply world
  kubectl wait --for=condition=Ready pod --all --timeout=120s -n "$chat_namespace" > /dev/null
  kubectl wait --for=condition=Ready pod/sender -n "$gitlab_namespace" --timeout=120s > /dev/null
  kubectl wait --for=condition=Ready pod/stranger -n "$other_namespace" --timeout=120s > /dev/null
  kubectl wait --for=condition=Ready pod/webhook-app-reader -n "$monitoring_namespace" --timeout=120s > /dev/null
  say "ok: the stand-ins run"
}

# OVERLAY: what it contains, with the images and the class of this run.
rendered() {
  kubectl kustomize "$here/overlays/$1" | sed \
    -e "s#registry.example.com/webhook-app:[^ ]*#$IMAGE#" \
    -e "s#registry.example.com/fakes:[^ ]*#$FAKES_IMAGE#" \
    -e "s#gatewayClassName: .*#gatewayClassName: ${GATEWAY_CLASS:-}#"
}

# OVERLAY [SED]: applies it, after a command of sed where one is given. The only place that applies anything to a cluster
# that may be somebody's.
apply() {
  rendered "$1" | sed "${2:-}" > "$work/apply.yaml"
  refuse_foreign_namespaces
  {
    kubectl get --ignore-not-found -f "$work/apply.yaml" -o json > "$work/existing.json" 2> "$work/apply.log" &&
      refuse_foreign "$work/existing.json" &&
      kubectl apply -f "$work/apply.yaml" > "$work/apply.log" 2>&1
  } || { cat "$work/apply.log" >&2; fail "$1 was not applied"; }
}
remove() { rendered "$1" | kubectl delete --ignore-not-found --wait -f - > /dev/null 2>&1 || true; }
# The function's namespace with everything in it.
remove_app() { kubectl delete namespace -l "$label" --field-selector "metadata.name=$app_namespace" --wait > /dev/null; }

# The plain path, ready; a step that needs it says so.
plain() {
  # Both paths have the same name.
  ! kubectl -n "$app_namespace" get ksvc webhook-app > /dev/null 2>&1 || remove_app
  apply plain
  kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=120s > /dev/null ||
    fail "the Deployment did not get ready"
  within 60 "at least two pods are ready" two_ready
}

# An HPA with something to measure may want more.
two_ready() { (($(kubectl -n "$app_namespace" get deployment webhook-app -o jsonpath='{.status.readyReplicas}') >= 2)); }
pods() { kubectl -n "$app_namespace" get pods -l app.kubernetes.io/name=webhook-app "$@"; }
# Pods that have not been told to go.
staying() { pods -o go-template='{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}'; }

# ARGUMENT…: what GitLab's stand-in prints when it runs in the cluster.
gitlab() { kubectl -n "$gitlab_namespace" exec sender -- /bin/fake-gitlab "$@"; }

# WHAT NUMBER TALLY: everything was answered 200 and is one message.
delivered() {
  local what=$1 number=$2 tally=$3
  say "$tally"
  same "$what: answered 200" "$number" "$(value answers.200 <<< "$tally")"
  same "$what: in exactly one message" "$number" "$(value stored.once <<< "$tally")"
}

# PATH: what the chat stand-in says of itself.
standin() { kubectl get --raw "/api/v1/namespaces/$chat_namespace/services/rocketchat:3000/proxy/inspect/$1"; }

# EXPRESSION: the first sample of Prometheus' answer, as a whole number; nothing without one.
prometheus() {
  local query; query=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$1")
  kubectl get --raw "/api/v1/namespaces/$prometheus_namespace/services/prometheus-operated:9090/proxy/api/v1/query?query=$query" |
    python3 -c 'import json, sys
found = json.load(sys.stdin)["data"]["result"]
print(round(float(found[0]["value"][1])) if found else "")'
}

# API-VERSION: whether the cluster serves it.
serves() { kubectl api-versions | has -x "$1"; }

# STEP WHY: the step is not for this cluster.
skip() { skipped+=("$1 ($2)"); say "SKIPPED: $2"; }

evidence() {
  headline "evidence"
  kubectl get pods -A -o wide | grep -E "NAMESPACE|$app_namespace|monitoring" || true
  kubectl -n "$app_namespace" get events --sort-by=.lastTimestamp 2> /dev/null | tail -20 || true
  pods -o name 2> /dev/null | head -3 | while read -r pod; do
    kubectl -n "$app_namespace" logs "$pod" -c webhook-app --tail=3 2> /dev/null || true
  done
}

# Deletes by the label alone, never by a name. First what is outside of the namespaces: an APIService without its server
# would keep them from going.
clear_away() {
  headline "clearing away"
  {
    kubectl delete apiservice,clusterrole,clusterrolebinding -l "$label" --ignore-not-found &&
      kubectl -n kube-system delete rolebinding -l "$label" --ignore-not-found &&
      kubectl delete namespace -l "$label" --ignore-not-found --wait
  } > "$work/delete.log" 2>&1 || {
    cat "$work/delete.log" >&2
    fail "not everything was deleted; what is left carries the label $label"
  }
  say "everything with the label $label is deleted"
}
