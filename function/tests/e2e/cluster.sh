# The cluster as the steps use it: overlays in and out, webhooks from inside, questions to the stand-in and to Prometheus.

namespaces=(webhook-app rocketchat gitlab strangers)
hook=http://webhook-app.webhook-app.svc/webhook
chat=http://rocketchat.rocketchat.svc:3000
# Over websockets some kubectl lose the first words of a short answer (seen with 1.32).
export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false

# What a run makes outside of these namespaces carries this label, so that another one can remove it.
ours=made-by=webhook-app-e2e

# Nothing of ours may be there: in the end we remove it.
preflight() {
  kubectl version > /dev/null 2>&1 || fail "kubectl reaches no cluster; set KUBECONFIG"
  local namespace
  for namespace in "${namespaces[@]}"; do
    ! kubectl get namespace "$namespace" > /dev/null 2>&1 ||
      fail "the namespace $namespace exists, and this run would remove it; take another cluster, or delete it yourself"
  done
  say "cluster: $(kubectl get nodes --no-headers | wc -l) node(s), Kubernetes $(kubectl version -o json 2> /dev/null | value serverVersion.gitVersion)"
}

# The stand-in for Rocket.Chat, and the places webhooks come from.
furnish() {
  headline "stand-ins"
  kubectl get namespace monitoring > /dev/null 2>&1 || {
    kubectl create namespace monitoring > /dev/null
    kubectl label namespace monitoring "$ours" > /dev/null
  }
  apply world
  kubectl wait --for=condition=Ready pod --all --timeout=120s -n rocketchat > /dev/null
  kubectl wait --for=condition=Ready pod/sender -n gitlab --timeout=120s > /dev/null
  kubectl wait --for=condition=Ready pod/stranger -n strangers --timeout=120s > /dev/null
  kubectl wait --for=condition=Ready pod/webhook-app-reader -n monitoring --timeout=120s > /dev/null
  say "ok: the stand-ins run"
}

# OVERLAY: what it contains, with the images and the class of this run.
rendered() {
  kubectl kustomize "$here/overlays/$1" | sed \
    -e "s#registry.example.com/webhook-app:[^ ]*#$IMAGE#" \
    -e "s#registry.example.com/fakes:[^ ]*#$FAKES_IMAGE#" \
    -e "s#gatewayClassName: .*#gatewayClassName: ${GATEWAY_CLASS:-}#"
}

apply() { rendered "$1" | kubectl apply -f - > "$work/apply.log" 2>&1 || { cat "$work/apply.log" >&2; fail "$1 was not applied"; }; }
remove() { rendered "$1" | kubectl delete --ignore-not-found --wait -f - > /dev/null 2>&1 || true; }

# The plain path, ready; a step that needs it says so.
plain() {
  # Both paths have the same name.
  ! kubectl -n webhook-app get ksvc webhook-app > /dev/null 2>&1 || kubectl delete namespace webhook-app --wait > /dev/null
  apply plain
  kubectl -n webhook-app rollout status deployment/webhook-app --timeout=120s > /dev/null ||
    fail "the Deployment did not get ready"
  within 60 "at least two pods are ready" two_ready
}

# An HPA with something to measure may want more.
two_ready() { (($(kubectl -n webhook-app get deployment webhook-app -o jsonpath='{.status.readyReplicas}') >= 2)); }
pods() { kubectl -n webhook-app get pods -l app.kubernetes.io/name=webhook-app "$@"; }
# Pods that have not been told to go.
staying() { pods -o go-template='{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}'; }

# ARGUMENT…: what GitLab's stand-in prints when it runs in the cluster.
gitlab() { kubectl -n gitlab exec sender -- /bin/fake-gitlab "$@"; }

# WHAT NUMBER TALLY: everything was answered 200 and is one message.
delivered() {
  local what=$1 number=$2 tally=$3
  say "$tally"
  same "$what: answered 200" "$number" "$(value answers.200 <<< "$tally")"
  same "$what: in exactly one message" "$number" "$(value stored.once <<< "$tally")"
}

# PATH: what the chat stand-in says of itself.
standin() { kubectl get --raw "/api/v1/namespaces/rocketchat/services/rocketchat:3000/proxy/inspect/$1"; }

# EXPRESSION: the first sample of Prometheus' answer, as a whole number; nothing without one.
prometheus() {
  local query; query=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$1")
  kubectl get --raw "/api/v1/namespaces/monitoring/services/prometheus-operated:9090/proxy/api/v1/query?query=$query" |
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
  kubectl get pods -A -o wide | grep -E "NAMESPACE|$(IFS='|'; echo "${namespaces[*]}")|monitoring" || true
  kubectl -n webhook-app get events --sort-by=.lastTimestamp 2> /dev/null | tail -20 || true
  pods -o name 2> /dev/null | head -3 | while read -r pod; do
    kubectl -n webhook-app logs "$pod" -c webhook-app --tail=3 2> /dev/null || true
  done
}

clear_away() {
  headline "clearing away"
  [[ -z $(kubectl -n monitoring get prometheus -l "$ours" -o name 2> /dev/null) ]] || remove monitoring
  kubectl -n monitoring delete pod webhook-app-reader --ignore-not-found > /dev/null 2>&1 || true
  kubectl delete namespace "${namespaces[@]}" --ignore-not-found --wait > /dev/null 2>&1 || true
  kubectl delete namespace -l "$ours" > /dev/null 2>&1 || true
  say "nothing of this run is left"
}
