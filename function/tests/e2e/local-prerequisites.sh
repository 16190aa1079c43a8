# shellcheck shell=sh
# What the commands of `local` need on this machine. Checks everything first, and reports all that is missing at once, with
# what to do about it. Sets cluster_engine, the engine that runs the cluster, and ENGINE, the one that builds and pushes.

# The version of kind that the image of the node belongs to; k3d 5.6 is the first with this format of its file.
kind_needed=0.33 k3d_needed=5.6
# Older ones do not read the ignore file beside the Containerfile of the fakes.
docker_needed=23.0 podman_needed=4.3 buildah_needed=1.28
# The first whose kustomize has the field `labels` with everything that the manifests use.
kubectl_needed=1.28
python_needed=3.7
# The base image, the dependencies of two builds, the node and the image of Kubernetes.
disk_needed=10

# COMMAND: fails unless this machine has everything that the command needs.
check_prerequisites() {
  missing=0
  heading "prerequisites of $1"
  case $CLUSTER in
    kind)
      select_cluster_engine
      need kind "$(version_of kind --version)" "$kind_needed" "install it: https://kind.sigs.k8s.io/docs/user/quick-start/#installation, or set CLUSTER to k3d or existing"
      ;;
    k3d)
      cluster_engine=docker
      need_engine
      need k3d "$(version_of k3d version)" "$k3d_needed" "install it: https://k3d.io/stable/#installation, or set CLUSTER to kind or existing"
      ;;
  esac
  # kind and k3d remove a cluster without kubectl.
  case $1-$CLUSTER in
    down-kind | down-k3d) ;;
    *) need kubectl "$(version_of kubectl version --client)" "$kubectl_needed" "install it: https://kubernetes.io/docs/tasks/tools/" ;;
  esac
  case $1 in
    dry-run | down) ;;
    *)
      need python3 "$(version_of python3 --version)" "$python_needed" "install it with the package manager of your system, or from https://www.python.org/downloads/"
      [ "$CLUSTER" != existing ] || need_registry
      case $1 in up) ;; *) [ "$CLUSTER" != existing ] || need_builder ;; esac
      need_disk
      ;;
  esac
  [ "$missing" = 0 ] || fail "$missing prerequisite(s) missing, see above; nothing was changed"
  case $1 in
    dry-run | down) ;;
    *) info "The first run needs a connection to the internet and usually takes 15 to 30 minutes; later ones take 2 to 5 minutes." ;;
  esac
}

# kind runs its nodes with docker, and with podman if a variable says so. The same engine then builds and pushes the images,
# because another one may use TLS for the registry on this machine.
select_cluster_engine() {
  cluster_engine=${KIND_EXPERIMENTAL_PROVIDER:-}
  if [ -z "$cluster_engine" ]; then
    cluster_engine=docker
    if ! works docker && works podman; then
      cluster_engine=podman
      export KIND_EXPERIMENTAL_PROVIDER=podman
    fi
  fi
  need_engine
}

need_engine() {
  export ENGINE="${ENGINE:-$cluster_engine}"
  case $cluster_engine in
    docker)
      # A podman that is installed as docker does not run kind or k3d.
      need docker "$(! works docker || version_of docker version --format '{{.Server.Version}}')" "$docker_needed" \
        "install it and start its daemon: https://docs.docker.com/get-started/get-docker/; your account must be allowed to use it$(or_podman)"
      ;;
    podman) need podman "$(version_of podman version)" "$podman_needed" "install it: https://podman.io/docs/installation; on macOS also start its machine" ;;
    *) missing_because "expected docker or podman for KIND_EXPERIMENTAL_PROVIDER, found $cluster_engine" ;;
  esac
}
or_podman() { [ "$CLUSTER" != kind ] || printf ', or install podman'; }

# An existing cluster needs an engine only to build images.
need_builder() {
  [ -z "${IMAGE:-}" ] || [ -z "${FAKES_IMAGE:-}" ] || return 0
  ENGINE=$("$root/function/packaging/engine" 2> /dev/null) || {
    missing_because "podman, buildah or docker: none of them works; install one, or set IMAGE and FAKES_IMAGE to existing images"
    return 0
  }
  export ENGINE
  case $ENGINE in
    docker) need docker "$(version_of docker version --format '{{.Server.Version}}')" "$docker_needed" "update it" ;;
    podman) need podman "$(version_of podman version)" "$podman_needed" "update it" ;;
    *) need "$ENGINE" "$(version_of "$ENGINE" --version)" "$buildah_needed" "update it" ;;
  esac
}

need_registry() {
  if [ -n "${IMAGE_REGISTRY:-}" ]; then
    info "ok: IMAGE_REGISTRY is $IMAGE_REGISTRY"
  else
    missing_because "IMAGE_REGISTRY is not set; give a registry that you and the cluster reach"
  fi
}

# Where the engine keeps its images, if this machine sees that folder; with a virtual machine it does not.
need_disk() {
  folder=$(docker info --format '{{.DockerRootDir}}' 2> /dev/null || true)
  [ "${cluster_engine:-${ENGINE:-}}" = docker ] && [ -d "$folder" ] || folder=$work
  free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1048576) }')
  if [ "$free" -ge "$disk_needed" ]; then
    info "ok: $free GB of disk are free ($disk_needed or more needed)"
  else
    missing_because "disk: $free GB are free at $folder, $disk_needed or more needed; free some, such as with docker system prune"
  fi
}

# PROGRAM FOUND NEEDED ADVICE: reports whether the program has the version.
need() {
  if [ -z "$2" ]; then
    missing_because "$1: not found or not running, $3 or newer needed; $4"
  elif at_least "$2" "$3"; then
    info "ok: $1 $2 ($3 or newer needed)"
  else
    missing_because "$1: found $2, $3 or newer needed; $4"
  fi
}

missing_because() {
  missing=$((missing + 1))
  info "MISSING: $1"
}

# docker or podman, running. Docker's own name is checked, because podman can be installed as docker.
works() {
  case $1 in docker) docker --version 2> /dev/null | contains '^Docker' || return 1 ;; esac
  "$1" info > /dev/null 2>&1
}

# COMMAND…: the first version number that it prints; empty if it fails or does not exist.
version_of() { { "$@" 2> /dev/null || true; } | awk 'match($0, /[0-9]+\.[0-9.]*[0-9]/) { print substr($0, RSTART, RLENGTH); exit }'; }

# FOUND NEEDED: compares two version numbers.
at_least() {
  awk -v found="$1" -v needed="$2" 'BEGIN {
    split(found, f, "."); count = split(needed, n, ".")
    for (i = 1; i <= count; i++) if (f[i] + 0 != n[i] + 0) exit !(f[i] + 0 > n[i] + 0)
  }'
}
