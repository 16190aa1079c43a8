# shellcheck shell=bash
# A DNS server that is not a pod, on the address of a node: webhook-app resolves the name of the chat server through it.

# Of a pod, because not every node can connect to Services.
read -r image dns_address dns_port <<< "$(kubectl -n kube-system get pods -l k8s-app=kube-dns -o jsonpath='{.items[0].spec.containers[0].image} {.items[0].status.podIP} {.items[0].spec.containers[0].ports[?(@.name=="dns")].containerPort}' 2> /dev/null || true)"
if [[ $image != *coredns* ]]; then
  skip dns "the cluster has no CoreDNS in kube-system"
  return 0
fi
read -r node node_address <<< "$(kubectl get nodes -o jsonpath='{.items[0].metadata.name} {.items[0].status.addresses[?(@.type=="InternalIP")].address}')"
apply dns-server "s#registry.example.com/coredns#$image#; s#192.0.2.1#$node_address#; s#192.0.2.2:53#$dns_address:$dns_port#; s#nodeName: .*#nodeName: $node#"
expect "the DNS server on the node is ready" kubectl -n "$other_namespace" wait --for=condition=Ready pod/dns --timeout=120s

roll_out dns "s#192.0.2.1#$node_address#"
expect_delivered "webhooks with a DNS server on the node" 5 "$(fake_gitlab send "$webhook_url" --count 5 --chat "$chat_url")"
delete_overlay dns-server
