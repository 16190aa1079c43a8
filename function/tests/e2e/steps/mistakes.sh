# A wrong ConfigMap and a wrong Secret: the rollout stops, the old pods go on, and the new one says what to fix.

plain
mapfile -t good < <(staying)
apply mistakes
if kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=90s > "$work/rollout.log" 2>&1; then
  fail "the rollout went through with wrong settings"
fi
same "the rollout" "error: deployment \"webhook-app\" exceeded its progress deadline" "$(tail -1 "$work/rollout.log")"
want "two pods still serve" two_ready
for pod in "${good[@]}"; do
  want "$pod was left alone" kubectl -n "$app_namespace" get pod "$pod"
done
delivered "webhooks meanwhile" 10 "$(gitlab send "$hook" --count 10 --chat "$chat")"

bad=$(staying | grep -vxFf <(printf '%s\n' "${good[@]}") | sed -n 1p)
[[ -n $bad ]] || fail "there is no new pod"
ended() { pods -o json | python3 -c 'import json, sys
pod = next(pod for pod in json.load(sys.stdin)["items"] if pod["metadata"]["name"] == sys.argv[1])
state = pod["status"]["containerStatuses"][0]
ended = state["state"].get("terminated") or state["lastState"]["terminated"]
print(ended["exitCode"] if sys.argv[2] == "code" else ended["message"])' "$bad" "$1"; }
same "exit code" 64 "$(ended code)"
message=$(ended message)
log=$(kubectl -n "$app_namespace" logs "$bad" 2> /dev/null || kubectl -n "$app_namespace" logs "$bad" --previous)
for setting in ROCKETCHAT_URL GITLAB_SIGNING_KEYS; do
  [[ $message == *"$setting"* ]] || fail "the termination message does not name $setting: $message"
  [[ $log == *"$setting"* ]] || fail "the log does not name $setting: $log"
  say "ok: log and termination message name $setting"
done
[[ $message$log != *not-a-key* ]] || fail "the wrong secret itself is shown"
say "$message"

kubectl -n "$app_namespace" rollout undo deployment/webhook-app > /dev/null
want "an undo brings the settings back" kubectl -n "$app_namespace" rollout status deployment/webhook-app --timeout=60s
delivered "webhooks afterwards" 10 "$(gitlab send "$hook" --count 10 --chat "$chat")"
