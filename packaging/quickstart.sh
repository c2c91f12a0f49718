#!/bin/bash
# From a clone to live events: installs what is needed, builds, and watches a real Samba server.
#
#   packaging/quickstart.sh [--seconds N]
#
# Where this machine runs Samba it watches that; where it does not, it starts a private smbd on
# loopback in a temporary folder and opens and closes real sessions with smbclient. Needs root, or
# a user with sudo. Asks nothing, leaves nothing running or listening. --seconds N bounds the
# watching (default 20).
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=20
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=${2:-}; shift; [ $# -eq 0 ] || shift ;;
        --seconds=*) seconds=${1#*=}; shift ;;
        *) echo "quickstart.sh: unknown option '$1' (allowed: --seconds N)" >&2; exit 2 ;;
    esac
done
case $seconds in
    '' | *[!0-9]*) echo "quickstart.sh: --seconds '$seconds': a number from 5 to 86400 expected" >&2; exit 2 ;;
esac
seconds=$((10#$seconds))
if [ "$seconds" -lt 5 ] || [ "$seconds" -gt 86400 ]; then
    echo "quickstart.sh: --seconds $seconds: a number from 5 to 86400 expected" >&2
    exit 2
fi

step() { printf '\n[%s] %s\n' "$1" "$2"; }

if [ "$(id -u)" -eq 0 ]; then
    as_root() { "$@"; }
elif command -v sudo >/dev/null 2>&1; then
    as_root() { sudo "$@"; }
else
    echo "quickstart.sh: needs root (smbstatus answers nobody else): run as root, or install sudo" >&2
    exit 1
fi

# The machine's own smbd, not some test's: the one that Debian's pid file names.
had_samba=no
smbd_of_machine=$(cat /run/samba/smbd.pid /var/run/samba/smbd.pid 2>/dev/null | head -n 1 | tr -d ' ' || true)
if [ -n "$smbd_of_machine" ] && [ "$(cat "/proc/$smbd_of_machine/comm" 2>/dev/null)" = smbd ]; then
    had_samba=yes
fi
if [ "$had_samba" = yes ]; then
    packages=build
else
    packages=demo
fi
step 1/4 "installing what is missing (list: packaging/build-deps.sh --list $packages)"
packaging/build-deps.sh "$packages"

step 2/4 "building (build/release)"
log=$(mktemp)
if ! { cmake --preset release && cmake --build --preset release; } >"$log" 2>&1; then
    cat "$log"
    rm -f "$log"
    exit 1
fi
rm -f "$log"
program=$PWD/build/release/agent/sharewatch
echo "$("$program" version | head -n 1) built: $program ($(du -k "$program" | cut -f1) KiB)"

# $work is root's: `run` refuses a configuration that somebody else could change. $mine is ours.
work=$(as_root mktemp -d /tmp/sharewatch-quickstart.XXXXXX)
as_root chmod 755 "$work"
mine=$(mktemp -d)
smbd_pid=
agent_pid=
made_user=
clients=()
stop_agent() {
    [ -n "$agent_pid" ] || return 0
    # The agent alone: a sudo around it would hand on a second signal, which ends it at once.
    as_root kill -TERM "$(cat "$work/agent.pid")" 2>/dev/null || true
    wait "$agent_pid" 2>/dev/null || true
    agent_pid=
}
cleanup() {
    trap - EXIT INT TERM
    for pid in "${clients[@]+"${clients[@]}"}"; do kill "$pid" 2>/dev/null || true; done
    stop_agent
    if [ -n "$smbd_pid" ]; then
        # smbd and its children write to the folder until they are gone. The brackets keep the
        # pattern from matching the sudo that carries it.
        as_root pkill -TERM -f "[s]mbd.*$work/smb.conf" 2>/dev/null || true
        for _ in $(seq 50); do
            pgrep -f "[s]mbd.*$work/smb.conf" >/dev/null 2>&1 || break
            sleep 0.1
        done
        as_root pkill -KILL -f "[s]mbd.*$work/smb.conf" 2>/dev/null || true
    fi
    [ -z "$made_user" ] || as_root userdel "$made_user" 2>/dev/null || true
    as_root rm -rf "$work"
    rm -rf "$mine"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

port=0
if [ "$had_samba" = yes ]; then
    step 3/4 "this machine runs Samba: watching it as it is"
else
    for port in $(seq 24450 24490); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    step 3/4 "no Samba runs here: starting a private one on 127.0.0.1:$port in $work"
    as_root mkdir -p "$work"/{private,lock,state,cache,pid,ncalrpc,share}
    as_root chmod 1777 "$work/share"
    as_root chmod 700 "$work/private"
    as_root tee "$work/smb.conf" >/dev/null <<CONF
[global]
    server role = standalone server
    workgroup = QUICKSTART
    smb ports = $port
    interfaces = lo
    bind interfaces only = yes
    disable netbios = yes
    load printers = no
    printcap name = /dev/null
    map to guest = Bad User
    log file = $work/smbd.log
    private dir = $work/private
    lock directory = $work/lock
    state directory = $work/state
    cache directory = $work/cache
    pid directory = $work/pid
    ncalrpc dir = $work/ncalrpc
[share]
    path = $work/share
    read only = no
    guest ok = yes
CONF
    user=swquick$$
    as_root useradd --no-create-home --no-user-group --shell /usr/sbin/nologin "$user"
    made_user=$user
    printf 'pw\npw\n' | as_root smbpasswd -c "$work/smb.conf" -a -s "$user" >/dev/null
    # A session of its own: a stopping smbd takes its whole process group with it.
    as_root setsid smbd -F --no-process-group -s "$work/smb.conf" </dev/null >/dev/null 2>&1 &
    smbd_pid=$!
    for _ in $(seq 100); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        sleep 0.1
    done
fi

config=$work/sharewatch.yaml
if [ "$had_samba" = yes ]; then
    source_lines='{type: samba, interval: 2s, timeout: 2s, baseline: emit}'
else
    source_lines="{type: samba, smb_conf: $work/smb.conf, interval: 1s, timeout: 1s, baseline: emit}"
fi
as_root tee "$config" >/dev/null <<CONF
agent: {state_dir: $work/agent-state, log_level: warn}
sources:
  local: $source_lines
sinks:
  print: {type: file, path: "-"}
CONF

step 4/4 "watching for $seconds seconds; every line below is an event (shortened; the real ones are JSON)"
show() { # one readable line an event, whatever the names in it are
    sed -u -n 's/.*"@timestamp":"\([^"]*\)".*"message":"\(\([^"\\]\|\\.\)*\)".*/  \1  \2/p' |
        tee "$mine/shown"
}
as_root "$program" check -c "$config"
# shellcheck disable=SC2016
as_root sh -c 'echo $$ >"$0"; exec "$@"' "$work/agent.pid" "$program" run -c "$config" \
    2> >(sed -u 's/^/  (log) /' >&2) > >(show) &
agent_pid=$!
end=$((SECONDS + seconds))

hold() { # USER SECONDS: a session that stays open so long
    (sleep "$2" | smbclient -s "$work/smb.conf" "//127.0.0.1/share" -p "$port" -U "$1%pw" >/dev/null 2>&1) &
    clients+=($!)
}
if [ "$had_samba" = no ]; then
    sleep 2
    echo "  (opening a session as $user, for a few seconds, and one as a guest)"
    hold "$user" $((seconds >= 10 ? 5 : 1))
    hold nobody-we-know $((seconds >= 10 ? 3 : 1))
else
    echo "  (open or close a connection to this server to see it here)"
fi
while [ $SECONDS -lt $end ]; do
    sleep 0.5
    kill -0 "$agent_pid" 2>/dev/null || { echo "the agent has ended"; exit 1; }
done
stop_agent
sleep 0.3

if [ "$had_samba" = no ]; then
    if ! grep -q 'opened a session' "$mine/shown" || ! grep -q 'closed' "$mine/shown"; then
        echo "quickstart.sh: no opened and closed session was seen within $seconds seconds; that is a fault of ours" >&2
        exit 1
    fi
fi
cat <<EOT

Done; nothing is left running or listening. To go on with your own server:
  sudo cmake --install build/release --prefix /usr/local
  sudo install -D -m 600 config/sharewatch.example.yaml /etc/sharewatch/sharewatch.yaml   # then edit it
  sudo sharewatch check && sudo sharewatch run
EOT
