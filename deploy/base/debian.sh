#!/usr/bin/env bash
# What the recipes of the stand-in images have in common: a Debian tree made from packages, and its import as an image.
#
# To be sourced by a recipe. build.sh calls `RECIPE WORKDIR IMAGE...` as root and inside mount and process namespaces of
# its own, so that whatever a recipe mounts or starts is gone the moment it ends, however it ends. WORKDIR is an empty
# folder that build.sh removes. An image gets its name only after the whole of it has been imported: a half-built one is
# never found by name.
set -euo pipefail

readonly here="${BASH_SOURCE%/*}"

# What no container needs: documents, translations, package lists, and what belongs to the machine it was built on.
readonly left_out=(
  ./usr/share/doc ./usr/share/man ./usr/share/info ./usr/share/locale ./usr/share/lintian ./usr/share/bug
  './var/cache/*' './var/lib/apt/lists/*' './var/log/*' './tmp/*' './proc/*' './sys/*' './dev/*'
  ./etc/resolv.conf ./etc/hostname
)

# The mirror this host itself is set up to use; nothing where the host is not Debian.
# shellcheck disable=SC2016  # apt-get's own variable, not the shell's
mirror() {
  if command -v apt-get >/dev/null; then
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
      2>/dev/null | sed -n 1p
  fi
}

# A minimal Debian in $2, ready for apt-get.
bootstrap() {
  local suite=$1 tree=$2 mirror
  mirror=$(mirror)
  # Without one debootstrap takes Debian's public mirror.
  debootstrap --variant=minbase "$suite" "$tree" ${mirror:+"$mirror"}
  mount -t proc proc "$tree/proc"
  # No service may start while its package is being installed.
  printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
  chmod 755 "$tree/usr/sbin/policy-rc.d"
  # The tree is thrown away when the machine dies half-way: dpkg's fsyncs would only cost time.
  printf 'force-unsafe-io\n' >"$tree/etc/dpkg/dpkg.cfg.d/image"
}

install() {
  local tree=$1
  shift
  chroot "$tree" apt-get update
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$tree" apt-get install --yes --no-install-recommends "$@"
}

# Imports the tree as one layer, with the image settings given, and names it last. What had the name before is removed,
# unless something is built on it.
import() {
  local name=$1 image=$2 tree=$3 change id before
  shift 3
  before=$(docker image inspect --format '{{.Id}}' "$name" 2>/dev/null || true)
  local changes=(--change "LABEL holdfast.standin=$("$here/fingerprint.sh" "$image")")
  for change in "$@"; do changes+=(--change "$change"); done
  id=$(tar --create --directory "$tree" --numeric-owner --anchored "${left_out[@]/#/--exclude=}" . |
    docker import "${changes[@]}" -)
  docker tag "$id" "$name"
  [ -z "$before" ] || docker rmi "$before" >/dev/null 2>&1 || true
}
