# Builds and pushes the images; sets IMAGE and FAKES_IMAGE to their names by digest.
# With a digest, a node never runs an outdated image, and Knative need not resolve a tag over TLS.

images() {
  [[ -n ${IMAGE:-} && -n ${FAKES_IMAGE:-} ]] && return
  heading "images"
  [[ -n ${IMAGE_REGISTRY:-} ]] || fail "IMAGE_REGISTRY is not set; give a registry that you and the cluster reach, such as localhost:5001"
  if [[ -z ${IMAGE:-} ]]; then
    run_logged publish-webhook-app "$root/function/packaging/publish" "$IMAGE_REGISTRY/webhook-app:e2e" "$work/image.env"
    source "$work/image.env"
  fi
  if [[ -z ${FAKES_IMAGE:-} ]]; then
    run_logged publish-fakes publish_fakes "$IMAGE_REGISTRY/fakes"
    FAKES_IMAGE=$(cat "$work/fakes")
  fi
  info "webhook-app: $IMAGE"
  info "fakes: $FAKES_IMAGE"
}

# NAME COMMAND…: writes the output to a log and prints its end only if the command fails.
run_logged() {
  local log=$work/$1.log; shift
  "$@" > "$log" 2>&1 || { tail -20 "$log" >&2; fail "$1 failed; the full log is $log"; }
}

# NAME: builds the image of both fakes, pushes it, and writes its name by digest to a file.
publish_fakes() {
  local engine folder=$root/function/testing/fakes flags=() build_flags
  engine=$("$root/function/packaging/engine")
  # docker finds this file without a flag.
  [[ $engine == docker ]] || flags+=(--layers --ignorefile "$folder/Containerfile.dockerignore")
  [[ -z ${RUST:-} ]] || flags+=(--build-arg "RUST=$RUST")
  read -ra build_flags <<< "${BUILD_FLAGS:-}"
  "$engine" build "${flags[@]}" "${build_flags[@]}" --file "$folder/Containerfile" --tag "$1:e2e" "$root" || return
  if [[ $engine == docker ]]; then
    docker push --quiet "$1:e2e" && docker inspect --format '{{index .RepoDigests 0}}' "$1:e2e" > "$work/fakes"
  else
    "$engine" push --quiet --tls-verify="${TLS_VERIFY:-true}" --digestfile "$work/digest" "$1:e2e" &&
      echo "$1@$(cat "$work/digest")" > "$work/fakes"
  fi
}
