# shellcheck shell=sh
# A k3d cluster with a registry; local-k3d.yaml describes both. Each command can be repeated, so that a run completes what an
# interrupted one began.

k3d_lists_it() { k3d cluster list "$cluster" > /dev/null 2>&1; }
# The registry is part of the configuration of each node, so a node that is ready can use it.
k3d_finished_it() {
  k3d cluster start "$cluster" > /dev/null 2>&1 &&
    k3d kubeconfig get "$cluster" > "$KUBECONFIG" &&
    kubectl wait --for=condition=Ready node --all --timeout=60s > /dev/null 2>&1
}

heading "k3d cluster"
if k3d_lists_it && ! k3d_finished_it; then
  info "the cluster $cluster does not work, or its creation was interrupted; it is created again"
  k3d cluster delete "$cluster" > /dev/null
fi
k3d_lists_it || {
  # An interrupted run can leave the registry without a cluster, and k3d does not create it twice.
  k3d registry delete "$cluster-registry" > /dev/null 2>&1 || true
  run_logged "create the k3d cluster $cluster" "1 to 3 minutes" k3d-create k3d cluster create --config "$here/local-k3d.yaml"
}
k3d kubeconfig get "$cluster" > "$KUBECONFIG"
