# shellcheck shell=bash
# Clients that send no body fill the port of the webhooks of one pod for a minute: the pod is not restarted, because its liveness
# is checked on another port, and webhooks are still delivered.

ensure_deployment
pod=$(active_pods | sed -n 1p)
pod_address=$(kubectl -n "$app_namespace" get pod "$pod" -o jsonpath='{.status.podIP}')
# How often the port has reached its limit of connections.
cap_hits() { kubectl get --raw "/api/v1/namespaces/$app_namespace/pods/$pod:9464/proxy/metrics" | sed -n 's/^http_server_connection_cap_hits_total{port="webhooks"} //p'; }
is_full() { (($(cap_hits) > 0)); }
# The limit is 2048 connections, each of which ends after 1 s, and the kernel queues 1024 more.
clients=${LISTENER_CLIENTS:-4000} seconds=${LISTENER_SECONDS:-60}
fake_gitlab hold "$pod_address:8080" "$clients" "$seconds" > "$work/hold.log" &
hold=$!
start=$SECONDS
wait_until 30 "the port has reached its limit of connections" is_full
expect_delivered "webhooks while the pod is full" 5 "$(fake_gitlab send "$webhook_url" --count 5 --chat "$chat_url")"
((SECONDS - start < seconds)) || fail "the clients stopped before the webhooks; set LISTENER_SECONDS to more than $((SECONDS - start))"
wait "$hold" || fail "the fake GitLab failed"
info "$clients clients for $seconds s: $(cat "$work/hold.log"), which reached the limit $(cap_hits) times"
expect_equal "restarts of the full pod" 0 "$(kubectl -n "$app_namespace" get pod "$pod" -o jsonpath='{.status.containerStatuses[0].restartCount}')"
pod_ready() { [[ $(kubectl -n "$app_namespace" get pod "$pod" -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}') == True ]]; }
wait_until 30 "the pod is ready" pod_ready
