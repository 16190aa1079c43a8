# Builds the images and pushes them; leaves their names, by digest, in IMAGE and FAKES_IMAGE.
# By digest a node never runs yesterday's image, and Knative need not resolve a tag over TLS.

images() {
  [[ -n ${IMAGE:-} && -n ${FAKES_IMAGE:-} ]] && return
  headline "images"
  [[ -n ${IMAGE_REGISTRY:-} ]] || fail "IMAGE_REGISTRY is not set; give a registry that you and the cluster reach, such as localhost:5001"
  if [[ -z ${IMAGE:-} ]]; then
    logged publish-webhook-app "$root/function/packaging/publish" "$IMAGE_REGISTRY/webhook-app:e2e" "$work/image.env"
    source "$work/image.env"
  fi
  if [[ -z ${FAKES_IMAGE:-} ]]; then
    logged publish-standins fakes "$IMAGE_REGISTRY/fakes"
    FAKES_IMAGE=$(cat "$work/fakes")
  fi
  say "the function: $IMAGE"
  say "the stand-ins: $FAKES_IMAGE"
}

# NAME COMMAND…: what the command prints is of interest only when it fails.
logged() {
  local log=$work/$1.log; shift
  "$@" > "$log" 2>&1 || { tail -20 "$log" >&2; fail "$1 failed; the whole log is $log"; }
}

# NAME: builds the image of both stand-ins, pushes it, writes its name by digest.
fakes() {
  local engine folder=$root/function/testing/fakes flags=() own
  engine=$("$root/function/packaging/engine")
  # docker finds this file by itself.
  [[ $engine == docker ]] || flags+=(--layers --ignorefile "$folder/Containerfile.dockerignore")
  [[ -z ${RUST:-} ]] || flags+=(--build-arg "RUST=$RUST")
  read -ra own <<< "${BUILD_FLAGS:-}"
  "$engine" build "${flags[@]}" "${own[@]}" --file "$folder/Containerfile" --tag "$1:e2e" "$root" || return
  if [[ $engine == docker ]]; then
    docker push --quiet "$1:e2e" && docker inspect --format '{{index .RepoDigests 0}}' "$1:e2e" > "$work/fakes"
  else
    "$engine" push --quiet --tls-verify="${TLS_VERIFY:-true}" --digestfile "$work/digest" "$1:e2e" &&
      echo "$1@$(cat "$work/digest")" > "$work/fakes"
  fi
}
