#!/usr/bin/env bash
# Builds stand-in base images from Debian's packages. Called by build.sh, as root and inside mount and process namespaces
# of its own, so that whatever it mounts or starts is gone the moment it ends, however it ends.
#
# usage: recipes.sh WORKDIR FINGERPRINTS IMAGE...     IMAGE: rust | runtime | postgres
#
# WORKDIR is an empty folder that the caller removes. FINGERPRINTS names a command that prints an image's fingerprint.
# An image gets its name only after the whole of it has been imported: a half-built one is never found by name.
set -euo pipefail

readonly here="${BASH_SOURCE%/*}"
readonly work="$1"
readonly fingerprint="$2"
shift 2

# What no container needs: documents, translations, package lists, and what belongs to the machine it was built on.
readonly left_out=(
  ./usr/share/doc ./usr/share/man ./usr/share/info ./usr/share/locale ./usr/share/lintian ./usr/share/bug
  './var/cache/*' './var/lib/apt/lists/*' './var/log/*' './tmp/*' './proc/*' './sys/*' './dev/*'
  ./etc/resolv.conf ./etc/hostname
)

# The mirror this host itself is set up to use; Debian's public one where the host is not Debian.
# shellcheck disable=SC2016  # apt-get's own variable, not the shell's
mirror() {
  local uri=''
  if command -v apt-get >/dev/null; then
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
      2>/dev/null | sed -n 1p)
  fi
  printf '%s\n' "${uri:-http://deb.debian.org/debian/}"
}

# A minimal Debian in $2, ready for apt-get.
bootstrap() {
  local suite=$1 tree=$2
  debootstrap --variant=minbase "$suite" "$tree" "$(mirror)"
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
  local changes=(--change "LABEL holdfast.standin=$("$fingerprint" "$image")")
  for change in "$@"; do changes+=(--change "$change"); done
  id=$(tar --create --directory "$tree" --numeric-owner --anchored "${left_out[@]/#/--exclude=}" . |
    docker import "${changes[@]}" -)
  docker tag "$id" "$name"
  [ -z "$before" ] || docker rmi "$before" >/dev/null 2>&1 || true
}

# Only what building needs of this host's toolchain: no documents, no other targets, no lints.
install_toolchain() {
  local tree=$1 sysroot host
  sysroot=$(rustc --print sysroot)
  host=$(rustc --version --verbose | sed -n 's/^host: //p')
  mkdir -p "$tree/usr/local/lib/rustlib"
  cp --archive "$sysroot/bin/cargo" "$sysroot/bin/rustc" "$tree/usr/local/bin/"
  cp --archive "$sysroot"/lib/*.so* "$tree/usr/local/lib/"
  cp --archive "$sysroot/lib/rustlib/$host" "$tree/usr/local/lib/rustlib/"
}

# A host behind a proxy that opens TLS has the proxy's certificate here; cargo in the container needs it as well.
install_certificates() {
  local tree=$1
  mkdir -p "$tree/usr/local/share/ca-certificates"
  if [ -d /usr/local/share/ca-certificates ]; then
    cp --recursive --dereference /usr/local/share/ca-certificates/. "$tree/usr/local/share/ca-certificates/"
  fi
  chroot "$tree" update-ca-certificates
}

# rust and runtime share one bootstrap, so that what one links against is what the other runs on.
build_bookworm() {
  local tree=$work/bookworm
  bootstrap bookworm "$tree"
  import holdfast/standin-runtime runtime "$tree" 'CMD ["/bin/sh"]'
  case " $* " in *' rust '*) ;; *) return ;; esac
  install "$tree" gcc libc6-dev ca-certificates
  install_toolchain "$tree"
  install_certificates "$tree"
  import holdfast/standin-rust rust "$tree" 'ENV CARGO_HOME=/usr/local/cargo' 'CMD ["/bin/sh"]'
}

build_postgres() {
  local tree=$work/trixie
  bootstrap trixie "$tree"
  # The official image's numbers, so that a volume filled by one can be read by the other.
  chroot "$tree" groupadd --system --gid 999 postgres
  chroot "$tree" useradd --system --gid postgres --uid 999 --home-dir /var/lib/postgresql postgres
  mkdir -p "$tree/etc/postgresql-common"
  printf 'create_main_cluster = false\n' >"$tree/etc/postgresql-common/createcluster.conf"
  install "$tree" --option Dpkg::Options::=--force-confold postgresql-17
  # The just-in-time compiler is half of the image; Postgres does without it when its library is not there.
  rm -rf "$tree"/usr/lib/*/libLLVM* "$tree"/usr/lib/postgresql/17/lib/{llvmjit*,bitcode}
  cp "$here/postgres-entrypoint.sh" "$tree/usr/local/bin/docker-entrypoint.sh"
  mkdir -p "$tree/docker-entrypoint-initdb.d" "$tree/var/lib/postgresql/data" "$tree/var/run/postgresql"
  chroot "$tree" chown postgres:postgres /var/lib/postgresql /var/lib/postgresql/data /var/run/postgresql
  chmod 700 "$tree/var/lib/postgresql/data"
  import holdfast/standin-postgres:17 postgres "$tree" \
    'ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'ENV PGDATA=/var/lib/postgresql/data' 'ENV LANG=C.UTF-8' \
    'VOLUME /var/lib/postgresql/data' 'USER 999:999' 'EXPOSE 5432' \
    'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]' 'CMD ["postgres"]'
}

case " $* " in *' rust '* | *' runtime '*) build_bookworm "$@" ;; esac
case " $* " in *' postgres '*) build_postgres ;; esac
