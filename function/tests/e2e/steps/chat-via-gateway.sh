# shellcheck shell=bash
# A chat server behind a Gateway of the same cluster: its address leads to the pods of a proxy. With the Component
# chat-via-ingress webhooks are delivered, without it the policy blocks them.

GATEWAY_CLASS=${GATEWAY_CLASS:-$(kubectl get gatewayclass -o jsonpath='{.items[0].metadata.name}' 2> /dev/null || true)}
if [[ -z $GATEWAY_CLASS ]]; then
  skip chat-via-gateway "the cluster has no GatewayClass"
  return 0
fi
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=chat.$app_namespace.test" -addext "subjectAltName=DNS:chat.$app_namespace.test" \
  -keyout "$work/chat.key" -out "$work/chat.crt" 2> /dev/null
kubectl -n "$chat_namespace" create secret tls rocketchat-tls --cert="$work/chat.crt" --key="$work/chat.key" > /dev/null
apply chat-gateway
expect "the Gateway of the chat server is programmed" kubectl -n "$chat_namespace" wait --for=condition=Programmed gateway/rocketchat --timeout=120s
address=$(kubectl -n "$chat_namespace" get gateway rocketchat -o jsonpath='{.status.addresses[0].value}')
certificate=$(sed ':a; N; $!ba; s/\n/\\\\n/g' "$work/chat.crt")
replacements="s#ip: 192.0.2.1#ip: $address#; s#certificate-of-this-run#\"$certificate\"#"

# A connection through the Gateway is open for others, so that only the policy can block it.
expect_equal "a pod without a policy → the Gateway" open "$(fake_gitlab reach "$address:443" | cut -d ' ' -f 1)"
roll_out chat-via-gateway-blocked "$replacements"
expect_equal "a webhook without the Component: not stored" 1 "$(json_value stored.never <<< "$(fake_gitlab send "$webhook_url" --chat "$chat_url")")"
apply chat-via-gateway "$replacements"
delivered() { [[ $(json_value stored.once <<< "$(fake_gitlab send "$webhook_url" --chat "$chat_url")") == 1 ]]; }
# The policy takes effect after a moment.
wait_until 30 "a webhook with the Component is delivered" delivered
kubectl -n "$app_namespace" delete networkpolicy webhook-app-chat-via-ingress > /dev/null
delete_overlay chat-gateway
