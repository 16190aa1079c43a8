# A Prometheus and an adapter for the steps that look at metrics: the cluster's own, or ours until the end of the run.

adapter=/apis/custom.metrics.k8s.io/v1beta1/namespaces/webhook-app

# Makes sure of both; says why the step is skipped otherwise.
metrics() {
  if ! serves monitoring.coreos.com/v1; then
    skip "$step" "the cluster has no Prometheus operator"
    return 1
  fi
  if [[ -z $(kubectl -n monitoring get prometheus -l "$ours" -o name) ]] && kubectl get apiservice v1beta1.custom.metrics.k8s.io > /dev/null 2>&1; then
    say "the cluster has an adapter; it must know the rules of monitoring/prometheus-metrics-adaptor-values.yaml"
    return 0
  fi
  apply monitoring
  kubectl -n monitoring label prometheus webhook-app "$ours" > /dev/null
  want "the adapter is up" kubectl -n monitoring rollout status deployment/prometheus-adapter --timeout=300s
  # Its image may have to be fetched.
  within 300 "Prometheus answers" prometheus 'vector(1)'
}

# METRIC: the adapter has a value of it for a pod of ours.
custom() { kubectl get --raw "$adapter/pods/*/$1" | has '"value"'; }
