"""The program's subcommands as a person runs them: exit statuses, messages, backup and restore."""
import json
import os
import subprocess
import sys
import tempfile

from godwit import Server

PROGRAM = os.path.abspath(os.environ["GODWIT_PROGRAM"])
SOURCE = os.environ["GODWIT_SOURCE"]


def run(*args, status=0, stdin=None, env=None):
    done = subprocess.run([PROGRAM, *args], text=True, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})), timeout=120)
    assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def arguments():
    assert "serve" in run("help")
    assert "usage" in run(status=2)
    assert "usage" in run("serve", "--help")
    run("nonsense", status=2)
    run("serve", "--nonsense", status=2)
    for later in ("rotate-key", "import", "export", "settle", "doctor"):
        assert "not in this version" in run(later, status=2)
    assert run("version").startswith("godwit 0.1.0")
    assert "DevStatusAns" in run("decode", "80040302010300000673070ae264d4f7e117d2c0")
    run("decode", "zz", status=1)
    run("decode", status=2)


def configuration():
    good = os.path.join(SOURCE, "deploy", "godwit.yaml")
    run("check-config", "-c", good)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("network:\n  regions: [EU868, MARS]\nlog:\n  level: loud\nx: &a 1\n")
        file.flush()
        out = run("check-config", "-c", file.name, status=1)
        assert file.name + ":5:" in out and "Godwit is ready" not in out, out
        assert run("serve", "-c", file.name, status=1)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("network:\n  regions: [EU868, MARS]\nlog:\n  level: loud\ny: 1\n")
        file.flush()
        out = run("check-config", "-c", file.name, status=1)
        assert ":4: log.level" in out and ":5: y" in out, out
    run("check-config", "-c", "/nonexistent.yaml", status=1)
    run("serve", status=1, env={"GODWIT_ADMIN_API_KEY": "short"})


def one_server():
    server = Server(PROGRAM)
    server.start()
    data = ["--data-dir", server.data_dir]
    assert "is held" in run("serve", *data, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", status=1)
    assert oct(os.stat(server.data_dir + "/admin-password").st_mode)[-3:] == "600"
    assert oct(os.stat(server.data_dir + "/master-key").st_mode)[-3:] == "600"
    # Keys through the running server.
    key = run("apikey", "create", "--name", "k", "--scope", "tenants:read", *data).strip()
    assert server.api("GET", "/tenants", key=key)[0] == 200
    assert server.api("GET", "/gateways", key=key)[0] == 403
    assert "scope" in run("apikey", "create", "--name", "k", "--scope", "nonsense", *data, status=1)
    run("user", "set-password", "admin@localhost", *data, stdin="a new password 1\n")
    login = {"email": "admin@localhost", "password": "a new password 1"}
    status, token = server.api("POST", "/login", login, key=None)
    assert status == 200, token
    assert server.api("GET", "/users", key=token["token"])[0] == 200
    run("user", "set-password", "nobody@localhost", *data, stdin="a new password 1\n", status=1)
    # A copy while it runs; changes after it are not in it.
    tenant = next(server.pages("/tenants"))["id"]
    status, before = server.api("POST", "/applications", {"tenantId": tenant, "name": "before"})
    assert status == 201, before
    copy = server.data_dir + "-copy.db"
    run("backup", copy, *data)
    run("backup", copy, *data, status=1)
    status, after = server.api("POST", "/applications", {"tenantId": tenant, "name": "after"})
    assert status == 201
    run("restore", copy, *data, status=1)  # not while a server runs
    assert server.stop()[0] == 0
    return server, data, copy, before["id"], after["id"]


def restore(server, data, copy, before, after):
    run("restore", "--verify", copy, *data)
    with tempfile.NamedTemporaryFile(suffix=".db") as junk:
        junk.write(b"no database" * 1000)
        junk.flush()
        run("restore", "--verify", junk.name, *data, status=1)
        run("restore", junk.name, *data, status=1)
    assert "another master key" in run("restore", "--verify", copy, *data, status=1,
                                       env={"GODWIT_MASTER_KEY": "11" * 32})
    run("restore", copy, *data)
    server.start()
    assert server.api("GET", "/applications/" + before)[0] == 200
    assert server.api("GET", "/applications/" + after)[0] == 404
    assert server.stop()[0] == 0


def without_server(server, data):
    key = run("apikey", "create", "--name", "offline", "--admin", *data).strip()
    run("user", "set-password", "admin@localhost", *data, stdin="another password\n")
    run("user", "set-password", "nobody@localhost", *data, stdin="another password\n", status=1)
    run("apikey", "create", "--name", "x", *data, status=1)  # neither admin nor a scope
    assert "schema 1" in run("migrate", "--status", *data)
    run("migrate", *data)
    # A wrong or missing master key for an existing store: nothing is served, nothing written.
    size = os.path.getsize(server.data_dir + "/godwit.db")
    run("serve", *data, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", status=1,
        env={"GODWIT_MASTER_KEY": "22" * 32})
    os.rename(server.data_dir + "/master-key", server.data_dir + "/kept")
    run("serve", *data, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", status=1)
    assert not os.path.exists(server.data_dir + "/master-key"), "a lost key was papered over"
    os.rename(server.data_dir + "/kept", server.data_dir + "/master-key")
    assert os.path.getsize(server.data_dir + "/godwit.db") == size
    server.start()
    assert server.api("GET", "/users", key=key)[0] == 200
    login = {"email": "admin@localhost", "password": "another password"}
    assert server.api("POST", "/login", login, key=None)[0] == 200
    assert "--key" in run("events", status=2, env={"GODWIT_API_KEY": ""})
    run("events", "--url", server.url, "--key", key, "--device", "0102030405060708", status=1)
    assert server.stop()[0] == 0


def down_counters_move_on():
    """A restored store must not repeat a downlink counter."""
    server = Server(PROGRAM)
    server.start()
    tenant = next(server.pages("/tenants"))["id"]
    app = server.api("POST", "/applications", {"tenantId": tenant, "name": "a"})[1]["id"]
    profile = server.api("POST", "/device-profiles", {
        "tenantId": tenant, "name": "p", "region": "EU868", "macVersion": "1.0.3"})[1]["id"]
    eui = "70b3d57ed0000001"
    assert server.api("POST", "/devices", {"devEui": eui, "name": "d", "applicationId": app,
                                           "deviceProfileId": profile})[0] == 201
    session = {"devAddr": "01020304", "nwkSKey": "11" * 16, "appSKey": "22" * 16, "fCntUp": 9,
               "fCntDown": 5}
    assert server.api("PUT", "/devices/%s/activation" % eui, session)[0] == 200
    copy = server.data_dir + "-copy.db"
    run("backup", copy, "--data-dir", server.data_dir)
    assert server.stop()[0] == 0
    run("restore", copy, "--data-dir", server.data_dir)
    server.start()
    status, now = server.api("GET", "/devices/%s/activation" % eui)
    assert status == 200 and now["fCntDown"] == 5 + 4096 and now["fCntUp"] == 9, json.dumps(now)
    assert server.stop()[0] == 0


def main():
    arguments()
    configuration()
    server, data, copy, before, after = one_server()
    restore(server, data, copy, before, after)
    without_server(server, data)
    down_counters_move_on()
    print("the subcommands work")


if __name__ == "__main__":
    sys.exit(main())
