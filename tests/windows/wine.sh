#!/bin/sh
# Runs a Windows program under Wine: wine.sh PROGRAM.exe ARGUMENTS… CTest calls it, so does
# test_wine.py. The prefix is ours (SHAREWATCH_WINEPREFIX, or build/windows/wine), no window is
# opened, nothing is downloaded.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
WINEPREFIX=${SHAREWATCH_WINEPREFIX:-$here/build/windows/wine}
WINEDEBUG=${WINEDEBUG:--all}
WINEDLLOVERRIDES="mscoree,mshtml=${WINEDLLOVERRIDES:+;$WINEDLLOVERRIDES}"
DISPLAY=
export WINEPREFIX WINEDEBUG WINEDLLOVERRIDES DISPLAY
# Debian's `wine` wants its 32-bit half too, and complains on every call that it is not there.
wine=/usr/lib/wine/wine64
if ! [ -x "$wine" ]; then
    echo "wine.sh: $wine is not there: packaging/build-deps.sh windows-test" >&2
    exit 127
fi
ready=$WINEPREFIX/.ready # Wine's own files come to the disk when its server feels like it
if ! [ -f "$ready" ]; then
    mkdir -p "$WINEPREFIX"
    # Programs that start at the same time wait for the one that makes it.
    flock "$WINEPREFIX" sh -c '[ -f "$1" ] || { "$2" wineboot -i && : >"$1"; }' - "$ready" "$wine" \
        </dev/null >/dev/null 2>&1
fi
exec "$wine" "$@"
