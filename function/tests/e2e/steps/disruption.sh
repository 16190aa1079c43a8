# shellcheck shell=bash
# A rolling update, evictions and a deleted pod under constant load: no webhook is lost and no message is duplicated.

ensure_deployment
rate=${DISRUPTION_RATE:-10} seconds=${DISRUPTION_SECONDS:-90}
fake_gitlab send "$webhook_url" --rate "$rate" --seconds "$seconds" --chat "$chat_url" > "$work/disruption.json" &
load=$!
start=$SECONDS

kubectl -n "$app_namespace" rollout restart deployment/webhook-app > /dev/null
kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=120s > /dev/null || fail "the rolling update did not finish"
info "ok: a rolling update, $((SECONDS - start)) s after the start of the load"

evict() {
  printf '{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "%s", "namespace": "%s"}}' "$1" "$app_namespace" |
    kubectl create --raw "/api/v1/namespaces/$app_namespace/pods/$1/eviction" -f - 2>&1
}
mapfile -t names < <(active_pods)
evict "${names[0]}" > /dev/null || fail "could not evict ${names[0]}"
second=$(evict "${names[1]}" || true)
[[ $second == *"disruption budget"* ]] || fail "expected the PodDisruptionBudget to refuse a second eviction, found: $second"
info "ok: the PodDisruptionBudget allows one eviction and refuses a second one"
wait_until 60 "two pods are ready after the eviction" two_ready

kubectl -n "$app_namespace" delete pod "$(active_pods | sed -n 1p)" --wait=false > /dev/null
info "ok: deleted a pod"
wait_until 60 "two pods are ready after the deletion" two_ready
((SECONDS - start < seconds)) || fail "the load ended before the disruptions; set DISRUPTION_SECONDS to more than $((SECONDS - start))"

wait "$load" || fail "the fake GitLab failed"
expect_delivered "constant load of $rate webhooks per second" $((rate * seconds)) "$(cat "$work/disruption.json")"
