#!/bin/sh
# Measures speed and size, each beside a floor or a peer of the same run. Prints a table; nothing
# passes or fails. On a machine that does other work the ratios hold better than the figures.
#
#   tests/bench/run.sh [diff] [pipeline] [idle] [samba] [udp] [https] [latency] [sinks]
#                          all without a name
set -eu
cd "$(dirname "$0")/../.."
packaging/build-deps.sh bench
cmake --preset bench >/dev/null
cmake --build --preset bench --target sharewatch bench_diff bench_sqlite_floor bench_datagrams >/dev/null
exec /usr/bin/python3 tests/bench/bench.py build/bench "$@"
