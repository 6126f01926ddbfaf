"""Counts what a run of `meson test` came to, from its testlog.json: prints "PASSED FAILED".

A program of Check counts as many as it has checks, any other one as one. A program that fails without
a failed check (a sanitizer, a crash, a timeout) counts as one failure, so that none is hidden.
"""
import json
import re
import sys

CHECKS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.M)


def count(test):
    """(passed, failed) of one program."""
    if test["result"] == "SKIP":
        return 0, 0
    lines = [[int(n) for n in line] for line in CHECKS.findall(test.get("stdout") or "")]
    bad = sum(failures + errors for _, failures, errors in lines)
    good = sum(checks for checks, _, _ in lines) - bad
    if test["result"] not in ("OK", "EXPECTEDFAIL"):
        return good, bad or 1
    return (good, bad) if lines else (1, 0)


def main():
    passed = failed = 0
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            good, bad = count(json.loads(line))
            passed, failed = passed + good, failed + bad
    print(passed, failed)


if __name__ == "__main__":
    main()
