# The state of a rollout: `ready`, `waiting` or `failed`, and what was seen. Contacts no cluster.
# input: an array of the Deployment, StatefulSet or Knative Service, and the list of its pods

def condition($type): first(.status.conditions[]? | select(.type == $type)) // {};
# The program exits with 64 if it rejects its settings, and then it does so at every start.
def rejects_settings:
  any(.items[]? | .status.containerStatuses[]? | select(.ready | not) | .state, .lastState; .terminated.exitCode? == 64);

.[0] as $workload
| .[1] as $pods
| $workload
# Knative has seen a change of the Service before it has one of its revisions.
| if (.status.observedGeneration // 0) < .metadata.generation or condition("ConfigurationsReady").reason == "OutOfDate" then
    "waiting until the cluster has seen the change"
  elif $pods | rejects_settings then
    "failed: the program rejects its settings"
  elif .kind == "Deployment" then
    .status as $status
    | if .spec.replicas == 0 then
        "failed: 0 replicas, so nothing receives webhooks"
      elif condition("Progressing").reason == "ProgressDeadlineExceeded" then
        "failed: \(.spec.progressDeadlineSeconds) s without progress"
      elif ($status.updatedReplicas // 0) >= .spec.replicas
          and $status.replicas == $status.updatedReplicas and $status.availableReplicas == $status.updatedReplicas then
        "ready: \($status.availableReplicas) pod(s)"
      else
        "waiting: \($status.updatedReplicas // 0) of \(.spec.replicas) pods are new, \($status.availableReplicas // 0) are available"
      end
  elif .kind == "StatefulSet" then
    .status as $status
    | if .spec.replicas == 0 then
        "failed: 0 replicas, so nothing stores dead letters"
      elif $status.currentRevision == $status.updateRevision and ($status.readyReplicas // 0) >= .spec.replicas then
        "ready: \($status.readyReplicas) pod(s)"
      else
        "waiting: \($status.readyReplicas // 0) of \(.spec.replicas) pods are ready"
      end
  # Ready alone can be true of the revision before. Unknown means in progress, False is final.
  elif .status.latestCreatedRevisionName == .status.latestReadyRevisionName and condition("Ready").status == "True" then
    # With traffic in the specification, it can be less than all, or none.
    ([.status.traffic[]? | select(.revisionName == $workload.status.latestReadyRevisionName) | .percent // 0] | add // 0) as $percent
    | "ready: \(.status.latestReadyRevisionName) receives \($percent) % of the webhooks"
  elif condition("ConfigurationsReady").status == "False" then
    "failed: \(condition("ConfigurationsReady").message)"
  elif condition("Ready").status == "False" then
    "failed: \(condition("Ready").message)"
  else
    "waiting for \(.status.latestCreatedRevisionName)"
  end
