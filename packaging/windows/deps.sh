#!/bin/bash
# The libraries of the Windows build, from Debian's source packages: libyaml, SQLite, zlib, libcurl
# (Schannel, http and https only) and, for the tests, cmocka. Static, for x86_64-w64-mingw32.
#
#   packaging/windows/deps.sh FOLDER
#
# Builds them into FOLDER/KEY, where KEY stands for their versions, the compiler's and this file;
# FOLDER/current leads there. Does nothing, and asks no registry, when that is there already.
set -euo pipefail

folder=$(realpath -m "${1:?"usage: deps.sh FOLDER"}")
recipe=$(realpath "$0")
target=x86_64-w64-mingw32
cc=$target-gcc-posix
sources='libyaml sqlite3 zlib curl cmocka'
cflags='-O2 -g0 -ffunction-sections -fdata-sections -fstack-protector-strong'

# What this machine's package lists say of versions: a security update of Debian builds anew. They
# may be empty (a container); then what was built before stays good.
versions=$(apt-cache show --no-all-versions libyaml-dev libsqlite3-dev zlib1g-dev \
    libcurl4-openssl-dev libcmocka-dev 2>/dev/null | sed -n 's/^\(Package\|Version\): //p' | sort || true)
if [ -z "$versions" ] && [ -L "$folder/current" ] && [ -f "$folder/current/done" ]; then
    exit 0
fi
key=$({ printf '%s\n' "$versions"; "$cc" -dumpfullversion; cat "$recipe"; } | sha256sum | cut -c1-16)
prefix=$folder/$key
link() {
    ln -sfn "$key" "$folder/current"
}
if [ -f "$prefix/done" ]; then
    link
    exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/sharewatch-deps.XXXXXX")
cleanup() { rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 130' INT TERM

# The machine's own sources with deb-src instead of deb, in a folder of this run. Only Debian's:
# other repositories have no such packages.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mkdir -p "$work"/{apt/sources,lists/partial,cache/archives/partial}
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] || continue
    sed -nE "s/^deb(-src)?[[:space:]]+(.*[[:space:]]$codename[-a-z]*([[:space:]].*)?)\$/deb-src \2/p" "$file"
done | sort -u >"$work/apt/sources/machine.list"
for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    grep -qE "^Suites:.*[[:space:]]$codename" "$file" || continue
    sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/apt/sources/$(basename "$file")"
done
apt_options=(-q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/apt/sources"
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=)

mkdir -p "$folder" "$work/src"
log=$folder/deps.log
: >"$log"
run() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        echo "deps.sh: '$*' failed; all it said is in $log" >&2
        exit 1
    fi
}

echo "fetching Debian's sources of: $sources"
cd "$work/src"
run apt-get "${apt_options[@]}" update
# shellcheck disable=SC2086
run apt-get "${apt_options[@]}" source --only-source $sources

