#!/usr/bin/env bash
# Three nodes on one machine: Docker engines, each standing for a machine of its own and joined into one Swarm, so that a node can
# be killed, cut off, drained, and brought back. For the lab; on real machines none of this is needed.
#
# usage: nodes.sh up [IMAGE...] | down | status | start N | kill N | cut N | mend N
#   up      starts what is dead and joins all into one Swarm; HAProxy in front of them, on the loopback address. Gives each engine
#           these images of the host's engine
#   down    ends all of it and deletes its data
#   status  a line for each node: its number, alive or dead, its address
#   kill    SIGKILL for everything on node N at once: what a power cut leaves
#   cut     takes node N's cable out; mend puts it back in
#
# Environment: SWARM, a number from 1 to 254 that sets it apart from another (211); API_PORT, WORKER_PORT, DB_PORT, where HAProxy
# listens (8080, 8081, 54320). Needs root on Linux.
#
# How it is built. The nodes hang on a bridge, 192.168.SWARM.11 and so on. `nsenter --net` and not `ip netns exec`, which would
# hide the control groups. An engine is the first process of its process namespace, so that all it has started ends with it. Its
# storage driver is fuse-overlayfs, which works inside a container too.
set -euo pipefail

readonly nodes=(1 2 3)
readonly swarm=${SWARM:-211}
readonly network=192.168.$swarm
readonly bridge=holdfast$swarm
readonly home=/var/lib/holdfast-swarm/$swarm
readonly run=/run/holdfast-swarm/$swarm
readonly answer_within=60   # seconds, on a busy machine
# A node that is silent for three of these is given up, and its tasks are replaced. Of the usual 5 s that is sooner than the other
# nodes have found the next leader when the leader itself is cut off: they were given up with it, although all on them was well, and
# the scheduler then took ports for taken that were free again, and started no Postgres there any more.
readonly heartbeat=20s
here=$(cd "${BASH_SOURCE%/*}" && pwd)
readonly here

