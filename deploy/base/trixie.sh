#!/usr/bin/env bash
# Recipe of the stand-in for Postgres.
#
# usage: trixie.sh WORKDIR postgres
set -euo pipefail
# shellcheck source=/dev/null
. "${BASH_SOURCE%/*}/debian.sh"

tree=$1/trixie
bootstrap trixie "$tree"
# The official image's numbers, so that a volume filled by one can be read by the other.
chroot "$tree" groupadd --system --gid 999 postgres
chroot "$tree" useradd --system --gid postgres --uid 999 --home-dir /var/lib/postgresql postgres
mkdir -p "$tree/etc/postgresql-common"
printf 'create_main_cluster = false\n' >"$tree/etc/postgresql-common/createcluster.conf"
install "$tree" --option Dpkg::Options::=--force-confold postgresql-17
# The just-in-time compiler is half of the image; Postgres does without it when its library is not there.
rm -rf "$tree"/usr/lib/*/libLLVM* "$tree"/usr/lib/postgresql/17/lib/{llvmjit*,bitcode}
cp "${BASH_SOURCE%/*}/postgres-entrypoint.sh" "$tree/usr/local/bin/docker-entrypoint.sh"
mkdir -p "$tree/docker-entrypoint-initdb.d" "$tree/var/lib/postgresql/data" "$tree/run/postgresql"
chroot "$tree" chown postgres:postgres /var/lib/postgresql /var/lib/postgresql/data /run/postgresql
chmod 700 "$tree/var/lib/postgresql/data"
# Writable for any user, as in the official image: an older runc gives a tmpfs mounted here this mode, and root as owner,
# whatever mode was asked for.
chmod 3777 "$tree/run/postgresql"
import holdfast/standin-postgres:17 postgres "$tree" \
  'ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  'ENV PGDATA=/var/lib/postgresql/data' 'ENV LANG=C.UTF-8' \
  'VOLUME /var/lib/postgresql/data' 'USER 999:999' 'EXPOSE 5432' \
  'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]' 'CMD ["postgres"]'
