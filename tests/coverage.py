#!/usr/bin/env python3
"""Branch coverage by room, by the unit tests and the corpora of the fuzz targets.

usage: coverage.py BUILD-DIR ROOM...

BUILD-DIR is set up with clang's source-based coverage. Builds and runs those test programs, prints one
line per file and room, and each branch that was taken one way only. Branches are those of the source (llvm): every condition of an `if`, `while`, `for`,
`switch` and each operand of && and ||, both ways. A branch that must stay open is named with its
reason in tests/coverage.txt. Exit status 1 if another one is open, or if a named one is not.
"""
import argparse
import collections
import glob
import json
import os
import shutil
import subprocess
import sys

SUITES = ('godwit:unit', 'godwit:fuzz')


def llvm(tool, *args):
    return subprocess.run([f'llvm-{tool}-14', *args], check=True, stdout=subprocess.PIPE).stdout


def test_programs(build):
    """(command, environment) of each test, as the sources say now."""
    subprocess.run(['ninja', '-C', build, '--quiet', 'build.ninja'], check=True,
                   stdout=subprocess.DEVNULL)
    tests = json.loads(subprocess.run(['meson', 'introspect', '--tests', build], check=True,
                                      stdout=subprocess.PIPE).stdout)
    return [(t['cmd'], t['env']) for t in tests if set(t['suite']) & set(SUITES)]


def run_tests(build, programs):
    """Runs them all; the name of one that failed ends the program."""
    shutil.rmtree(f'{build}/profiles', ignore_errors=True)
    for i, (command, env) in enumerate(programs):
        profile = os.path.abspath(f'{build}/profiles/{i}.profraw')
        done = subprocess.run(command, env={**os.environ, **env, 'LLVM_PROFILE_FILE': profile},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            sys.stdout.buffer.write(done.stdout[-4000:])
            sys.exit(f'{command[0]}: failed')


def exported(build):
    """What llvm-cov knows of all files that the test programs were made of."""
    programs = test_programs(build)
    targets = [os.path.relpath(command[0], os.path.abspath(build)) for command, _ in programs]
    if subprocess.run(['ninja', '-C', build, '--quiet', *targets]).returncode:
        sys.exit(f'{build}: the test programs cannot be built')
    run_tests(build, programs)
    data = f'{build}/coverage.profdata'
    llvm('profdata', 'merge', '-sparse', '-o', data, *glob.glob(f'{build}/profiles/*.profraw'))
    objects = [a for command, _ in programs[1:] for a in ('-object', command[0])]
    return json.loads(llvm('cov', 'export', f'-instr-profile={data}', programs[0][0][0], *objects))['data'][0]['files']


def branches(entry):
    """(line, column) -> [times true, times false], summed over all programs and expansions."""
    found = collections.OrderedDict()
    for line, column, _, _, true, false, *_ in entry.get('branches', []):
        counts = found.setdefault((line, column), [0, 0])
        counts[0] += true
        counts[1] += false
    return found


def excused(path):
    """file:text-of-the-line -> reason, of tests/coverage.txt."""
    with open(path, encoding='utf-8') as f:
        rows = [row.rstrip('\n').split('\t') for row in f if row.strip() and not row.startswith('#')]
    for row in rows:
        if len(row) != 3 or not row[2]:
            sys.exit(f'{path}: not "file<TAB>line of source<TAB>reason": {row}')
    return {(file, text): reason for file, text, reason in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build')
    parser.add_argument('rooms', nargs='+')
    args = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    reasons = excused(os.path.join(root, 'tests/coverage.txt'))
    used, rooms, bad = set(), collections.OrderedDict((room, [0, 0]) for room in args.rooms), 0

    for entry in sorted(exported(args.build), key=lambda e: e['filename']):
        name = os.path.relpath(os.path.realpath(os.path.join(args.build, entry['filename'])), root)
        room = name.split('/')[0]
        if room not in rooms:
            continue
        with open(os.path.join(root, name), encoding='utf-8') as f:
            source = f.read().split('\n')
        taken = total = 0
        for (line, column), (true, false) in branches(entry).items():
            total += 2
            taken += bool(true) + bool(false)
            if true and false:
                continue
            text = source[line - 1].strip()
            key = (name, text)
            if key in reasons:
                used.add(key)
                total -= 2 - bool(true) - bool(false)
                continue
            bad += 1
            never = 'neither way' if not true and not false else 'never true' if not true else 'never false'
            print(f'{name}:{line}:{column}: {never}: {text}')
        rooms[room][0] += taken
        rooms[room][1] += total
        if total:
            print(f'{name:40} {taken:5} of {total:5} branches')
    for key in reasons:
        if key[0].split('/')[0] in rooms and key not in used:
            bad += 1
            print(f'tests/coverage.txt: {key[0]}: this line is covered or gone: {key[1]}')
    for room, (taken, total) in rooms.items():
        if not total:
            print(f'{room}: no branches seen')
            bad += 1
        else:
            print(f'{room:12} {100 * taken / total:6.2f} % of {total} branches')
    return bad > 0


if __name__ == '__main__':
    sys.exit(main())
