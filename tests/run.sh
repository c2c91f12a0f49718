#!/bin/bash
# Installs what the tests need, builds, runs everything, and counts.
#
#   tests/run.sh              all: gcc, clang, sanitizers, real servers, crashes
#   tests/run.sh NAME…        the tests whose names match (unit.diff, fuzz, test_samba.py, kill …)
#   tests/run.sh --list       the names
#
# Ends with one line: N passed, N failed, N skipped. Exit status 0 when none failed. Reports of
# skipped tests say why. Builds go to build/, nothing else in the tree is written to.
set -uo pipefail
cd "$(dirname "$0")/.."

packaging/build-deps.sh test || exit 1

passed=0
failed=0
skipped=0
failures=()
results=$(mktemp -d "${TMPDIR:-/tmp}/sharewatch-tests.XXXXXX")
builder=
trap '[ -z "$builder" ] || kill "$builder" 2>/dev/null; rm -rf "$results"' EXIT
jobs=$(nproc)

say() { printf '\n== %s\n' "$*"; }

fail() {
    failed=$((failed + 1))
    failures+=("$1")
}

build() { # PRESET
    local log="$results/build-$1.log"
    if cmake --preset "$1" >"$log" 2>&1 && cmake --build --preset "$1" -j "$jobs" >>"$log" 2>&1; then
        echo "built: $1"
        return 0
    fi
    grep -E 'error|warning|FAILED' "$log" | head -n 30
    tail -n 5 "$log"
    fail "build $1"
    return 1
}

# Builds presets one after another while tests run that mostly wait for servers and clocks.
build_ahead() { # PRESET…
    local preset
    renice -n 10 "$BASHPID" >/dev/null
    for preset in "$@"; do
        build "$preset" >"$results/ahead-$preset.part"
        mv "$results/ahead-$preset.part" "$results/ahead-$preset"
    done
}

# Waits for one of them.
built() { # PRESET
    until [ -e "$results/ahead-$1" ]; do
        kill -0 "$builder" 2>/dev/null || [ -e "$results/ahead-$1" ] || break
        sleep 0.2
    done
    cat "$results/ahead-$1"
    grep -q "^built: $1\$" "$results/ahead-$1" || {
        fail "build $1"
        return 1
    }
}

# Adds the counts of a JUnit file to ours.
count_junit() { # FILE NAME
    local counts
    if ! counts=$(/usr/bin/python3 - "$1" <<'PY'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
cases = list(root.iter("testcase"))
def is_bad(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return True
    # ctest says "not run" of a program that is not there, too.
    why = case.find("skipped")
    return case.get("status") == "notrun" and (why is None or not why.get("message", "").startswith("SKIP_"))
bad = [c for c in cases if is_bad(c)]
skip = [c for c in cases if c not in bad and (c.find("skipped") is not None or c.get("status") in ("notrun", "disabled"))]
print(len(cases) - len(bad) - len(skip), len(bad), len(skip))
for case in bad:
    print("failed: %s %s" % (case.get("classname"), case.get("name")))
for case in skip:
    print("skipped: %s: %s" % (case.get("name"), (case.find("skipped").get("message") if case.find("skipped") is not None else "") or "see its output"))
PY
    ); then
        fail "$2 (no report)"
        return
    fi
    local p f s
    read -r p f s <<<"$counts"
    tail -n +2 <<<"$counts"
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + s))
    [ "$f" -eq 0 ] || failures+=("$2")
    if [ $((p + f + s)) -eq 0 ] && [ -z "${pattern:-}" ]; then
        fail "$2 (ran no test)"
    fi
}

run_ctest() { # PRESET [CTEST OPTIONS…]
    local preset=$1
    shift
    say "$preset: programs"
    ctest --preset "$preset" -j "$jobs" --output-junit "$results/$preset.xml" "$@" \
        >"$results/$preset.log" 2>&1 || true
    grep -E 'tests passed|tests failed|No tests' "$results/$preset.log" || true
    if grep -q '\*\*\*' "$results/$preset.log"; then
        sed -n '/The following tests FAILED/,$p' "$results/$preset.log"
        grep -B5 -A25 -E '\[  FAILED  \]|ERROR: |SUMMARY: |Assertion|runtime error' "$results/$preset.log" | head -n 150
    fi
    count_junit "$results/$preset.xml" "$preset programs"
}

run_pytest() { # PRESET SUITE-NAME [PYTEST ARGUMENTS…]
    local preset=$1 name=$2
    shift 2
    say "$preset: $name"
    SHAREWATCH="$PWD/build/$preset/agent/sharewatch" SHAREWATCH_BUILD="$PWD/build/$preset" \
        PYTHONDONTWRITEBYTECODE=1 \
        /usr/bin/python3 -m pytest -q -p no:cacheprovider --junitxml "$results/$preset-$name.xml" "$@" 2>&1 |
        tail -n 60
    count_junit "$results/$preset-$name.xml" "$preset $name"
}

if [ "${1:-}" = --list ]; then
    build dev || exit 1
    ctest --preset dev -N | sed -n 's/^ *Test *#[0-9]*: //p'
    /usr/bin/python3 -m pytest -q -p no:cacheprovider --collect-only tests/replay tests/integration tests/crash tests/packaging 2>/dev/null |
        grep :: || true
    exit 0
fi

if [ $# -gt 0 ]; then
    build dev || exit 1
    for pattern in "$@"; do
        case $pattern in
            *::*) run_pytest dev named "$pattern" ;; # as --list shows it
            *)
                run_ctest dev -R "$pattern"
                run_pytest dev named tests/replay tests/integration tests/crash tests/packaging -k "${pattern%.py}"
                ;;
        esac
    done
    if [ $((passed + failed + skipped)) -eq 0 ]; then
        echo "no test is named '$*'; tests/run.sh --list shows all"
        failed=1
    fi
else
    started=$SECONDS
    say "building"
    if build dev; then
        build_ahead clang asan tsan fuzz &
        builder=$!
        run_ctest dev
        run_pytest dev replay tests/replay
        run_pytest dev integration tests/integration
        run_pytest dev crash tests/crash
        run_pytest dev packaging tests/packaging
        built clang && SW_PROPERTY_LOOKS=1000000 run_ctest clang
        built asan && {
            run_ctest asan
            run_pytest asan replay tests/replay
            run_pytest asan integration tests/integration
            SHAREWATCH_KILLS=20 SHAREWATCH_FAULT_STRIDE=3 run_pytest asan crash tests/crash
        }
        built tsan && {
            run_ctest tsan
            run_pytest tsan replay tests/replay
        }
        built fuzz
    fi
    echo
    echo "took $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
fi

for name in "${failures[@]+"${failures[@]}"}"; do
    echo "FAILED: $name"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
