# The public door: a signed webhook over HTTPS reaches the function; other paths, metrics among them, do not.

GATEWAY_CLASS=${GATEWAY_CLASS:-$(kubectl get gatewayclass -o jsonpath='{.items[0].metadata.name}' 2> /dev/null || true)}
if [[ -z $GATEWAY_CLASS ]]; then
  skip gateway "the cluster has no GatewayClass"
  return
fi
plain
name=webhooks.example.com
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
  -keyout "$work/tls.key" -out "$work/tls.crt" 2> /dev/null
kubectl -n "$app_namespace" create secret tls webhook-app-tls --cert="$work/tls.crt" --key="$work/tls.key" > /dev/null
apply gateway
want "the Gateway is programmed" kubectl -n "$app_namespace" wait --for=condition=Programmed gateway/webhook-app --timeout=120s
address=${GATEWAY_ADDRESS:-$(kubectl -n "$app_namespace" get gateway webhook-app -o jsonpath='{.status.addresses[0].value}')}

# The command that GitLab's stand-in prints, over TLS to the Gateway and in the HTTP that GitLab speaks: prints the status.
post() { # PATH PROOF
  local command; command=$(gitlab curl "https://$name$1" "$2")
  through "$command"
}
through() { eval "${1/curl -i/curl -sS --no-progress-meter --http1.1 -o /dev/null -w '%{http_code}' --max-time 10 --cacert \"$work/tls.crt\" --resolve $name:443:$address}"; }
get() { through "curl -i https://$name$1"; }

open() { [[ $(post /webhook signed) == 200 ]]; }
within 60 "a signed webhook over HTTPS is answered 200" open
before=$(standin messages | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')
same "a second one" 200 "$(post /webhook signed)"
same "messages it became" 1 "$(($(standin messages | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))') - before))"
same "a forged one" 401 "$(post /webhook forged)"
for path in / /webhook /metrics /health/readiness /health/liveness; do
  same "GET $path" 404 "$(get "$path")"
done
same "POST /" 404 "$(post / signed)"
same "POST /metrics" 404 "$(post /metrics signed)"
head -c 26214401 /dev/zero > "$work/large"
same "more than 25 MiB" 413 "$(through "curl -i -X POST --data-binary @$work/large -H 'Content-Type: application/json' https://$name/webhook")"

# A flood is cut off at the door: far more than the 50 a second that it lets through.
seen=$(through "curl -i -X POST --parallel --parallel-immediate --parallel-max 50 -w '%{http_code}\n' https://$name/webhook?[1-400]" | sort | uniq -c)
say "$seen"
[[ $seen == *429* ]] || fail "400 requests at once met no limit"
say "ok: a flood is answered 429"
remove gateway
