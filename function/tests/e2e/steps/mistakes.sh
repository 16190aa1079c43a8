# shellcheck shell=bash
# An invalid ConfigMap and an invalid Secret: the rollout stops, the old pods keep running, and the new pod reports what to
# fix.

ensure_deployment
mapfile -t old_pods < <(active_pods)
apply mistakes
if kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=90s > "$work/rollout.log" 2>&1; then
  fail "the rollout succeeded with invalid settings"
fi
expect_equal "the rollout" "error: deployment \"webhook-app\" exceeded its progress deadline" "$(tail -1 "$work/rollout.log")"
expect "two pods are still ready" two_ready
for pod in "${old_pods[@]}"; do
  expect "$pod still exists" kubectl -n "$app_namespace" get pod "$pod"
done
expect_delivered "webhooks during the rollout" 10 "$(fake_gitlab send "$webhook_url" --count 10 --chat "$chat_url")"

new_pod=$(active_pods | grep -vxFf <(printf '%s\n' "${old_pods[@]}") | sed -n 1p)
[[ -n $new_pod ]] || fail "there is no new pod"
terminated() { pods -o json | python3 -c 'import json, sys
pod = next(pod for pod in json.load(sys.stdin)["items"] if pod["metadata"]["name"] == sys.argv[1])
status = pod["status"]["containerStatuses"][0]
terminated = status["state"].get("terminated") or status["lastState"]["terminated"]
print(terminated[sys.argv[2]])' "$new_pod" "$1"; }
expect_equal "exit code" 64 "$(terminated exitCode)"
message=$(terminated message)
log=$(kubectl -n "$app_namespace" logs "$new_pod" 2> /dev/null || kubectl -n "$app_namespace" logs "$new_pod" --previous)
for setting in ROCKETCHAT_URL GITLAB_SIGNING_KEYS; do
  [[ $message == *"$setting"* ]] || fail "the termination message does not name $setting: $message"
  [[ $log == *"$setting"* ]] || fail "the log does not name $setting: $log"
  info "ok: log and termination message name $setting"
done
[[ $message$log != *not-a-key* ]] || fail "the log or the termination message contains the value of the invalid secret"
info "$message"

kubectl -n "$app_namespace" rollout undo deployment/webhook-app > /dev/null
expect "an undo restores the settings" kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=60s
expect_delivered "webhooks after the undo" 10 "$(fake_gitlab send "$webhook_url" --count 10 --chat "$chat_url")"
