#!/usr/bin/env bash
# Entrypoint of the stand-in Postgres image. Honours the part of the official image's interface that compose.yml uses:
# POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, PGDATA and /docker-entrypoint-initdb.d/*.sql. Never runs as root.
#
# Initialisation is all or nothing. The cluster is made in $PGDATA/.init and then moved up, PG_VERSION last: that one
# rename makes the folder a cluster. Killed at any instant before, the next start finds .init without PG_VERSION, throws
# the remains away (nobody has been served from them) and begins again.
set -euo pipefail

readonly data="${PGDATA:?}"
readonly staging="$data/.init"

fail() {
  printf 'postgres entrypoint: %s\n' "$*" >&2
  exit 1
}

# Makes the cluster and its one superuser, reachable by password from other containers.
create_cluster() {
  initdb --pgdata="$staging" --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8
  printf 'host all all all scram-sha-256\n' >>"$staging/pg_hba.conf"
  printf "listen_addresses = '*'\n" >>"$staging/postgresql.conf"
}

# Runs the init scripts on a server that only this container can reach, so that no client meets a half-made schema.
run_init_scripts() {
  local sockets script
  sockets=$(mktemp --directory)
  pg_ctl --pgdata="$staging" --wait --options="-c listen_addresses='' -c unix_socket_directories='$sockets'" start
  if [ "$POSTGRES_DB" != postgres ]; then
    createdb --host="$sockets" --username="$POSTGRES_USER" --maintenance-db=postgres "$POSTGRES_DB"
  fi
  for script in /docker-entrypoint-initdb.d/*.sql; do
    [ -e "$script" ] || continue
    printf 'postgres entrypoint: running %s\n' "$script"
    psql --no-psqlrc --set=ON_ERROR_STOP=1 --host="$sockets" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
      --file="$script"
  done
  pg_ctl --pgdata="$staging" --wait --mode=fast stop
  rmdir "$sockets"
}

move_into_place() {
  find "$staging" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv --target-directory="$data" {} +
  sync
  mv "$staging/PG_VERSION" "$data/PG_VERSION"
  sync
}

initialise() {
  [ -n "${POSTGRES_PASSWORD:-}" ] || fail 'POSTGRES_PASSWORD is not set: give the new cluster a password'
  POSTGRES_USER=${POSTGRES_USER:-postgres}
  POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
  if [ -d "$staging" ]; then
    printf 'postgres entrypoint: an earlier initialisation was cut short; starting over\n'
    find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .init -exec rm -rf {} +
    rm -rf "$staging"
  fi
  [ -z "$(find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found)" ] ||
    fail "$data is neither empty nor a Postgres cluster: give it an empty volume"
  create_cluster
  run_init_scripts
  move_into_place
}

[ "$(id -u)" != 0 ] || fail 'Postgres does not run as root: start this container as user 999 (postgres)'
[ -w "$data" ] || fail "user $(id -u) cannot write to $data: give it a volume that this user owns"
# As process 1 this shell would ignore both signals; the server itself takes over with the exec below.
trap 'exit 1' INT TERM
if [ ! -s "$data/PG_VERSION" ]; then initialise; fi
rm -rf "$staging"
chmod 700 "$data"
exec "$@"
