#!/usr/bin/env bash
# Decides which base images the Compose stage is built on, and sees to it that they are there.
#
# Interface: run it with no arguments from anywhere. It prints exactly three lines on stdout,
#   RUST_IMAGE=...   RUNTIME_IMAGE=...   POSTGRES_IMAGE=...
# for the caller to export to Compose; all talk goes to stderr. Exit 0: the images are present, but for one that the
# caller named and Compose still has to pull. Exit 1: they are not, and the last lines on stderr name cause and cure.
#
# For each image, the first that applies:
#   1. the variable of that name is set: it is used as it is (naming a stand-in asks for the stand-in);
#   2. the public image is present;
#   3. the stand-in is present and up to date, that is, an earlier run had to build it;
#   4. the public image can be pulled;
#   5. the stand-in is built from Debian's packages (base/).
# A home-made image is never tagged with a public name.
set -euo pipefail

here=$(cd "${BASH_SOURCE%/*}" && pwd)
readonly here
readonly answer_within=20   # seconds until a registry has said anything at all
readonly pull_within=900    # seconds for a whole pull

say() { printf 'base images: %s\n' "$*" >&2; }

# The public names are compose.yml's own defaults: what it would use without this script.
public_name() { sed -n "s/.*\${$1:-\([^}]*\)}.*/\1/p" "$here/compose.yml"; }

present() { docker image inspect "$1" >/dev/null 2>&1; }

up_to_date() {
  local built_from
  built_from=$(docker image inspect --format '{{index .Config.Labels "holdfast.standin"}}' "$1" 2>/dev/null) || return 1
  [ "$built_from" = "$("$here/base/fingerprint.sh" "$2")" ]
}

# Pulls an image. A registry that does not answer is given up on early; one that answers may take its time.
pull() {
  local image=$1 limit=$answer_within start=$SECONDS
  [ -z "$silent" ] || { say "$image not tried: the registry did not answer a moment ago" && return 1; }
  say "pulling $image"
  log=$(mktemp)
  docker pull "$image" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    if [ -s "$log" ]; then limit=$pull_within; fi
    if [ $((SECONDS - start)) -ge "$limit" ]; then
      kill "$pid"
      if [ ! -s "$log" ]; then silent=yes; fi
      printf 'no answer within %s s\n' "$limit" >>"$log"
    fi
    sleep 0.1
  done
  local pulled=yes
  wait "$pid" || pulled=''
  pid=''
  if [ -n "$pulled" ]; then rm -f "$log" && return 0; fi
  say "cannot pull $image: $(sed -n '$p' "$log")"
  rm -f "$log"
  return 1
}

# Sets chosen_VARIABLE, and adds to `missing` the stand-in that has to be built.
choose() {
  local variable=$1 kind=$2 standin=$3 public
  local wanted=${!variable:-}
  public=$(public_name "$variable")
  if [ -n "$wanted" ] && [ "$wanted" != "$standin" ]; then
    printf -v "chosen_$variable" %s "$wanted"
  elif [ -z "$wanted" ] && present "$public"; then
    printf -v "chosen_$variable" %s "$public"
  elif up_to_date "$standin" "$kind"; then
    printf -v "chosen_$variable" %s "$standin"
  elif [ -z "$wanted" ] && pull "$public"; then
    printf -v "chosen_$variable" %s "$public"
  else
    printf -v "chosen_$variable" %s "$standin"
    missing+=("$kind")
  fi
}

choose_all() {
  missing=()
  choose RUST_IMAGE rust holdfast/standin-rust:latest
  choose RUNTIME_IMAGE runtime holdfast/standin-runtime:latest
  choose POSTGRES_IMAGE postgres holdfast/standin-postgres:17
}

silent='' log='' pid=''
# Ctrl-C leaves no pull behind.
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; [ -z "$log" ] || rm -f "$log"' EXIT
trap 'exit 130' INT TERM HUP
if ! docker version --format '{{.Server.Version}}' >/dev/null 2>&1; then
  say 'no Docker engine answers'
  say 'cure: start it and see that "docker version" works for you, or use STAGE=local'
  exit 1
fi
choose_all
if [ ${#missing[@]} -gt 0 ]; then
  "$here/base/build.sh" "${missing[@]}" >&2
  choose_all
fi
if [ ${#missing[@]} -gt 0 ]; then
  say "still missing: ${missing[*]}; another run that was building them has been cut short"
  say 'cure: run this again'
  exit 1
fi
for variable in RUST_IMAGE RUNTIME_IMAGE POSTGRES_IMAGE; do
  chosen="chosen_$variable"
  printf '%s=%s\n' "$variable" "${!chosen}"
done
