#!/usr/bin/env bash
# Recipe of the stand-ins for the Rust builder and the runtime base. They share one bootstrap, so that what one links
# against is what the other runs on.
#
# usage: bookworm.sh WORKDIR IMAGE...     IMAGE: rust | runtime
set -euo pipefail
# shellcheck source=/dev/null
. "${BASH_SOURCE%/*}/debian.sh"

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

tree=$1/bookworm
shift
bootstrap bookworm "$tree"
case " $* " in
  *' runtime '*) import holdfast/standin-runtime runtime "$tree" 'CMD ["/bin/sh"]' ;;
esac
case " $* " in
  *' rust '*)
    install "$tree" gcc libc6-dev ca-certificates
    install_toolchain "$tree"
    install_certificates "$tree"
    import holdfast/standin-rust rust "$tree" 'ENV CARGO_HOME=/usr/local/cargo' 'CMD ["/bin/sh"]'
    ;;
esac
