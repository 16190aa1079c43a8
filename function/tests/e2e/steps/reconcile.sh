# shellcheck shell=bash
# `webhook-app hooks` creates the webhook in GitLab. While Rocket.Chat is away, webhooks fail until GitLab disables the webhook and drops
# what happens then. When it is back, the loop of `webhook-app reconcile` enables the webhook and has the failed ones sent again, and a
# Job of the CronJob replaces the dropped ones. Each message is stored once, also after a second Job.

gitlab_api=/api/v1/namespaces/$gitlab_namespace/services/gitlab:80/proxy/inspect
reconciler() { kubectl -n "$app_namespace" exec deployment/webhook-app-reconcile -- /webhook-app "$@"; }
reconcile_replicas() {
  kubectl -n "$app_namespace" scale deployment/webhook-app-reconcile --replicas="$1" > /dev/null
  kubectl -n "$app_namespace" rollout status deployment/webhook-app-reconcile --timeout=60s > /dev/null
}
pushes=0
# Someone pushes a commit; prints the statuses of the webhooks that GitLab sends for it.
push() {
  python3 -c 'import json, sys
body = json.load(open(sys.argv[1]))
before, after = (f"{int(number):040x}" for number in sys.argv[2:])
body.update(before=before, after=after, checkout_sha=after)
body["commits"][0]["id"] = after
print(json.dumps({"project": "acme/rocket", "trigger": "push_events", "body": body}))' \
    "$root/function/testing/fakes/src/gitlab/push_sample.json" "$pushes" "$((pushes + 1))" > "$work/push.json"
  kubectl create --raw "$gitlab_api/happen" -f "$work/push.json" | python3 -c 'import json, sys
print(*[attempt["status"] for attempt in json.load(sys.stdin)])'
}
stored() { [[ $(stored_for alice) == "$1 1" ]]; }
# NAME: a metric of the pod.
reconcile_metric() {
  local pod
  pod=$(kubectl -n "$app_namespace" get pods -l app.kubernetes.io/name=webhook-app-reconcile --field-selector status.phase=Running -o jsonpath='{.items[0].metadata.name}')
  kubectl get --raw "/api/v1/namespaces/$app_namespace/pods/$pod:9464/proxy/metrics" | awk -v name="$1" '$1 ~ "^" name "([{]|$)" { print $2 }'
}
metric_is() { [[ $(reconcile_metric "$1") == "$2" ]]; }

delete_app
apply gitlab-api
kubectl -n "$gitlab_namespace" rollout status deployment/gitlab --timeout=60s > /dev/null
token=$(kubectl -n "$gitlab_namespace" logs deployment/gitlab | json_value token)
roll_out reconcile "s#token-of-the-fake#$token#"
kubectl -n "$app_namespace" rollout status deployment/webhook-app-reconcile --timeout=60s > /dev/null
expect_equal "webhook_gitlab_hooks_missing before" 1 "$(reconcile_metric webhook_gitlab_hooks_missing)"
expect "the webhook is created" reconciler hooks apply
expect_equal "the second time" "0 created, 0 changed, 1 as declared" "$(reconciler hooks apply | tail -n 1)"
wait_until 30 "the loop finds it" metric_is webhook_gitlab_hooks_missing 0

# In memory, so that messages of earlier steps do not count.
scale_rocketchat 0
scale_rocketchat 1
expect_equal "a push: answered" 200 "$(push)"; pushes=1
reconcile_replicas 0
scale_rocketchat 0
failed=0
while statuses=$(push); [[ -n $statuses ]]; do
  expect_equal "a push while Rocket.Chat is away: answered" 503 "$statuses"
  pushes=$((pushes + 1)) failed=$((failed + 1))
  [[ $failed -lt 10 ]] || fail "expected that GitLab disables the webhook, found that it still sends after $failed failures"
done
expect_equal "failures until GitLab disables the webhook" 4 "$failed"
pushes=$((pushes + 1))
for _ in 1 2; do expect_equal "webhooks for a push that GitLab drops" "" "$(push)"; pushes=$((pushes + 1)); done
dropped_at=$(now)
scale_rocketchat 1
reconcile_replicas 1
wait_until 120 "the $failed failed webhooks are sent again, each stored once" stored "$failed"
wait_until 30 "the webhook is enabled" metric_is webhook_gitlab_hook_enabled 1
expect_equal "deliveries that wait" 0 "$(reconcile_metric webhook_gitlab_hook_failed_keys_waiting)"

# The webhooks of the last two minutes may still be in GitLab's queue, so they are not replaced.
left=$((130 - $(now) + dropped_at))
((left <= 0)) || { info "wait $left s, because --backfill leaves what is new"; sleep "$left"; }
apply reconcile-cronjob "s#token-of-the-fake#$token#"
for job in first second; do
  kubectl -n "$app_namespace" create job "reconcile-$job" --from=cronjob/webhook-app-reconcile > /dev/null
  wait_until 120 "the $job Job with --backfill is complete" \
    kubectl -n "$app_namespace" wait --for=condition=complete "job/reconcile-$job" --timeout=1s
  info "$(kubectl -n "$app_namespace" logs "job/reconcile-$job" | tail -n 1)"
  # The push before the outage is not among them: the Rocket.Chat that had its message is gone, and GitLab's log has its success.
  expect_equal "messages, and insertions of each" "$((pushes - 1)) 1" "$(stored_for alice)"
done
expect_equal "violations of the Rocket.Chat API" "[]" "$(inspect_rocketchat violations)"

address=$(kubectl -n "$app_namespace" get pods -l app.kubernetes.io/name=webhook-app-reconcile --field-selector status.phase=Running -o jsonpath='{.items[0].status.podIP}')
expect_equal "another namespace → metrics of reconcile" closed \
  "$(kubectl -n "$other_namespace" exec other -- /bin/fake-gitlab reach "$address:9464" | cut -d ' ' -f 1)"
delete_app
delete_overlay gitlab-api
