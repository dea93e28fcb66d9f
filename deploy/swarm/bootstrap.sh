#!/bin/sh
# Patroni calls it with a connection string of the new primary's superuser.
set -eu
psql() { command psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }
# From standard input: only there a variable is put in, quoted as it must be.
psql "$1" --set=password="$HOLDFAST_PASSWORD" <<'SQL'
CREATE ROLE holdfast LOGIN PASSWORD :'password';
CREATE DATABASE holdfast OWNER holdfast;
SQL
# The connection string names Postgres' own database; the schema goes into ours, as its owner.
export PGHOST=/var/run/postgresql PGDATABASE=holdfast PGUSER=holdfast
psql --file=/etc/holdfast/init.sql
PGUSER=postgres psql --file=/etc/holdfast/stage-login.sql
psql --file=/etc/holdfast/rights.sql
