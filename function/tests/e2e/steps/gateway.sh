# shellcheck shell=bash
# The Gateway forwards signed webhooks over HTTPS; it does not route other paths, such as metrics and health.

GATEWAY_CLASS=${GATEWAY_CLASS:-$(kubectl get gatewayclass -o jsonpath='{.items[0].metadata.name}' 2> /dev/null || true)}
if [[ -z $GATEWAY_CLASS ]]; then
  skip gateway "the cluster has no GatewayClass"
  return
fi
ensure_deployment
host=webhooks.example.com
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
  -keyout "$work/tls.key" -out "$work/tls.crt" 2> /dev/null
kubectl -n "$app_namespace" create secret tls webhook-app-tls --cert="$work/tls.crt" --key="$work/tls.key" > /dev/null
apply gateway
expect "the Gateway is programmed" kubectl -n "$app_namespace" wait --for=condition=Programmed gateway/webhook-app --timeout=120s
address=${GATEWAY_ADDRESS:-$(kubectl -n "$app_namespace" get gateway webhook-app -o jsonpath='{.status.addresses[0].value}')}

# Sends the request of the fake GitLab through the Gateway, over TLS and HTTP/1.1 as GitLab does, and prints the status.
post() { # PATH PROOF
  local command; command=$(fake_gitlab curl "https://$host$1" "$2")
  curl_gateway "$command"
}
curl_gateway() { eval "${1/curl -i/curl -sS --no-progress-meter --http1.1 -o /dev/null -w '%{http_code}' --max-time 10 --cacert \"$work/tls.crt\" --resolve $host:443:$address}"; }
get() { curl_gateway "curl -i https://$host$1"; }
count_messages() { inspect_rocketchat messages | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }

accepts_webhooks() { [[ $(post /webhook signed) == 200 ]]; }
wait_until 60 "a signed webhook over HTTPS is answered 200" accepts_webhooks
before=$(count_messages)
expect_equal "a second signed webhook" 200 "$(post /webhook signed)"
expect_equal "messages of the second webhook" 1 "$(($(count_messages) - before))"
expect_equal "a forged signature" 401 "$(post /webhook forged)"
for path in / /webhook /metrics /health/readiness /health/liveness; do
  expect_equal "GET $path" 404 "$(get "$path")"
done
expect_equal "POST /" 404 "$(post / signed)"
expect_equal "POST /metrics" 404 "$(post /metrics signed)"
head -c 26214401 /dev/zero > "$work/large"
expect_equal "a body of more than 25 MiB" 413 "$(curl_gateway "curl -i -X POST --data-binary @$work/large -H 'Content-Type: application/json' https://$host/webhook")"

# A burst as of a large push is far below the rate limit: GitLab would count a 429 as a failure and not repeat the webhook.
statuses=$(curl_gateway "curl -i -X POST --parallel --parallel-immediate --parallel-max 50 -w '%{http_code}\n' https://$host/webhook?[1-400]" | sort | uniq -c)
info "$statuses"
[[ $statuses != *429* ]] || fail "some of 400 concurrent requests were answered 429"
info "ok: a burst of requests stays below the rate limit"
delete_overlay gateway
