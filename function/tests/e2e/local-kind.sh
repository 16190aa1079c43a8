# shellcheck shell=sh
# A kind cluster with a registry, reached as localhost:5001 from this machine and, through a containerd file, from nodes.
# Each command can be repeated, so that a run completes what an interrupted one began.

kind_lists_it() { kind get clusters 2> /dev/null | contains -x "$cluster"; }
# kind lists a cluster from its first container on. The storage class is the last thing that it adds.
kind_finished_it() {
  kind export kubeconfig --name "$cluster" --kubeconfig "$KUBECONFIG" > /dev/null 2>&1 &&
    kubectl --request-timeout=5s get storageclass standard > /dev/null 2>&1
}
# After a restart of the machine, the API server needs some seconds.
kind_runs_it() {
  for attempt in 1 2 3 4 5 6; do
    ! kind_finished_it || return 0
    [ "$attempt" = 6 ] || sleep 5
  done
  return 1
}

heading "kind cluster"
if kind_lists_it && ! kind_runs_it; then
  info "the cluster $cluster does not work, or its creation was interrupted; it is created again"
  kind delete cluster --name "$cluster" --kubeconfig "$KUBECONFIG" > /dev/null
fi
kind_lists_it || run_logged "create the kind cluster $cluster" "1 to 5 minutes" kind-create \
  kind create cluster --name "$cluster" --kubeconfig "$KUBECONFIG" --image docker.io/kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5

"$cluster_engine" container inspect "$cluster-registry" > /dev/null 2>&1 ||
  run_logged "create the registry" "some seconds" registry-create \
    "$cluster_engine" create --restart always --network kind --publish 127.0.0.1:5001:5000 --name "$cluster-registry" docker.io/library/registry:3.1.1@sha256:325b4b29b041e82803abeb703e201655e4e23ab83264ec1a7c9ddb0a5b14a6e0
"$cluster_engine" start "$cluster-registry" > /dev/null || {
  "$cluster_engine" rm --force "$cluster-registry" > /dev/null 2>&1 || true
  fail "could not start the registry; free port 5001 of this machine, then try again"
}
nodes=$(kind get nodes --name "$cluster")
for node in $nodes; do
  "$cluster_engine" exec "$node" mkdir -p "/etc/containerd/certs.d/$registry"
  echo "[host.\"http://$cluster-registry:5000\"]" |
    "$cluster_engine" exec --interactive "$node" cp /dev/stdin "/etc/containerd/certs.d/$registry/hosts.toml"
done
kubectl apply -f - > /dev/null << YAML
apiVersion: v1
kind: ConfigMap
metadata:
  name: local-registry-hosting
  namespace: kube-public
data:
  localRegistryHosting.v1: |
    host: "$registry"
YAML
# kind has no metrics-server, and without CPU usage the HPA scales up but never down. The kubelets use self-signed
# certificates.
kubectl -n kube-system get deployment metrics-server --ignore-not-found -o jsonpath='{.spec.template.spec.containers[0].args}' |
  contains kubelet-insecure-tls || {
  kubectl apply -f "$metrics_server" > /dev/null
  kubectl -n kube-system patch deployment metrics-server --type json > /dev/null \
    --patch '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--kubelet-insecure-tls"}]'
}