out=$work/out
mkdir -p "$out"/{include,lib/pkgconfig}
{
    printf 'sources:\n'
    ls ./*.dsc
} >"$out/versions"

unpacked() { # NAME: the folder that dpkg-source made of it
    find "$work/src" -maxdepth 1 -type d -name "$1-*" | head -n 1
}

archive() { # LIBRARY SOURCES…: the objects of the current folder as a static library
    local library=$1
    shift
    printf '%s\n' "$@" | run xargs -P "$(nproc)" -I{} "$cc" $cflags "${defines[@]}" -c {}
    run "$target-ar" rcs "$out/lib/lib$library.a" ./*.o
}

describe() { # NAME LIBRARY VERSION CFLAGS PRIVATE-LIBS: its .pc file; relocatable
    cat >"$out/lib/pkgconfig/$1.pc" <<PC
prefix=\${pcfiledir}/../..
Name: $1
Description: $1, static, for Windows
Version: $3
Libs: -L\${prefix}/lib -l$2 $5
Cflags: -I\${prefix}/include $4
PC
}

version_of() { # NAME: upstream's, of the unpacked folder
    basename "$(unpacked "$1")" | sed "s/^$1-//"
}

echo "building libyaml"
cd "$(unpacked libyaml)/src"
version=$(version_of libyaml)
defines=(-I../include -DYAML_DECLARE_STATIC -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2
    -DYAML_VERSION_PATCH=5 "-DYAML_VERSION_STRING=\"$version\"")
archive yaml api.c loader.c parser.c reader.c scanner.c # neither emitter nor writer: we only read
cp ../include/yaml.h "$out/include/"
describe yaml-0.1 yaml "$version" -DYAML_DECLARE_STATIC ''

echo "building zlib"
cd "$(unpacked zlib)"
version=$(version_of zlib)
defines=()
archive z adler32.c compress.c crc32.c deflate.c infback.c inffast.c inflate.c inftrees.c trees.c \
    uncompr.c zutil.c
cp zlib.h zconf.h "$out/include/"
describe zlib z "$version" '' ''

echo "building SQLite"
cd "$(unpacked sqlite3)"
version=$(version_of sqlite3)
mkdir amalgamation
cd amalgamation
run ../configure --disable-tcl --disable-readline
run make -j "$(nproc)" sqlite3.c
mkdir build
cd build
# One connection and one mutex of ours (the journal's rule); what is left out, nobody calls.
defines=(-DSQLITE_THREADSAFE=1 -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_DQS=0
    -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE
    -DSQLITE_OMIT_DECLTYPE -DSQLITE_OMIT_PROGRESS_CALLBACK -DSQLITE_LIKE_DOESNT_MATCH_BLOBS)
archive sqlite3 ../sqlite3.c
cp ../sqlite3.h "$out/include/"
describe sqlite3 sqlite3 "$version" '' ''

echo "building cmocka"
cd "$(unpacked cmocka)/src"
version=$(version_of cmocka)
defines=(-I../include -I.)
cat >config.h <<'H'
#define HAVE_MALLOC_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_IO_H 1
#define HAVE_SIGNAL_H 1
#define HAVE_STRING_H 1
#define HAVE_STRINGS_H 1
#define HAVE_TIME_H 1
#define HAVE_SETJMP_H 1
#define HAVE_STDLIB_H 1
#define HAVE_GCC_THREAD_LOCAL_STORAGE 1
H
defines+=(-DHAVE_CONFIG_H -D_GNU_SOURCE)
archive cmocka cmocka.c
cp ../include/cmocka*.h "$out/include/"
describe cmocka cmocka "$version" '' ''

echo "building libcurl"
cd "$(unpacked curl)"
version=$(version_of curl)
only_http=(-DHTTP_ONLY=ON -DCURL_DISABLE_COOKIES=ON -DCURL_DISABLE_AWS=ON
    -DCURL_DISABLE_ALTSVC=ON -DCURL_DISABLE_HSTS=ON -DCURL_DISABLE_DOH=ON -DCURL_DISABLE_MIME=ON
    -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG=ON -DCURL_DISABLE_GETOPTIONS=ON
    -DCURL_DISABLE_PROGRESS_METER=ON)
no_others=(-DCURL_ZLIB=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF -DUSE_LIBIDN2=OFF
    -DUSE_WIN32_IDN=ON -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF -DCURL_USE_LIBSSH=OFF
    -DCURL_USE_GSSAPI=OFF -DUSE_WIN32_LDAP=OFF -DCURL_USE_OPENSSL=OFF)
run cmake -S . -B build-windows -G Ninja \
    -DCMAKE_TOOLCHAIN_FILE="$(dirname "$recipe")/mingw-w64.cmake" -DSW_WINDOWS_DEPS="$out" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS="$cflags" -DBUILD_SHARED_LIBS=OFF \
    -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DCURL_USE_SCHANNEL=ON -DENABLE_UNICODE=ON \
    -DCURL_TARGET_WINDOWS_VERSION=0x0A00 "${only_http[@]}" "${no_others[@]}"
run cmake --build build-windows
find build-windows -name 'libcurl*.a' -exec cp {} "$out/lib/libcurl.a" \;
mkdir -p "$out/include/curl"
cp include/curl/*.h "$out/include/curl/"
describe libcurl curl "$version" -DCURL_STATICLIB '-lws2_32 -lcrypt32 -lbcrypt -lsecur32 -lnormaliz -ladvapi32'

touch "$out/done"
rm -rf "$prefix"
mv "$out" "$prefix"
link
# What an earlier version left.
find "$folder" -mindepth 1 -maxdepth 1 -type d ! -name "$key" -exec rm -rf {} +
