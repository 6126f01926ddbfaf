"""The server on PostgreSQL as an operator meets it: a table that somebody locks, two servers on one
database, one that was killed while it wrote, a database put back from a dump. Each part may be run alone:

    postgres_server.py [locked|one_server|restored]...
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from faults import away, drops, end, ready, seeded, wait_for
from godwit import KEY, Server
from postgres import Postgres, binaries

PROGRAM = os.path.abspath(os.environ["GODWIT_PROGRAM"])
JOIN_SEED, JOINERS = 12, 5
JUMP = 4096  # of down counters and JoinNonces


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


# ---- restore -----------------------------------------------------------------------------------------


class Devices:
    """Devices of the simulator that join and go on over all that happens to the server."""

    def __init__(self, server, seconds):
        self.process = subprocess.Popen(
            [PROGRAM, "simulate", "--server", "127.0.0.1:%d" % server.udp, "--devices", str(JOINERS),
             "--gateways", "3", "--seed", str(JOIN_SEED), "--url", server.url, "--key", KEY,
             "--provision", "--duration", str(seconds), "--rate", str(JOINERS), "--confirmed", "1",
             "--json"], text=True, stdout=subprocess.PIPE)

    def report(self):
        return json.loads(self.process.communicate()[0])


def personalised(server):
    """A device that was answered five times so far."""
    like = next(server.pages("/devices"))
    eui = "70b3d57ed0000001"
    assert server.api("POST", "/devices", {
        "devEui": eui, "name": "abp", "applicationId": like["applicationId"],
        "deviceProfileId": like["deviceProfileId"]})[0] == 201
    session = {"devAddr": "01020304", "nwkSKey": "11" * 16, "appSKey": "22" * 16, "fCntUp": 9,
               "fCntDown": 5}
    assert server.api("PUT", "/devices/%s/activation" % eui, session)[0] == 200


def down_counters(server):
    counters = {}
    for device in server.pages("/devices"):
        status, session = server.api("GET", "/devices/%s/activation" % device["devEui"])
        if status == 200:
            counters[device["devEui"]] = session["fCntDown"]
    return counters


def nonces(database, name):
    rows = database.sql("SELECT dev_eui, join_nonce FROM join_state", name).splitlines()
    return {eui: int(nonce) for eui, nonce in (row.split("|") for row in rows)}


def tool(database, name, *args):
    subprocess.run([os.path.join(binaries(), name), "-h", database.dir, "-p", str(database.port), "-U",
                    "postgres", *args], check=True)


def is_told(data, dump):
    """While the server runs, and what it does not do itself."""
    assert "stop it first" in run("restore", "--counters", "--data-dir", data, status=1)
    assert "pg_dump" in run("backup", dump + ".db", "--data-dir", data, status=1)
    assert not os.path.exists(dump + ".db")


def put_back(database, data, dump, then):
    tool(database, "pg_restore", "-d", "after", dump)
    use(database, "after")
    assert "pg_restore" in run("restore", dump, "--data-dir", data, status=1)
    assert "another master key" in run("restore", "--counters", "--data-dir", data, status=1,
                                       env={"GODWIT_MASTER_KEY": "22" * 32})
    assert nonces(database, "after") == then, "a restore that was refused changed the store"
    out = run("restore", "--counters", "--data-dir", data)
    assert "%d sessions moved on by %d" % (JOINERS + 1, JUMP) in out, out
    assert nonces(database, "after") == {eui: n + JUMP for eui, n in then.items()}


def restored(database):
    """pg_dump while devices have joined and not spoken yet, pg_restore, `restore --counters`: no device
    sees a counter twice, in the sessions that the dump has."""
    use(database, "before")
    server, _ = start(None)
    dump = os.path.join(server.data_dir, "dump")
    devices = Devices(server, 14)
    wait_for("joins", 10, lambda: len(nonces(database, "before")) == JOINERS)
    personalised(server)
    then = nonces(database, "before")
    tool(database, "pg_dump", "-Fc", "-f", dump, "before")
    wait_for("answers", 15, lambda: sorted(down_counters(server).values())[JOINERS - 1] >= 2)
    used = down_counters(server)
    is_told(server.data_dir, dump)
    end(server)
    put_back(database, server.data_dir, dump, then)
    server.env.update(GODWIT_DATABASE_URL=database.url("after"))
    server.start()
    assert server.api("GET", "/devices/70b3d57ed0000001/activation")[1]["fCntDown"] == 5 + JUMP
    report = devices.report()
    assert report["verdictsBad"] == 0 and report["joined"] == JOINERS, report
    now = down_counters(server)
    assert len(used) == len(now) == JOINERS + 1 and min(now.values()) > JUMP, (used, now)
    end(server)
    return "%d sessions moved on, the devices went along" % len(now)


def main():
    database = Postgres(settings={"shared_buffers": "64MB"})
    for name in ("locked", "two", "before", "after"):
        database.sql("CREATE DATABASE " + name)
    for part in (locked, one_server, restored):
        if sys.argv[1:] and part.__name__ not in sys.argv[1:]:
            continue
        began = time.monotonic()
        print("%-10s %s (%.0f s)" % (part.__name__ + ":", part(database), time.monotonic() - began), flush=True)
    database.close()


if __name__ == "__main__":
    sys.exit(main())
