# shellcheck shell=bash
# While Rocket.Chat is away, webhooks are answered 202 and Knative's Broker keeps their messages; when it is back, each message is
# stored once, and those for a deactivated recipient are dead letters. For both packagings. With the Component dead-letters, they are
# listed, and sent again when the recipient is active. The Broker keeps events in memory, so nothing is killed here.

if ! serves eventing.knative.dev/v1; then
  skip hand-off "the cluster has no Knative Eventing"
  return
fi
deliveries=20

broker_ready() { kubectl -n "$app_namespace" wait --for=condition=Ready broker/webhook-app trigger/webhook-app sinkbinding/webhook-app --timeout=1s; }
# How many different messages became dead letters, and why.
dead_letters() {
  kubectl -n "$app_namespace" logs pod/dead-letters | python3 -c 'import json, sys
found = [one for one in map(json.loads, sys.stdin) if "id" in one]
print(len({one["id"] for one in found}), *sorted({one["knativeerrorcode"] for one in found}))'
}
all_stored() { [[ $(stored_for alice) == "$deliveries 1" ]]; }
all_dead() { [[ $(dead_letters) == "$deliveries 422" ]]; }

# URL OPTION…: sends webhooks while Rocket.Chat is away, and expects that the Broker keeps all of their messages.
hand_off() {
  local result
  scale_rocketchat 0
  result=$(fake_gitlab send "$@" --count "$deliveries")
  info "$result"
  expect_equal "webhooks while Rocket.Chat is away: answered" "{'202': $deliveries}" "$(json_value answers <<< "$result")"
  scale_rocketchat 1
  # The longest pause so far is as long as Rocket.Chat was away.
  wait_until 180 "each message is stored once" all_stored
  wait_until 60 "the messages for the deactivated recipient are dead letters" all_dead
  expect_equal "messages of the deactivated recipient" "0 0" "$(stored_for former)"
  expect_equal "violations of the Rocket.Chat API" "[]" "$(inspect_rocketchat violations)"
}

# The address is in the Deployment only after the Broker has one, which causes a rollout.
delete_app
roll_out hand-off
has_sink() { kubectl -n "$app_namespace" get deployment webhook-app -o jsonpath='{.spec.template.spec.containers[0].env[?(@.name=="K_SINK")].value}' | contains .; }
wait_until 60 "the Broker, its Trigger and the SinkBinding are ready" broker_ready
wait_until 30 "the SinkBinding has set K_SINK" has_sink
kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=120s > /dev/null
kubectl -n "$app_namespace" wait --for=condition=Ready pod/dead-letters --timeout=60s > /dev/null
hand_off "$webhook_url"
counted() { # RESULT
  pods -o name | while read -r pod; do
    kubectl get --raw "/api/v1/namespaces/$app_namespace/pods/${pod#pod/}:9464/proxy/metrics"
  done | awk -v name="webhook_redeliveries_total{result=\"$1\"}" '$1 == name { sum += $2 } END { print sum + 0 }'
}
expect_equal "webhook_redeliveries_total, dead letters" "$deliveries" "$(counted dead_letter)"
expect_equal "webhook_redeliveries_total, done" "$deliveries" "$(counted "done")"
# Only the pods that send events back may connect.
expect_equal "another namespace → webhook-app" closed \
  "$(kubectl -n "$other_namespace" exec other -- /bin/fake-gitlab reach "webhook-app.$app_namespace.svc:80" | cut -d ' ' -f 1)"

# With the pod that stores dead letters, the function posts there itself what it cannot deliver.
delete_app
roll_out hand-off-dead-letters
wait_until 60 "the Broker, its Trigger and the SinkBinding are ready" broker_ready
wait_until 30 "the SinkBinding has set K_SINK" has_sink
kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=120s > /dev/null
dead_letters_pod() { kubectl -n "$app_namespace" exec webhook-app-dead-letters-0 -- /webhook-app "$@"; }
has_own_sink() { kubectl -n "$app_namespace" get pod webhook-app-dead-letters-0 -o jsonpath='{.spec.containers[0].env[?(@.name=="K_SINK")].value}' | contains .; }
wait_until 60 "the pod of dead letters has K_SINK" has_own_sink
kubectl -n "$app_namespace" rollout status statefulset/webhook-app-dead-letters --timeout=120s > /dev/null
# In memory, so that the messages of the first part do not count.
scale_rocketchat 0
result=$(fake_gitlab send "$webhook_url" --count "$deliveries")
info "$result"
expect_equal "webhooks while Rocket.Chat is away: answered" "{'202': $deliveries}" "$(json_value answers <<< "$result")"
scale_rocketchat 1
listed() { dead_letters_pod dead-letters | awk '$3 == 422 && $4 == "@former"' | wc -l | tr -d ' '; }
all_listed() { [[ $(listed) == "$deliveries" ]]; }
wait_until 180 "each message is stored once" all_stored
wait_until 60 "the messages for the deactivated recipient are listed as dead letters" all_listed
expect_equal "webhook_redeliveries_total, put aside" "$deliveries" "$(counted put_aside)"
expect_equal "webhook_redeliveries_total, dead letters" 0 "$(counted dead_letter)"
expect_equal "check in the pod of dead letters" "broker dead" "$(dead_letters_pod check | awk '$1 == "ok" && ($2 == "broker" || $2 == "dead") { print $2 }' | tr '\n' ' ' | sed 's/ $//')"
kubectl delete --raw "/api/v1/namespaces/$chat_namespace/services/rocketchat:3000/proxy/inspect/deactivations" > /dev/null
expect_equal "dead letters that are sent again" "$deliveries of $deliveries sent again" "$(dead_letters_pod dead-letters resend --all)"
resent_stored() { [[ $(stored_for former) == "$deliveries 1" ]]; }
wait_until 60 "each of their messages is stored once" resent_stored
expect_equal "dead letters that are left" "no dead letters" "$(dead_letters_pod dead-letters)"
expect_equal "another namespace → dead letters" closed \
  "$(kubectl -n "$other_namespace" exec other -- /bin/fake-gitlab reach "webhook-app-dead-letters.$app_namespace.svc:80" | cut -d ' ' -f 1)"

delete_app
if ! serves serving.knative.dev/v1; then
  skip "hand-off, Knative packaging" "the cluster has no Knative Serving"
  return
fi
apply hand-off-knative
wait_until 60 "the Broker, its Trigger and the SinkBinding are ready" broker_ready
revision_has_sink() {
  local revision
  revision=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.latestReadyRevisionName}')
  kubectl -n "$app_namespace" get revision "$revision" -o jsonpath='{.spec.containers[0].env[?(@.name=="K_SINK")].value}' | contains .
}
wait_until 120 "the revision has K_SINK" revision_has_sink
kubectl -n "$app_namespace" wait --for=condition=Ready pod/dead-letters --timeout=60s > /dev/null
# In memory, so that the messages of the first part do not count.
scale_rocketchat 0
scale_rocketchat 1
host=$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.url}' | sed 's#^https*://##')
hand_off "http://${KNATIVE_INGRESS:-kourier.kourier-system.svc}/webhook" --host "$host"
delete_app
