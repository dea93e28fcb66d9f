#!/usr/bin/env bash
# Runs the recipes of the stand-in images: checks that they can run here, gives them a folder and namespaces of their own,
# says how long it took, and leaves nothing behind, also when interrupted. All talk on stderr.
#
# usage: build.sh IMAGE...     IMAGE: rust | runtime | postgres
#
# Where another run is building already, it waits for that run to end and builds nothing: the caller looks again.
set -euo pipefail

here=$(cd "${BASH_SOURCE%/*}" && pwd)
readonly here
# One fixed folder: what a killed run left is found, and removed, by the next.
readonly work="${TMPDIR:-/var/tmp}/holdfast-base-images"

say() { printf 'base images: %s\n' "$*" >&2; }

fail() {
  say "$1"
  say "cure: $2"
  exit 1
}

require_toolchain() {
  local sysroot
  sysroot=$(rustc --print sysroot 2>/dev/null) ||
    fail 'the Rust stand-in is made from this host'\''s toolchain, and there is no rustc on PATH' \
      'install Rust with rustup, or set RUST_IMAGE to an image that has cargo'
  [ "$sysroot" != /usr ] ||
    fail 'the Rust toolchain of a distribution cannot be copied into an image' \
      'install Rust with rustup, or set RUST_IMAGE to an image that has cargo'
}

require_root_on_linux() {
  [ "$(uname -s)" = Linux ] ||
    fail 'stand-in images can be built on Linux only' 'give this machine access to a registry, or use STAGE=local'
  [ "$(id -u)" = 0 ] ||
    fail 'building stand-in images needs root (debootstrap makes a Debian tree)' \
      "run once: sudo env PATH=\"\$PATH\" HOME=\"\$HOME\" $here/../base-images.sh"
}

require_debootstrap() {
  command -v debootstrap >/dev/null && return
  "$here/../install.sh" debootstrap debian-archive-keyring ||
    fail 'debootstrap is not installed' 'install debootstrap with your package manager and run this again'
}

# One run at a time, and from an empty folder. The lock is the kernel's: a killed holder has none.
take_folder() {
  exec 9>>"$work.lock"
  flock --nonblock 9 || { say 'another run is building; waiting for it' && flock 9 && exit 0; }
  clean
  mkdir -m 700 "$work"
}

# Never across a mount: a leftover one must not lead rm out of the folder.
clean() { rm -rf --one-file-system "$work"; }

# Killing the leader kills its process namespace, and the mounts go with their own.
stop_recipe() {
  [ -z "$running" ] || { kill -KILL "$running" 2>/dev/null && wait "$running" 2>/dev/null; } || true
  clean
}

run_recipe() {
  local recipe=$1
  shift
  unshare --mount --pid --fork --kill-child --mount-proc \
    bash "$here/$recipe" "$work" "$@" >"$log" 2>&1 9>&- &
  running=$!
  wait "$running" || { tail -n 15 "$log" >&2 && fail "$recipe failed; its last lines are above" \
    'see that a Debian mirror can be reached and that the disk is not full, then run this again'; }
  running=''
}

running=''
log="$work/log"
for image in "$@"; do
  if [ "$image" = rust ]; then require_toolchain; fi
done
require_root_on_linux
take_folder
trap stop_recipe EXIT
trap 'exit 130' INT TERM HUP
require_debootstrap
say "building stand-ins from Debian's packages: $* (a few minutes, once)"
case " $* " in *' rust '* | *' runtime '*) run_recipe bookworm.sh "$@" ;; esac
case " $* " in *' postgres '*) run_recipe trixie.sh postgres ;; esac
say "built in $SECONDS s"
