# A rolling update, evictions and deleted pods under steady load: nothing is lost and nothing comes twice.

plain
rate=${DISRUPTION_RATE:-10} seconds=${DISRUPTION_SECONDS:-90}
gitlab send "$hook" --rate "$rate" --seconds "$seconds" --chat "$chat" > "$work/disruption.json" &
load=$!
began=$SECONDS

kubectl -n "$app_namespace" rollout restart deployment/webhook-app > /dev/null
kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=120s > /dev/null || fail "the rolling update did not end"
say "ok: a rolling update, $((SECONDS - began)) s after the load began"

evict() {
  printf '{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "%s", "namespace": "%s"}}' "$1" "$app_namespace" |
    kubectl create --raw "/api/v1/namespaces/$app_namespace/pods/$1/eviction" -f - 2>&1
}
mapfile -t names < <(staying)
evict "${names[0]}" > /dev/null || fail "${names[0]} could not be evicted"
second=$(evict "${names[1]}" || true)
[[ $second == *"disruption budget"* ]] || fail "the budget let two pods go at once: $second"
say "ok: the budget lets one pod go and keeps the other"
within 60 "two pods are ready again" two_ready

kubectl -n "$app_namespace" delete pod "$(staying | sed -n 1p)" --wait=false > /dev/null
say "ok: a pod was deleted"
within 60 "two pods are ready after that" two_ready
((SECONDS - began < seconds)) || fail "the load ended before the disruption did; set DISRUPTION_SECONDS to more than $((SECONDS - began))"

wait "$load" || fail "the sender did not finish"
delivered "steady load of $rate a second" $((rate * seconds)) "$(cat "$work/disruption.json")"
