# Builds the images and pushes them; leaves their names, by digest, in IMAGE and STANDINS_IMAGE.
# By digest a node never runs yesterday's image, and Knative need not resolve a tag over TLS.

images() {
  [[ -n ${IMAGE:-} && -n ${STANDINS_IMAGE:-} ]] && return
  headline "images"
  [[ -n ${IMAGE_REGISTRY:-} ]] || fail "IMAGE_REGISTRY is not set; give a registry that you and the cluster reach, such as localhost:5001"
  BUILDER=${BUILDER:-$(builder)}
  [[ -n ${IMAGE:-} ]] || IMAGE=$(pushed webhook-app Containerfile)
  [[ -n ${STANDINS_IMAGE:-} ]] || STANDINS_IMAGE=$(pushed standins function/standins/Containerfile)
  say "the function: $IMAGE"
  say "the stand-ins: $STANDINS_IMAGE"
}

builder() {
  local name
  for name in buildah podman docker; do
    if command -v "$name" > /dev/null; then echo "$name"; return; fi
  done
  fail "there is no buildah, podman or docker to build images with"
}

# NAME CONTAINERFILE: builds, pushes, prints the name by digest.
pushed() {
  local name=$IMAGE_REGISTRY/$1 log=$work/build-$1.log
  # The flags are several words or none.
  # shellcheck disable=SC2086
  {
    "$BUILDER" build ${BUILD_FLAGS:-} --tag "$name:e2e" --file "$root/$2" "$root"
    if [[ $BUILDER == docker ]]; then
      docker push "$name:e2e"
    else
      "$BUILDER" push ${PUSH_FLAGS:-} --digestfile "$work/digest" "$name:e2e"
    fi
  } > "$log" 2>&1 || { tail -20 "$log" >&2; fail "$1 was not built and pushed; the whole log is $log"; }
  if [[ $BUILDER == docker ]]; then
    docker image inspect --format '{{index .RepoDigests 0}}' "$name:e2e"
  else
    echo "$name@$(cat "$work/digest")"
  fi
}
