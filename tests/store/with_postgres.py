"""Runs a command beside a PostgreSQL of its own: with_postgres.py COMMAND...

The command finds the URL of an empty database in GODWIT_TEST_POSTGRES.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "live"))
from postgres import Postgres  # noqa: E402


def main():
    server = Postgres(settings={"shared_buffers": "64MB", "max_wal_size": "256MB"})
    env = dict(os.environ, GODWIT_TEST_POSTGRES=server.url(more="&sslmode=disable"))
    status = subprocess.run(sys.argv[1:], env=env, check=False).returncode
    if status < 0:
        print("ended by signal %d" % -status)
    if status != 0 and os.environ.get("GODWIT_TEST_POSTGRES_LOG"):
        print(open(os.path.join(server.dir, "log")).read()[-5000:])
    server.close()
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
