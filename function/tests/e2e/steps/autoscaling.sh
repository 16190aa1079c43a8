# From the function's own count to the number of its pods: ServiceMonitor, Prometheus, adapter, HPA. Load makes it leave
# its minimum and reach what the rule says; quiet brings it back. The curve is written as CSV and drawn as SVG.

source "$here/metrics.sh"
metrics || return 0
plain
apply monitors
scraped() { (($(prometheus 'count(count by (pod) (webhooks_received_total{job="webhook-app",namespace="'$app_namespace'"}))') >= 2)); }
within 120 "Prometheus has the series of both pods" scraped
answers() { custom webhooks_per_minute && custom webhooks_in_flight; }
within 120 "the adapter answers both metrics for the function's pods" answers
kubectl get --raw "$adapter/pods/*/webhooks_per_minute" > "$work/custom-metrics.json"
known() { ! kubectl -n "$app_namespace" get hpa webhook-app -o jsonpath='{.status.conditions}' | has FailedGetPodsMetric; }
within 90 "the HPA reads them" known

rate=${LOAD_RATE:-8} seconds=${LOAD_SECONDS:-180}
# What the rule says: 60 a minute and pod.
target=$(kubectl -n "$app_namespace" get hpa webhook-app -o json | python3 -c 'import json, sys
print(next(m["pods"]["target"]["averageValue"] for m in json.load(sys.stdin)["spec"]["metrics"] if m["type"] == "Pods"))')
expected=$(((rate * 60 + target - 1) / target))
curve=$work/hpa.csv
echo "seconds,sent_per_minute,webhooks_per_minute,replicas,ready" > "$curve"
began=$SECONDS
gitlab send "$hook" --rate "$rate" --seconds "$seconds" --chat "$chat" > "$work/load.json" &
load=$!

observe() { # writes one line of the curve; leaves replicas, measured
  local sent=0 ready
  ! kill -0 "$load" 2> /dev/null || sent=$((rate * 60))
  measured=$(prometheus 'sum(rate(webhooks_received_total{job="webhook-app",namespace="'$app_namespace'"}[1m])) * 60')
  read -r replicas ready <<< "$(kubectl -n "$app_namespace" get deployment webhook-app -o jsonpath='{.status.replicas} {.status.readyReplicas}')"
  echo "$((SECONDS - began)),$sent,${measured:-0},$replicas,${ready:-0}" >> "$curve"
}
# Above this even the HPA's tolerance of a tenth leaves no other answer. It looks every sync period, and the rate dips
# while new pods have no full minute behind them: the metric asks from when it stays above.
asking=$(((expected - 1) * target * 11 / 10)) sync=${HPA_SYNC_SECONDS:-15}
left='' asked='' reached='' late=0 most=0
while kill -0 "$load" 2> /dev/null; do
  observe
  if ((${measured:-0} <= asking)); then asked=''; else asked=${asked:-$((SECONDS - began))}; fi
  ((replicas <= most)) || most=$replicas
  [[ -n $left ]] || ((replicas <= 2)) || { left=$((SECONDS - began)); say "ok: more than 2 pods after $left s of load"; }
  [[ -n $reached ]] || ((replicas < expected)) || { reached=$((SECONDS - began)) late=$((reached - ${asked:-$reached})); say "ok: $replicas pods after $reached s of load"; }
  sleep 5
done
wait "$load" || fail "the sender did not finish"
delivered "$((rate * 60)) webhooks a minute for $seconds s" $((rate * seconds)) "$(cat "$work/load.json")"
[[ -n $reached ]] || fail "$((rate * 60)) a minute are $expected pods at $target each, but there were $most"
# Five seconds lie between two looks of ours.
((late <= 2 * sync + 5)) || fail "the pods came $late s after the metric asked for them, which is more than two sync periods of $sync s"
say "ok: the pods were there $late s after the metric asked for them, at most two sync periods"
# The measured rate swings a little around the true one; the HPA forgives a tenth, which may just not be enough.
((most <= expected + 1)) || fail "$((rate * 60)) a minute are $expected pods at $target each, but there were $most"

quiet=$SECONDS
until ((replicas == 2)); do
  ((SECONDS - quiet < 480)) || fail "8 minutes after the load there are still $replicas pods"
  sleep 5
  observe
done
say "ok: back to 2 pods $((SECONDS - quiet)) s after the load"
python3 "$here/curve.py" "$curve" > "$work/hpa.svg"
say "the curve: $curve, $work/hpa.svg"
