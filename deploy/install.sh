#!/usr/bin/env bash
# Installs packages of Debian's whose programs are missing altogether, after printing the command: as root, on Debian or a child of
# it, and not with HOLDFAST_INSTALL=no. Nothing that is installed is upgraded or removed for it: a rehearsal looks.
#
# usage: install.sh PACKAGE...
#
# Exit 0: they are there. 2: not for this script to do; the command is told. 3: something that is installed would have to be touched.
set -euo pipefail

# --no-upgrade spares what is named; what would have to be upgraded or removed along with it, the rehearsal tells.
readonly install=(apt-get install --yes --quiet --quiet --no-install-recommends --no-upgrade --no-remove)

say() { printf '%s\n' "$*" >&2; }

if [ "$(id -u)" != 0 ] || [ ! -e /etc/debian_version ] || [ "${HOLDFAST_INSTALL:-}" = no ]; then
  say "missing: $*; on Debian: sudo ${install[*]} $*"
  exit 2
fi
say "missing: $*; ${install[*]} $*"
# RUNLEVEL: a daemon among them does not start by itself.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
# The lists may never have been fetched, or be so old that they name versions that are gone.
apt-get update --quiet --quiet
# `Inst NAME [OLD] (NEW …)` is an upgrade.
if "${install[@]}" --simulate "$@" | grep --extended-regexp '^(Inst [^ ]+ \[|Remv )' >&2; then
  say "not without touching what is installed: ${install[*]} $*"
  exit 3
fi
"${install[@]}" "$@" >/dev/null
