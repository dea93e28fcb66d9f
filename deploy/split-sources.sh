#!/bin/sh
# Splits a checkout for the Dockerfile, which says why.
#
# usage: split-sources.sh CHECKOUT MANIFESTS SERVICES
#
# MANIFESTS gets every Cargo.toml, the lock file and an empty library per crate: enough to build all dependencies, and
# unchanged by an edit of the code. Targets that a manifest names (binaries, benches, …) are taken out: their files are
# not there. SERVICES gets the checkout itself, but for what is in neither image: that stays empty, and an edit of it does
# not rebuild the services.
set -eu

checkout=$1
manifests=$2
services=$3

without_targets() {
  awk '/^\[/ { skip = /^\[\[(bin|bench|test|example)\]\]/ } !skip && !/^default-run/' "$1"
}

mkdir -p "$manifests" "$services"
cp "$checkout/Cargo.toml" "$checkout/Cargo.lock" "$manifests/"
cd "$checkout"
find . -mindepth 2 -name Cargo.toml | while read -r manifest; do
  crate=$manifests/$(dirname "$manifest")
  mkdir -p "$crate/src"
  without_targets "$manifest" >"$crate/Cargo.toml"
  : >"$crate/src/lib.rs"
done

cp -R . "$services/"
for crate in crates/lab bench/rivals; do
  rm -rf "${services:?}/$crate"
  cp -R "$manifests/$crate" "$services/$crate"
done
