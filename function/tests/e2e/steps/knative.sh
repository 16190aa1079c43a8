# The Knative path: from zero, a crowd from zero, back to zero, the series, the HPA class, a canary.

if ! serves serving.knative.dev/v1; then
  skip knative "the cluster has no Knative Serving"
  return
fi
ingress=http://${KNATIVE_INGRESS:-kourier.kourier-system.svc}/webhook
# Both paths have the same name.
remove_app

ready() { kubectl -n "$app_namespace" wait --for=condition=Ready ksvc/webhook-app --timeout=180s; }
asleep() { [[ -z $(pods -o name) ]]; }
# ARGUMENT…: to the function through Knative's ingress.
knock() { gitlab send "$ingress" --host "$host" --chat "$chat" "$@"; }

apply knative
want "the Service is ready" ready
host=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.url}' | sed 's#^https*://##')

for attempt in 1 2; do
  within 240 "asleep: no pods" asleep
  tally=$(knock)
  delivered "the first webhook from zero" 1 "$tally"
  say "COLD REQUEST $attempt: $(value slowest_ms <<< "$tally") ms"
done
tally=$(knock)
delivered "a warm one" 1 "$tally"
within 240 "back to zero after the last webhook" asleep
tally=$(knock --count 100)
delivered "100 at once from zero" 100 "$tally"
say "COLD CROWD: the slowest of 100 took $(value slowest_ms <<< "$tally") ms; $(pods -o name | wc -l) pod(s)"
same "a forged one through Knative's ingress" "{'401': 1}" "$(value answers <<< "$(knock --proof forged)")"

# A tenth of the webhooks goes to the candidate, which logs as much as the other one.
good=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}')
apply knative-canary "s#webhook-app-00001#$good#"
candidate() { [[ $(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}') != "$good" ]]; }
within 120 "the candidate is ready" candidate
want "the Service is ready with both" ready
new=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}')
logged() { kubectl -n "$app_namespace" logs -l "serving.knative.dev/revision=$1" -c webhook-app --tail=-1 | grep -c '"outcome":"delivered"' || true; }
delivered "200 webhooks at 20 a second" 200 "$(knock --rate 20 --seconds 10)"
share=$(logged "$new")
((share >= 5 && share <= 45)) || fail "a tenth of 200 should be about 20, but the candidate had $share"
say "ok: the candidate $new had $share of 200"
direct=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.traffic[?(@.tag=="candidate")].url}' | sed 's#^https*://##')
delivered "one to the candidate's own address" 1 "$(gitlab send "$ingress" --host "$direct" --chat "$chat")"

source "$here/metrics.sh"
metrics || return 0
apply monitors
# Somebody must be awake to be scraped.
series() { knock > /dev/null; (($(prometheus 'count(webhooks_received_total{job="webhook-app",namespace="'$app_namespace'",container!="queue-proxy"})') > 0)); }
within 120 "Prometheus has the series of the Knative pods" series
if ! kubectl -n knative-serving get deployment autoscaler-hpa > /dev/null 2>&1; then
  skip "knative, HPA class" "the cluster has no Knative HPA autoscaler"
  return 0
fi
apply knative-hpa
within 120 "Knative made an HPA" kubectl -n "$app_namespace" get hpa -l serving.knative.dev/service=webhook-app -o name
want "the Service is ready with it" ready
revision=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}')
own_hpa() { [[ $(kubectl -n "$app_namespace" get hpa "$revision" -o jsonpath='{.spec.metrics[0].pods.metric.name}') == webhooks_per_minute ]]; }
within 60 "the HPA is on webhooks_per_minute" own_hpa
knock --rate 4 --seconds 150 > "$work/knative-hpa.json" &
load=$!
grown() { (($(kubectl -n "$app_namespace" get hpa "$revision" -o jsonpath='{.status.desiredReplicas}') >= 3)); }
within 150 "240 webhooks a minute want at least 3 pods" grown
wait "$load" || fail "the sender did not finish"
delivered "the load of the HPA class" 600 "$(cat "$work/knative-hpa.json")"
