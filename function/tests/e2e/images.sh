# shellcheck shell=sh
# Builds and pushes the images; sets IMAGE and FAKES_IMAGE to their names by digest.
# With a digest, a node never runs an outdated image, and Knative need not resolve a tag over TLS.

images() {
  [ -z "${IMAGE:-}" ] || [ -z "${FAKES_IMAGE:-}" ] || return 0
  heading "images"
  [ -n "${IMAGE_REGISTRY:-}" ] || fail "IMAGE_REGISTRY is not set; give a registry that you and the cluster reach, such as localhost:5001"
  if [ -z "${IMAGE:-}" ]; then
    publish server "$IMAGE_REGISTRY/webhook-app:e2e"
    IMAGE=$published
  fi
  if [ -z "${FAKES_IMAGE:-}" ]; then
    publish fakes "$IMAGE_REGISTRY/fakes:e2e"
    FAKES_IMAGE=$published
  fi
  info "webhook-app: $IMAGE"
  info "fakes: $FAKES_IMAGE"
}

# TARGET NAME:TAG: builds and pushes an image; sets published to its name by digest.
publish() {
  run_logged "build the image $2" "5 to 15 minutes the first time, seconds if nothing changed" "build-$1" \
    "$root/function/packaging/build" "$1" "$2"
  run_logged "push the image $2" "seconds" "push-$1" push_to_file "$2" "$work/$1.name"
  published=$(cat "$work/$1.name")
}

push_to_file() { "$root/function/packaging/push" "$1" > "$2"; }
