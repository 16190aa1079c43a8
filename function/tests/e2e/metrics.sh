# A Prometheus and an adapter for the steps that look at metrics: the cluster's own, in the namespace `monitoring`, or
# those of the overlay `monitoring` until the end of the run.

adapter=/apis/custom.metrics.k8s.io/v1beta1/namespaces/$app_namespace

# Makes sure of both; says why the step is skipped otherwise.
metrics() {
  if ! serves monitoring.coreos.com/v1; then
    skip "$step" "the cluster has no Prometheus operator"
    return 1
  fi
  # There is one adapter per cluster, under a fixed name.
  if kubectl get apiservice v1beta1.custom.metrics.k8s.io > /dev/null 2>&1 && [[ -z $(kubectl get apiservice -l "$label" -o name) ]]; then
    prometheus_namespace=monitoring
    say "the cluster has an adapter; it must know the rules of monitoring/prometheus-metrics-adaptor-values.yaml"
    return 0
  fi
  prometheus_namespace=$monitoring_namespace
  apply monitoring
  want "the adapter is up" kubectl -n "$monitoring_namespace" rollout status deployment/webhook-app-e2e-prometheus-adapter --timeout=300s
  # Its image may have to be fetched.
  within 300 "Prometheus answers" prometheus 'vector(1)'
}

# METRIC: the adapter has a value of it for a pod of ours.
custom() { kubectl get --raw "$adapter/pods/*/$1" | has '"value"'; }
