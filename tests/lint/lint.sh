#!/usr/bin/env bash
# Lints that need no compiler: include directions, format, banned functions, names reached by tests.
set -u
cd "${GODWIT_SOURCE:-$(dirname "$0")/../..}" || exit 1
bad=0
files=$(git ls-files -co --exclude-standard '*.[ch]' 2>/dev/null) ||
    files=$(find . -path './build*' -prune -o -name '*.[ch]' -print | sed 's|^\./||')
say() { bad=1; printf '%s\n' "$*"; }

# shellcheck disable=SC2086
awk -f tests/lint/layers.awk tests/lint/layers.txt $files || bad=1

format=clang-format-14 # another version formats differently
command -v $format >/dev/null || say "$format is missing"
# shellcheck disable=SC2086
$format --dry-run -Werror $files 2>&1 | grep -E '^[^ ]+: error' | cut -d: -f1 | sort -u |
    sed 's/$/: is not formatted (.\/dev fmt)/' | grep . && bad=1

# Unsafe or unportable calls; memory that does not come from core/arena.
sources=$(printf '%s\n' $files | grep -v '^tests/')
# shellcheck disable=SC2086
grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gmtime|localtime|rand|srand|gets|alloca)\(' \
    $sources && say "a banned function"
# shellcheck disable=SC2086
grep -nE '(^|[^_a-z])(malloc|calloc|realloc|strdup|strndup)\(' $(printf '%s\n' $sources | grep -v '^core/arena.c$') &&
    say "memory other than by core/arena"
# shellcheck disable=SC2086
grep -nE '\b(time|gettimeofday|clock_gettime)\(' $(printf '%s\n' $sources | grep -v '^core/clock.c$') &&
    say "time other than by core/clock"

# Every error is expected by a test.
for error in $(grep -oE 'X\(ERR_[A-Z0-9_]+' core/err.h | cut -c3-); do
    grep -rqE "\\b$error\\b" tests --include='*.c' || say "$error: no test reaches it"
done
# Every drop reason is reached by a test, except those that need a fault no test can cause.
for reason in $(grep -oE 'X\(DROP_[A-Z0-9_]+' lorawan/drop.h | cut -c3-); do
    grep -qx "$reason" tests/lint/drops_untested.txt && continue
    grep -rqE "\\b$reason\\b" tests --include='*.c' || say "$reason: no test reaches it"
done
# Every `while` is an exception that is true: a listed reason that a test reaches must leave the list.
while read -r reason; do
    case $reason in '' | '#'*) continue ;; esac
    grep -rqE "\\b$reason\\b" tests --include='*.c' && say "$reason: is tested; take it off the list"
done <tests/lint/drops_untested.txt

if [ -n "${GODWIT_PROGRAM:-}" ] && [ -x "$GODWIT_PROGRAM" ]; then
    "$GODWIT_PROGRAM" check-config --reference | cmp -s - deploy/godwit.yaml ||
        say "deploy/godwit.yaml is stale: godwit check-config --reference > deploy/godwit.yaml"
    "$GODWIT_PROGRAM" regions | cmp -s - docs/reference/regions.md ||
        say "docs/reference/regions.md is stale: godwit regions > docs/reference/regions.md"
fi
exit $bad
