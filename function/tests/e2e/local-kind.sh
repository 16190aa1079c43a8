# A kind cluster with a registry, reached as localhost:5001 from this machine and, through a containerd file, from nodes.

kind create cluster --name "$cluster" --kubeconfig "$KUBECONFIG" --image docker.io/kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5
docker inspect "$cluster-registry" > /dev/null 2>&1 ||
  docker run --detach --restart always --publish 127.0.0.1:5001:5000 --name "$cluster-registry" docker.io/library/registry:3.1.1@sha256:325b4b29b041e82803abeb703e201655e4e23ab83264ec1a7c9ddb0a5b14a6e0 > /dev/null
docker network connect kind "$cluster-registry" 2> /dev/null || true
for node in $(kind get nodes --name "$cluster"); do
  docker exec "$node" mkdir -p "/etc/containerd/certs.d/$registry"
  echo "[host.\"http://$cluster-registry:5000\"]" |
    docker exec --interactive "$node" cp /dev/stdin "/etc/containerd/certs.d/$registry/hosts.toml"
done
kubectl apply -f - > /dev/null <<YAML
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
kubectl apply -f "$metrics_server" > /dev/null
kubectl -n kube-system patch deployment metrics-server --type json > /dev/null \
  --patch '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--kubelet-insecure-tls"}]'
