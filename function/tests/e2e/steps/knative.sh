# shellcheck shell=bash
# The Knative packaging: scale from zero, with one webhook and with many, scale to zero, metrics, the HPA class, a canary.

if ! serves serving.knative.dev/v1; then
  skip knative "the cluster has no Knative Serving"
  return
fi
ingress_url=http://${KNATIVE_INGRESS:-kourier.kourier-system.svc}/webhook
# Both packagings use the same names.
delete_app

service_ready() { kubectl -n "$app_namespace" wait --for=condition=Ready ksvc/webhook-app --timeout=180s; }
scaled_to_zero() { [[ -z $(pods -o name) ]]; }
# ARGUMENT…: sends webhooks through Knative's ingress.
send() { fake_gitlab send "$ingress_url" --host "$host" --chat "$chat_url" "$@"; }

apply knative
expect "the Service is ready" service_ready
host=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.url}' | sed 's#^https*://##')

for attempt in 1 2; do
  wait_until 240 "scaled to zero" scaled_to_zero
  result=$(send)
  expect_delivered "one webhook at zero pods" 1 "$result"
  info "cold start $attempt: $(json_value slowest_ms <<< "$result") ms"
done
result=$(send)
expect_delivered "one webhook to a running pod" 1 "$result"
wait_until 240 "scaled to zero after the last webhook" scaled_to_zero
result=$(send --count 100)
expect_delivered "100 concurrent webhooks at zero pods" 100 "$result"
info "cold start with 100 concurrent webhooks: the slowest took $(json_value slowest_ms <<< "$result") ms; $(pods -o name | wc -l) pod(s)"
expect_equal "a forged signature through Knative's ingress" "{'401': 1}" "$(json_value answers <<< "$(send --proof forged)")"

# The canary gets a tenth of the webhooks. It has another log level, but logs each webhook too.
stable=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}')
apply knative-canary "s#webhook-app-00001#$stable#"
canary_ready() { [[ $(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}') != "$stable" ]]; }
wait_until 120 "the canary is ready" canary_ready
expect "the Service is ready with both revisions" service_ready
canary=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}')
count_delivered() { kubectl -n "$app_namespace" logs -l "serving.knative.dev/revision=$1" -c webhook-app --tail=-1 | grep -c '"outcome":"delivered"' || true; }
expect_delivered "200 webhooks at 20 per second" 200 "$(send --rate 20 --seconds 10)"
share=$(count_delivered "$canary")
((share >= 5 && share <= 45)) || fail "expected the canary to receive about 20 of 200 webhooks, found $share"
info "ok: the canary $canary received $share of 200 webhooks"
canary_host=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.traffic[?(@.tag=="candidate")].url}' | sed 's#^https*://##')
expect_delivered "one webhook to the address of the canary" 1 "$(fake_gitlab send "$ingress_url" --host "$canary_host" --chat "$chat_url")"

source "$here/metrics.sh"
ensure_metrics || return 0
apply monitors
# A pod must run to be scraped. The name tells it from the pods of the Deployment, whose series may still be there.
has_series() { send > /dev/null; (($(query_prometheus 'count(webhooks_received_total{job="webhook-app",namespace="'"$app_namespace"'",pod=~".+-deployment-.+",container!="queue-proxy"})') > 0)); }
# The kubelet takes up to two minutes to update the configuration of Prometheus.
wait_until 240 "Prometheus has the series of the Knative pods" has_series
if ! kubectl -n knative-serving get deployment autoscaler-hpa > /dev/null 2>&1; then
  skip "knative, HPA class" "the cluster has no Knative HPA autoscaler"
  return 0
fi
apply knative-hpa
wait_until 120 "Knative created an HPA" kubectl -n "$app_namespace" get hpa -l serving.knative.dev/service=webhook-app -o name
expect "the Service is ready with the HPA" service_ready
revision=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}')
uses_custom_metric() { [[ $(kubectl -n "$app_namespace" get hpa "$revision" -o jsonpath='{.spec.metrics[0].pods.metric.name}') == webhooks_per_minute ]]; }
wait_until 60 "the HPA uses webhooks_per_minute" uses_custom_metric
# The window of the rate is two minutes, and a new pod is found within one.
send --rate 4 --seconds 240 > "$work/knative-hpa.json" &
load=$!
wants_three() { (($(kubectl -n "$app_namespace" get hpa "$revision" -o jsonpath='{.status.desiredReplicas}') >= 3)); }
wait_until 240 "the HPA wants at least 3 pods for 240 webhooks per minute" wants_three
wait "$load" || fail "the fake GitLab failed"
expect_delivered "the load of the HPA class" 960 "$(cat "$work/knative-hpa.json")"
