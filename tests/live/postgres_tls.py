"""The server on PostgreSQL over TLS, with a certificate authority that lives as long as the test: who is
trusted, what is refused at the start and how, that the server notices a client that is gone. And the
password of the URL: never told, whatever fails."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from godwit import Server, free_port
from postgres import Postgres
from tls import PROGRAM, Authority, log_of, wait_for

PASSWORD = "hush/7f3a b19c"  # has to be escaped in a URL


def url_of(database, password=PASSWORD, host="localhost", **more):
    """Over TCP, by name: hostaddr says where it is, host who it must be."""
    query = dict(hostaddr="127.0.0.1", connect_timeout="5", **more)
    return "postgresql://godwit:%s@%s:%d/net?%s" % (
        urllib.parse.quote(password, safe=""), host, database.port, urllib.parse.urlencode(query))


def told(text):
    """Whether a text holds the password, as it is or as the URL has it."""
    return any(form in text for form in (PASSWORD, urllib.parse.quote(PASSWORD, safe=""),
                                         urllib.parse.quote_plus(PASSWORD)))


def environment(url):
    return {"GODWIT_DATABASE_URL": url, "GODWIT_LOG_LEVEL": "debug"}


def refused(folder, url, *reasons):
    """`serve` ends with 1 at once and says why; so do the commands that open the store."""
    env = dict(os.environ, **environment(url))
    data = ["--data-dir", os.path.join(folder, "refused")]
    began = time.monotonic()
    done = subprocess.run([PROGRAM, "serve", *data, "--http", "127.0.0.1:%d" % free_port(), "--udp",
                           "127.0.0.1:%d" % free_port(socket.SOCK_DGRAM)], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    out = done.stdout + done.stderr
    assert done.returncode == 1, (done.returncode, out)
    assert time.monotonic() - began < 10, "it took its time to end"
    assert "Godwit is ready" not in out and "database" in done.stderr, out
    assert any(reason in done.stderr for reason in reasons), (reasons, out)
    assert not told(out), "the password is told"
    assert not os.path.exists(os.path.join(folder, "refused", "master-key")), \
        "a key was made for a database that nobody has seen"
    for command in (["migrate", "--status"], ["restore", "--counters"], ["backup", "nowhere"],
                    ["check-config"]):
        if command != ["check-config"]:
            command = [*command, *data]
        done = subprocess.run([PROGRAM, *command], env=env, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        assert not told(done.stdout), (command, "the password is told")


def without_tls(folder, database):
    refused(folder, url_of(database, sslmode="require"), "does not support SSL")
    refused(folder, url_of(database, sslmode="disable"), "pg_hba.conf", "no encryption")


def give_certificate(database, folder):
    """Its key must be the user's that the server runs as, and nobody else's."""
    for name in ("cert", "key"):
        to = os.path.join(database.dir, name)
        shutil.copyfile(os.path.join(folder, name), to)
        os.chmod(to, 0o600)
        if database.user:
            os.chown(to, database.user["user"], database.user["group"])
    database.settings.update(ssl="on", ssl_cert_file=os.path.join(database.dir, "cert"),
                             ssl_key_file=os.path.join(database.dir, "key"))
    database.stop()
    database.start()


def strangers(folder, database, ca):
    other = os.path.join(folder, "other")
    os.mkdir(other)
    wrong = Authority(other).ca
    full = {"sslmode": "verify-full", "sslrootcert": ca}
    refused(folder, url_of(database, **dict(full, sslrootcert=wrong)), "certificate verify failed")
    refused(folder, url_of(database, sslmode="verify-ca", sslrootcert=wrong), "certificate verify failed")
    refused(folder, url_of(database, host="db.example", **full), "does not match host name")
    missing = os.path.join(folder, "missing")
    refused(folder, url_of(database, **dict(full, sslrootcert=missing)), missing)
    refused(folder, url_of(database, PASSWORD + "!", **full), "password authentication failed")
    refused(folder, url_of(database, nonsense="1", **full), "cannot be read as a PostgreSQL URL")


def sessions(database):
    return database.sql("SELECT count(*), count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE version "
                        "IN ('TLSv1.2', 'TLSv1.3')) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) "
                        "WHERE application_name LIKE 'godwit%' AND usename = 'godwit'").split("|")


def watch_settings(database):
    """Has the next API write note what its session is set to."""
    database.sql("""CREATE TABLE seen (name text, value text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO seen SELECT name, setting FROM pg_settings;
            RETURN NULL; END $$;
        GRANT ALL ON seen TO godwit;
        CREATE TRIGGER note AFTER INSERT ON application EXECUTE FUNCTION note()""", "net")


def works(database, server):
    server.start()
    all_of_them, with_tls, recent = sessions(database)
    assert int(all_of_them) >= 2 and all_of_them == with_tls == recent, sessions(database)
    watch_settings(database)
    tenant = next(server.pages("/tenants"))["id"]
    status, body = server.api("POST", "/applications", {"tenantId": tenant, "name": "a"})
    assert status == 201, body
    seen = dict(line.split("|") for line in database.sql("SELECT * FROM seen", "net").splitlines())
    # A machine that is gone must not hold the lock of the database for hours.
    for name, most in (("tcp_keepalives_idle", 10), ("tcp_keepalives_interval", 5),
                       ("tcp_keepalives_count", 3), ("tcp_user_timeout", 15000),
                       ("statement_timeout", 10000), ("lock_timeout", 2000),
                       ("idle_in_transaction_session_timeout", 30000)):
        assert 0 < int(seen[name]) <= most, (name, seen[name])
    assert seen["synchronous_commit"] == "on"


def everything_told(server):
    """All that a person or a monitor gets to see of a running server."""
    seen = log_of(server)
    for path in ("/", "/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "/api/v1/audit",
                 "/api/v1/status", "/api/v1/tenants"):
        seen += str(server.request("GET", path)[1])
    with open("/proc/%d/cmdline" % server.process.pid) as file:
        seen += file.read()
    return seen


def changed_password(database, server):
    """Sessions end and the password is no longer good: away, with the reason and without the password;
    then as before."""
    assert not told(everything_told(server))
    database.sql("ALTER ROLE godwit PASSWORD 'another'")
    database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'godwit'")
    wait_for("503 of /readyz", lambda: server.request("GET", "/readyz", key=None)[0] == 503)
    status, body = server.api("GET", "/tenants")
    assert status == 503 and not told(str(body)), (status, body)
    assert log_of(server).count("password authentication failed") == 1, "the log has the reason once"
    assert not told(everything_told(server))
    database.sql("ALTER ROLE godwit PASSWORD '%s'" % PASSWORD)
    wait_for("readiness", lambda: server.request("GET", "/readyz", key=None)[0] == 200)
    wait_for("readers", lambda: server.api("GET", "/tenants")[0] == 200)
    all_of_them, with_tls, _ = sessions(database)
    assert all_of_them == with_tls, "it came back without TLS"
    assert not told(everything_told(server))
    status, seconds = server.stop()
    assert status == 0 and seconds < 6, (status, seconds)
    assert not told(log_of(server))


def main():
    database = Postgres(settings={"shared_buffers": "32MB"}, tcp=True)
    database.sql("CREATE ROLE godwit LOGIN PASSWORD '%s'" % PASSWORD)
    database.sql("CREATE DATABASE net OWNER godwit")
    with open(os.path.join(database.data, "pg_hba.conf"), "w") as file:
        file.write("local all postgres trust\nhostssl net godwit 127.0.0.1/32 scram-sha-256\n")
    database.sql("SELECT pg_reload_conf()")
    with tempfile.TemporaryDirectory(prefix="godwit-tls-") as folder:
        authority = Authority(folder)
        authority.issue(1)
        without_tls(folder, database)
        give_certificate(database, folder)
        ca = authority.ca
        strangers(folder, database, ca)
        server = Server(PROGRAM, env=environment(url_of(database, sslmode="verify-full", sslrootcert=ca)))
        works(database, server)
        changed_password(database, server)
    database.close()
    print("PostgreSQL over TLS works, and the password is not told")


if __name__ == "__main__":
    sys.exit(main())
