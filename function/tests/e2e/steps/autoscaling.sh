# shellcheck shell=sh
# The whole path from the counter in webhook-app to the number of pods: ServiceMonitor, Prometheus, adapter, HPA. Under load
# the HPA scales up to the number that its target requires, and back to the minimum afterwards, although as many unauthenticated
# requests arrive then. Writes the time series as CSV and SVG.

. "$here/metrics.sh"
ensure_metrics || return 0
ensure_deployment
apply monitors
has_series() { [ "$(query_prometheus 'count(count by (pod) (webhooks_received_total{job="webhook-app",namespace="'"$app_namespace"'"}))')" -ge 2 ]; }
wait_until 120 "Prometheus has the series of both pods" has_series
has_custom_metrics() { has_custom_metric webhooks_per_minute && has_custom_metric webhooks_in_flight; }
wait_until 120 "the adapter has both metrics for the pods" has_custom_metrics
kubectl get --raw "$adapter/pods/*/webhooks_per_minute" > "$work/custom-metrics.json"
hpa_has_metrics() { ! kubectl -n "$app_namespace" get hpa webhook-app -o jsonpath='{.status.conditions}' | contains FailedGetPodsMetric; }
wait_until 90 "the HPA reads them" hpa_has_metrics
# The load of an earlier step may have scaled up, if the monitors were applied before it.
at_minimum() { [ "$(kubectl -n "$app_namespace" get deployment webhook-app -o jsonpath='{.status.replicas} {.status.readyReplicas}')" = "2 2" ]; }
wait_until 480 "the Deployment has 2 pods" at_minimum

rate=${LOAD_RATE:-8} seconds=${LOAD_SECONDS:-240}
# The target of the HPA: 60 webhooks per minute and pod.
target=$(kubectl -n "$app_namespace" get hpa webhook-app -o json | python3 -c 'import json, sys
print(next(m["pods"]["target"]["averageValue"] for m in json.load(sys.stdin)["spec"]["metrics"] if m["type"] == "Pods"))')
expected=$(((rate * 60 + target - 1) / target))
csv=$work/hpa.csv
echo "seconds,sent_per_minute,webhooks_per_minute,replicas,ready" > "$csv"
start=$(now)
elapsed() { echo $(($(now) - start)); }
fake_gitlab send "$webhook_url" --rate "$rate" --seconds "$seconds" --chat "$chat_url" > "$work/load.json" &
load=$!

sample() { # appends a row to the CSV; sets replicas and measured
  sent=0
  ! kill -0 "$load" 2> /dev/null || sent=$((rate * 60))
  measured=$(query_prometheus 'sum(rate(webhooks_received_total{job="webhook-app",kind!="unknown",namespace="'"$app_namespace"'"}[2m])) * 60')
  ready=$(kubectl -n "$app_namespace" get deployment webhook-app -o jsonpath='{.status.replicas} {.status.readyReplicas}')
  replicas=${ready%% *} ready=${ready#* }
  echo "$(elapsed),$sent,${measured:-0},$replicas,${ready:-0}" >> "$csv"
}
# Above this rate, even with the tolerance of 10 %, the HPA must choose the expected number. It reads the metric once per
# sync period. The rate drops while new pods have less than two minutes of samples, so the delay is measured from the time after
# which the rate stays above the threshold.
threshold=$(((expected - 1) * target * 11 / 10)) sync=${HPA_SYNC_SECONDS:-15}
scaled_up='' above_since='' reached='' delay=0 max_replicas=0
while kill -0 "$load" 2> /dev/null; do
  sample
  if [ "${measured:-0}" -le "$threshold" ]; then above_since=''; else above_since=${above_since:-$(elapsed)}; fi
  [ "$replicas" -le "$max_replicas" ] || max_replicas=$replicas
  [ -n "$scaled_up" ] || [ "$replicas" -le 2 ] || { scaled_up=$(elapsed); info "ok: more than 2 pods after $scaled_up s of load"; }
  [ -n "$reached" ] || [ "$replicas" -lt "$expected" ] || { reached=$(elapsed); delay=$((reached - ${above_since:-$reached})); info "ok: $replicas pods after $reached s of load"; }
  sleep 5
done
wait "$load" || fail "the fake GitLab failed"
expect_delivered "$((rate * 60)) webhooks per minute for $seconds s" $((rate * seconds)) "$(cat "$work/load.json")"
[ -n "$reached" ] || fail "$((rate * 60)) webhooks per minute need $expected pods at $target each, but the maximum was $max_replicas"
# The samples are five seconds apart.
[ "$delay" -le $((2 * sync + 5)) ] || fail "scaling up took $delay s after the metric exceeded the threshold, more than two sync periods of $sync s"
info "ok: scaled up $delay s after the metric exceeded the threshold, at most two sync periods"
# One more is allowed, because the measured rate varies and can exceed the tolerance of the HPA.
[ "$max_replicas" -le $((expected + 1)) ] || fail "$((rate * 60)) webhooks per minute need $expected pods at $target each, but the maximum was $max_replicas"

# From now on, as many requests arrive without a signature, as from a scanner: they must not keep the pods.
rm -f "$work/scanner.stop" "$work/scanner.log"
scan() {
  while :; do
    fake_gitlab send "$webhook_url" --rate "$rate" --seconds 10 --proof none >> "$work/scanner.log" || return
    [ ! -e "$work/scanner.stop" ] || break
  done
}
scan &
scanner=$!

load_end=$(now)
until [ "$replicas" -eq 2 ]; do
  [ $(($(now) - load_end)) -lt 480 ] || fail "8 minutes after the load there are still $replicas pods"
  sleep 5
  sample
done
info "ok: back to 2 pods $(($(now) - load_end)) s after the load"
kill -0 "$scanner" || fail "the requests without a signature ended early"
touch "$work/scanner.stop"
wait "$scanner" || fail "the fake GitLab failed"
contains '"401"' "$work/scanner.log" || fail "no request without a signature was answered 401: $(cat "$work/scanner.log")"
! contains '"200"' "$work/scanner.log" || fail "a request without a signature was accepted"
info "ok: meanwhile $((rate * 60)) requests per minute without a signature were answered 401 and did not keep the pods"
python3 "$here/plot.py" "$csv" > "$work/hpa.svg"
info "time series: $csv, $work/hpa.svg"
