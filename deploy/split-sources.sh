#!/bin/sh
# Splits a checkout for the Dockerfile, which says why.
#
# usage: split-sources.sh CHECKOUT MANIFESTS SERVICES FAULT_PROXY
#
# MANIFESTS gets every Cargo.toml, the lock file and an empty library per crate: enough to build all dependencies, and
# unchanged by an edit of the code. Targets that a manifest names (binaries, benches, …) are taken out: their files are
# not there. SERVICES gets the checkout itself, but for what is in neither service: that stays empty, and an edit of it does
# not rebuild the services. FAULT_PROXY gets what the fault proxy is made of, likewise.
set -eu

checkout=$1
manifests=$2
services=$3
fault_proxy=$4

without_targets() {
  awk '/^\[/ { skip = /^\[\[(bin|bench|test|example)\]\]/ } !skip && !/^default-run/' "$1"
}

mkdir -p "$manifests" "$services" "$fault_proxy"
cp "$checkout/Cargo.toml" "$checkout/Cargo.lock" "$manifests/"
cd "$checkout"
find . -mindepth 2 -name Cargo.toml | while read -r manifest; do
  crate=$manifests/$(dirname "$manifest")
  mkdir -p "$crate/src"
  without_targets "$manifest" >"$crate/Cargo.toml"
  : >"$crate/src/lib.rs"
done

cp -R . "$services/"
for crate in crates/lab/* crates/simulation bench/rivals; do
  rm -rf "${services:?}/$crate"
  cp -R "$manifests/$crate" "$services/$crate"
done
# The API is built with its migrations; the whole of the schema, and the API's role, are the database's affair.
rm -f "${services:?}/db/init.sql" "${services:?}/db/rights.sql" "${services:?}/db/stage-login.sql"

cp -R "$manifests/." "$fault_proxy/"
for crate in crates/lab/checker crates/lab/system crates/lab/testbed crates/service/ops crates/service/wire; do
  rm -rf "${fault_proxy:?}/$crate"
  cp -R "$crate" "$fault_proxy/$crate"
done
# Built into the testbed.
cp -R db "$fault_proxy/"
