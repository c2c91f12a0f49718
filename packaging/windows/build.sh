#!/bin/bash
# Builds sharewatch for Windows (64-bit) on Debian 12: build/windows/sharewatch.exe.
#
#   packaging/windows/build.sh [--tests]
#
# Installs what is missing (root, or a user with sudo), builds the libraries from Debian's source
# packages (once; kept in build/windows/deps) and then the program, which needs no DLL but Windows'
# own. --tests builds the test programs too, and Wine is installed to run them.
set -euo pipefail
cd "$(dirname "$0")/../.."

tests=OFF
packages=windows
while [ $# -gt 0 ]; do
    case $1 in
        --tests) tests=ON; packages=windows-test ;;
        *) echo "build.sh: unknown option '$1' (allowed: --tests)" >&2; exit 2 ;;
    esac
    shift
done

step() { printf '\n[%s] %s\n' "$1" "$2"; }

# What every Windows has since 10 and Server 2016: not a compiler's, not somebody else's.
windows_dlls='advapi32 bcrypt crypt32 iphlpapi kernel32 msvcrt netapi32 normaliz ole32 rpcrt4 secur32
    shell32 user32 userenv wevtapi ws2_32'

check_dlls() { # PROGRAM
    local name bad=
    while read -r name; do
        case " $(echo $windows_dlls) " in
            *" $name "*) ;;
            *) bad="$bad $name.dll" ;;
        esac
    done < <(x86_64-w64-mingw32-objdump -p "$1" | sed -n 's/^[[:space:]]*DLL Name: //p' |
        tr 'A-Z\r' 'a-z ' | sed 's/ *$//; s/\.dll$//')
    if [ -n "$bad" ]; then
        echo "build.sh: $1 needs$bad: everything that is not Windows' own must be linked in" >&2
        return 1
    fi
}

started=$SECONDS
step 1/3 "installing what is missing (list: packaging/build-deps.sh --list $packages)"
packaging/build-deps.sh "$packages"

step 2/3 "libraries (build/windows/deps)"
packaging/windows/deps.sh build/windows/deps

step 3/3 "building (build/windows)"
log=$(mktemp)
if ! { cmake --preset windows -DSW_TESTS="$tests" && cmake --build --preset windows; } >"$log" 2>&1; then
    grep -E 'error|FAILED' "$log" | head -n 30 || true
    tail -n 5 "$log"
    rm -f "$log"
    exit 1
fi
rm -f "$log"
program=build/windows/sharewatch.exe
x86_64-w64-mingw32-strip -o "$program.new" build/windows/agent/sharewatch.exe
check_dlls "$program.new"
mv "$program.new" "$program"

size=$(stat -c %s "$program")
printf '%s: %d bytes (%d KiB), took %d s\n' "$program" "$size" $((size / 1024)) $((SECONDS - started))
