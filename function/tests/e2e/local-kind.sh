# A kind cluster with a registry, reached as localhost:5001 from this machine and, through a containerd file, from nodes.

kind create cluster --name "$cluster" --kubeconfig "$KUBECONFIG" --image kindest/node:v1.34.0
docker inspect "$cluster-registry" > /dev/null 2>&1 ||
  docker run --detach --restart always --publish 127.0.0.1:5001:5000 --name "$cluster-registry" registry:3 > /dev/null
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