say() { printf 'swarm: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

netns() { printf 'holdfast-%s-%s' "$swarm" "$1"; }
cable() { printf 'hf%s-%s' "$swarm" "$1"; }
address() { printf '%s.1%s' "$network" "$1"; }
in_node() {
  local node=$1
  shift
  nsenter "--net=/run/netns/$(netns "$node")" "$@"
}
on() {
  local node=$1
  shift
  docker --host "unix://$run/$node/docker.sock" "$@"
}

# Whether the process of this file lives, and is not another that has its number by now.
lives() {
  local pid
  pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

is_alive() { lives "$run/$1/pid" "${BASH_SOURCE##*/}"; }
balances() { lives "$run/haproxy.pid" haproxy.cfg; }

need() {
  [ "$(id -u)" = 0 ] || fail 'it needs root, for network namespaces and engines of its own: sudo -E make ... STAGE=swarm'
  local program missing=()
  for program in ip:iproute2 iptables:iptables fuse-overlayfs:fuse-overlayfs dockerd:docker.io haproxy:haproxy; do
    command -v "${program%%:*}" >/dev/null || missing+=("${program#*:}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  "$here/../install.sh" "${missing[@]}" || fail "missing: ${missing[*]}"
}

make_network() {
  local node
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    ip link add "$bridge" type bridge
    ip address add "$network.1/24" dev "$bridge"
    ip link set "$bridge" up
    # The host's own engine has all else that is forwarded dropped.
    iptables -I FORWARD -i "$bridge" -o "$bridge" -j ACCEPT
  fi
  for node in "${nodes[@]}"; do
    [ ! -e "/run/netns/$(netns "$node")" ] || continue
    ip netns add "$(netns "$node")"
    ip link add "$(cable "$node")" type veth peer name eth0 netns "$(netns "$node")"
    ip link set "$(cable "$node")" master "$bridge" up
    in_node "$node" ip link set lo up
    in_node "$node" ip address add "$(address "$node")/24" dev eth0
    in_node "$node" ip link set eth0 up
    in_node "$node" ip route add default via "$network.1"
  done
}

# The first process of a node.
engine() {
  local node=$1
  hostname "node-$node"
  # It does not see the host's containerd, and so starts its own; nor the host's configuration.
  [ ! -d /run/containerd ] || mount -t tmpfs none /run/containerd
  # Nobody outside is asked for names: before each container an engine asks its registry for the image that it has already, and waits
  # for the answer. Its own address refuses at once and always; another refuses once a second, and each question beyond that, of
  # three nodes that start twelve containers, waits five.
  printf 'nameserver %s\n' "$(address "$node")" >"$run/$node/resolv.conf"
  mount --bind "$run/$node/resolv.conf" /etc/resolv.conf
  rm -rf "${run:?}/$node/exec" "$run/$node/docker.pid"
  printf '{}' >"$run/$node/daemon.json"
  # Nor are they asked for names without a dot, which are the stack's own. As nobody answers, a container would wait twenty seconds to
  # hear that the name of a dead task leads nowhere, and Patroni asks for it before it lets another lead.
  exec dockerd --log-level warn --config-file "$run/$node/daemon.json" --host "unix://$run/$node/docker.sock" \
    --data-root "$home/$node" --exec-root "$run/$node/exec" --pidfile "$run/$node/docker.pid" \
    --storage-driver fuse-overlayfs --dns-opt ndots:1
}

start() {
  local node=$1 since=$SECONDS log=$run/$1/log
  is_alive "$node" && return
  mkdir -p "$home/$node" "$run/$node"
  ip link set "$(cable "$node")" up
  setsid nsenter "--net=/run/netns/$(netns "$node")" unshare --pid --fork --kill-child --uts --mount --mount-proc \
    "$here/${BASH_SOURCE##*/}" engine "$node" </dev/null >>"$log" 2>&1 &
  printf '%s' $! >"$run/$node/pid"
  until on "$node" version >/dev/null 2>&1; do
    is_alive "$node" || { tail -n 5 "$log" >&2 && fail "the engine of node $node ended; its log: $log"; }
    [ $((SECONDS - since)) -lt "$answer_within" ] || fail "the engine of node $node does not answer; its log: $log"
    sleep 0.1
  done
}

kill_node() {
  local pid engine link
  is_alive "$1" || return 0
  pid=$(cat "$run/$1/pid")
  engine=$(cut --delimiter=" " --fields=1 "/proc/$pid/task/$pid/children")
  # `--kill-child`: the engine dies with it, and with the engine all others of its namespace, before it is gone itself.
  kill -KILL "$pid"
  while grep -q . "/proc/$engine/cmdline" 2>/dev/null; do sleep 0.02; done
  # Connections outlive their processes by a minute, and keep the network of a dead container, which answers for the address that the
  # next one has been given.
  for link in $(in_node "$1" ip -oneline link | sed -n 's/^[0-9]*: \([^:@]*\).*/\1/p'); do
    case $link in lo | eth0) ;; *) in_node "$1" ip link delete "$link" 2>/dev/null || true ;; esac
  done
}

join_swarm() {
  local node token id
  state() { on "$1" info --format '{{.Swarm.LocalNodeState}}'; }
  [ "$(state 1)" != inactive ] ||
    on 1 swarm init --advertise-addr "$(address 1)" --default-addr-pool "10.$swarm.0.0/16" --dispatcher-heartbeat "$heartbeat" >/dev/null
  for node in "${nodes[@]}"; do
    [ "$(state "$node")" = inactive ] || continue
    token=$(on 1 swarm join-token --quiet manager)
    on "$node" swarm join --token "$token" --advertise-addr "$(address "$node")" "$(address 1):2377" >/dev/null
  done
  for node in "${nodes[@]}"; do
    id=$(on "$node" info --format '{{.Swarm.NodeID}}')
    until on "$node" node update --label-add "holdfast.node=$node" "$id" >/dev/null 2>&1; do sleep 0.2; done
  done
}

balance() {
  balances && return
  SWARM_NETWORK=$network API_PORT=${API_PORT:-8080} WORKER_PORT=${WORKER_PORT:-8081} DB_PORT=${DB_PORT:-54320} \
    haproxy -D -f "$here/haproxy.cfg" -p "$run/haproxy.pid" || fail 'HAProxy does not start'
}

# Unpacking images keeps a core busy, and each node would do it for itself.
copy_images() {
  rm -rf "${home:?}/copy" && mkdir "$home/copy"
  cp --archive "$home/$1/image" "$home/copy/"
  # Layers are only read: the same files will do.
  cp --archive --link "$home/$1/fuse-overlayfs" "$home/copy/"
  mv "$home/copy" "$home/$2"
}

load() {
  local node=$1 image wanted=()
  for image in "${@:2}"; do
    [ "$(on "$node" image inspect --format '{{.Id}}' "$image" 2>/dev/null)" = "$(docker image inspect --format '{{.Id}}' "$image")" ] ||
      wanted+=("$image")
  done
  [ ${#wanted[@]} = 0 ] || docker save "${wanted[@]}" | on "$node" load >/dev/null
}

up() {
  local node job jobs=() first=${nodes[0]}
  make_network
  start "$first"
  # Before it has containers, whose layers are written to.
  load "$first" "$@"
  for node in "${nodes[@]}"; do
    [ -e "$home/$node" ] || copy_images "$first" "$node"
    start "$node"
    ip link set "$(cable "$node")" up
  done
  join_swarm
  for node in "${nodes[@]}"; do
    load "$node" "$@" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || fail 'an engine does not take the images'; done
  balance
}

down() {
  local node
  if balances; then kill -KILL "$(cat "$run/haproxy.pid")"; fi
  for node in "${nodes[@]}"; do
    kill_node "$node"
    ip netns delete "$(netns "$node")" 2>/dev/null || true
    ip link delete "$(cable "$node")" 2>/dev/null || true
  done
  iptables -D FORWARD -i "$bridge" -o "$bridge" -j ACCEPT 2>/dev/null || true
  ip link delete "$bridge" 2>/dev/null || true
  rm -rf "${home:?}" "${run:?}"
}

status() {
  local node state
  for node in "${nodes[@]}"; do
    if is_alive "$node"; then state=alive; else state=dead; fi
    printf '%s %s %s\n' "$node" "$state" "$(address "$node")"
  done
}

case ${1:-} in
  engine) engine "$2" ;;
  status) status ;;
  up) need && up "${@:2}" ;;
  down) need && down ;;
  start) need && start "${2:?which node}" ;;
  kill) need && kill_node "${2:?which node}" ;;
  cut) need && ip link set "$(cable "${2:?which node}")" down ;;
  mend) need && ip link set "$(cable "${2:?which node}")" up ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
