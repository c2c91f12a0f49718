#!/bin/sh
# The one list of Debian packages that sharewatch needs, and the one place that installs them.
#
#   packaging/build-deps.sh build      what building the program needs
#   packaging/build-deps.sh demo       build, and a Samba server and client for the quickstart
#   packaging/build-deps.sh test       demo, and what the tests need
#   packaging/build-deps.sh bench      test, and the peers of the benchmarks
#   packaging/build-deps.sh windows    what packaging/windows/build.sh needs
#   packaging/build-deps.sh windows-test  windows, and Wine to run what it builds
#   packaging/build-deps.sh --list SET prints the names, installs nothing
#
# Needs root, or a user with sudo. Does nothing, and asks no registry, when all is installed.
# Debian starts smbd (on port 445), rsyslogd and nginx the moment their packages are installed; here
# they are kept from starting, now and at the next boot, unless they were installed before.
set -eu

build='cmake ninja-build gcc libc6-dev pkg-config libyaml-dev libsqlite3-dev
       libcurl4 libcurl4-openssl-dev zlib1g-dev'
demo="$build samba smbclient"
test="$demo clang llvm libclang-rt-14-dev libcmocka-dev git procps util-linux iproute2 strace
      python3 python3-pytest python3-h2 openssl sqlite3 rsyslog libnss-wrapper"
bench="$test nginx-light curl"
windows='cmake ninja-build gcc libc6-dev make pkg-config tcl dpkg-dev gcc-mingw-w64-x86-64-posix'
windows_test="$windows wine wine64 python3 python3-pytest"

list_only=no
if [ "${1:-}" = --list ]; then
    list_only=yes
    shift
fi
case "${1:-build}" in
    build) packages=$build ;;
    demo) packages=$demo ;;
    test) packages=$test ;;
    bench) packages=$bench ;;
    windows) packages=$windows ;;
    windows-test) packages=$windows_test ;;
    *)
        echo "build-deps.sh: unknown set '$1' (allowed: build, demo, test, bench, windows, windows-test)" >&2
        exit 2
        ;;
esac
if [ "$list_only" = yes ]; then
    # shellcheck disable=SC2086
    printf '%s\n' $packages
    exit 0
fi

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $packages; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "build-deps.sh: these packages are missing:$missing; run as root, or install sudo" >&2
    exit 1
fi

echo "Installing:$missing"
keep_off=
policy=/usr/sbin/policy-rc.d
case " $missing " in
    *' samba '*)
        keep_off='smbd nmbd samba-ad-dc'
        echo "(smbd is kept from starting: the samba package would put it on port 445 at once)"
        ;;
esac
case " $missing " in
    *' rsyslog '*)
        keep_off="$keep_off rsyslog"
        echo "(rsyslogd is kept from starting: the tests start one of their own)"
        ;;
esac
case " $missing " in
    *' nginx-light '*)
        keep_off="$keep_off nginx"
        echo "(nginx is kept from starting: the benchmarks start one of their own)"
        ;;
esac

made_policy=no
cleanup() {
    [ "$made_policy" = no ] || $as_root rm -f "$policy"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
if [ -n "$keep_off" ] && ! [ -e "$policy" ]; then
    # invoke-rc.d asks this program before it starts anything; 101 is "not allowed".
    printf '#!/bin/sh\nexit 101\n' | $as_root sh -c "cat > $policy && chmod 755 $policy"
    made_policy=yes
fi

log=$(mktemp)
run_quietly() {
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        echo "build-deps.sh: '$*' failed" >&2
        rm -f "$log"
        exit 1
    fi
}
run_quietly $as_root env DEBIAN_FRONTEND=noninteractive apt-get update
# shellcheck disable=SC2086
run_quietly $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $missing
rm -f "$log"

if [ -n "$keep_off" ]; then
    for service in $keep_off; do
        if command -v systemctl >/dev/null 2>&1; then
            $as_root systemctl disable "$service.service" >/dev/null 2>&1 || true
        fi
        # In /usr/sbin, which an ordinary user's PATH lacks and root's or sudo's has.
        if [ -x /usr/sbin/update-rc.d ]; then
            $as_root /usr/sbin/update-rc.d "$service" disable >/dev/null 2>&1 || true
        fi
    done
    case " $keep_off " in
        *' smbd '*) echo "smbd is installed but off; to use it: systemctl enable --now smbd" ;;
    esac
fi
