#!/usr/bin/env bash
# Prints a hash of all that goes into a stand-in image, so that it is built again when, and only when, one of them has
# changed: the recipe; for `rust` also this host's toolchain and certificates.
#
# usage: fingerprint.sh rust|runtime|postgres
set -euo pipefail

readonly here="${BASH_SOURCE%/*}"

inputs() {
  cat "$here/debian.sh"
  case $1 in
    runtime) cat "$here/bookworm.sh" ;;
    rust)
      cat "$here/bookworm.sh"
      rustc --version --verbose 2>/dev/null || true
      cat /usr/local/share/ca-certificates/* 2>/dev/null || true
      ;;
    postgres) cat "$here/trixie.sh" "$here/postgres-entrypoint.sh" ;;
  esac
}

inputs "$1" | if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-16
