"""The server on PostgreSQL as an operator meets it: a table that somebody locks, two servers on one
database, one that was killed while it wrote. Each part may be run alone:

    postgres_server.py [locked|one_server]...
"""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from faults import away, drops, end, ready, seeded, wait_for
from godwit import Server
from postgres import Postgres, binaries

PROGRAM = os.path.abspath(os.environ["GODWIT_PROGRAM"])


def run(*args, status=0, env=None):
    done = subprocess.run([PROGRAM, *args], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, **(env or {})), timeout=60)
    assert done.returncode == status, (args, done.returncode, done.stdout)
    return done.stdout


class Session:
    """Another client of the database, in the middle of a transaction."""

    def __init__(self, database, name, text):
        self.process = subprocess.Popen(
            [os.path.join(binaries(), "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", database.url(name)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write("BEGIN; %s; SELECT 'begun';\n" % text)
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "begun\n"

    def end(self):
        self.process.communicate("ROLLBACK;\n", timeout=20)
        assert self.process.returncode == 0


def use(database, name):
    """All that is started from now on has this database."""
    os.environ["GODWIT_DATABASE_URL"] = database.url(name)


def start(data):
    server = Server(PROGRAM, data_dir=data)
    return server, server.start()


# ---- locks -------------------------------------------------------------------------------------------


class Args:
    seconds = 2


def locked(database):
    """Somebody holds the table that each frame changes; then one that only the API reads."""
    use(database, "locked")
    data = seeded()
    server, _ = start(data)
    held = []
    back = away(server, Args, lambda: held.append(Session(
        database, "locked", "LOCK TABLE device_state IN ACCESS EXCLUSIVE MODE")), lambda: held[0].end())
    with open(server.log, errors="replace") as file:
        assert "canceling statement due to lock timeout" in file.read(), "the log has the reason"
    reader = Session(database, "locked", "LOCK TABLE device_profile IN ACCESS EXCLUSIVE MODE")
    began = time.monotonic()
    status, body = server.api("GET", "/device-profiles")
    assert status == 503 and time.monotonic() - began < 5, (status, body)
    assert ready(server)[0] == 200, "what can be written is not away"
    reader.end()
    status, body = server.api("GET", "/device-profiles")
    assert status == 200, body
    assert drops(server, "store_away") == 0
    end(server)
    return "seen, and over %.1f s after it let go" % back


# ---- two servers -------------------------------------------------------------------------------------


def second_is_refused(data):
    began = time.monotonic()
    out = run("serve", "--data-dir", data, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", status=1)
    assert "another godwit uses this store" in out and "Godwit is ready" not in out, out
    assert time.monotonic() - began < 8, "it took its time to end"
    assert "another godwit uses this store" in run("restore", "--counters", "--data-dir", data, status=1)


def killed_while_writing(database, first):
    """A statement takes long; the server dies. Its session must not outlive it for long."""
    tenant = next(first.pages("/tenants"))["id"]
    database.sql("""CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
        CREATE TRIGGER slow BEFORE INSERT ON application FOR EACH ROW EXECUTE FUNCTION slow()""", "two")
    sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = 'two'"

    def write():
        try:
            first.api("POST", "/applications", {"tenantId": tenant, "name": "lost"})
        except OSError:
            pass  # it dies under this request

    writer = threading.Thread(target=write)
    writer.start()
    wait_for("a write that takes long", 5, lambda: database.sql(sleeps) != "0")
    first.kill()
    writer.join()


def one_server(database):
    """Two machines, each with its own folder and the same master key."""
    use(database, "two")
    first, _ = start(tempfile.mkdtemp(prefix="godwit-live-"))
    other = tempfile.mkdtemp(prefix="godwit-live-")
    shutil.copy(os.path.join(first.data_dir, "master-key"), other)
    second_is_refused(other)
    assert ready(first)[0] == 200
    killed_while_writing(database, first)
    second, seconds = start(other)
    assert seconds < 5, seconds
    assert not any(a["name"] == "lost" for a in second.pages("/applications"))
    second_is_refused(first.data_dir)
    second.kill()
    first, again = start(first.data_dir)
    assert again < 5, again
    end(first)
    return "refused; after kill -9 the other started in %.1f and %.1f s" % (seconds, again)


def main():
    database = Postgres(settings={"shared_buffers": "64MB"})
    for name in ("locked", "two"):
        database.sql("CREATE DATABASE " + name)
    for part in (locked, one_server):
        if sys.argv[1:] and part.__name__ not in sys.argv[1:]:
            continue
        began = time.monotonic()
        print("%-10s %s (%.0f s)" % (part.__name__ + ":", part(database), time.monotonic() - began), flush=True)
    database.close()


if __name__ == "__main__":
    sys.exit(main())
