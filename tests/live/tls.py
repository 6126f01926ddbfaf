"""TLS of the API, with a certificate authority that lives as long as the test: who is trusted, what is
refused, a certificate renewed while clients are connected, files that cannot be used."""
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from godwit import KEY, Server, free_port

PROGRAM = os.path.abspath(os.environ["GODWIT_PROGRAM"])


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE, timeout=60)


class Authority:
    """A throw-away CA, and server certificates of it in `cert` and `key`."""

    def __init__(self, folder):
        self.folder = folder
        self.ca, self.cert, self.key = (os.path.join(folder, n) for n in ("ca", "cert", "key"))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", self.ca + ".key", "-out", self.ca, "-days", "2",
                "-subj", "/CN=throw-away CA")

    def issue(self, serial):
        new = os.path.join(self.folder, "new")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", self.key, "-out", new + ".csr", "-subj", "/CN=localhost")
        with open(new + ".ext", "w") as file:
            file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("x509", "-req", "-in", new + ".csr", "-CA", self.ca, "-CAkey", self.ca + ".key",
                "-set_serial", str(serial), "-days", "2", "-extfile", new + ".ext",
                "-out", self.cert)


def curl(*args):
    """(exit status, what came)"""
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *args], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def serial_of(server):
    """The serial number of the certificate that a new connection sees."""
    with socket.create_connection(("127.0.0.1", server.http), timeout=20) as plain:
        with server.tls.wrap_socket(plain, server_hostname="localhost") as conn:
            return int(conn.getpeercert()["serialNumber"], 16)


def log_of(server):
    with open(server.log, errors="replace") as file:
        return file.read()


def wait_for(what, condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def trust(server, authority):
    url = server.url + "/readyz"
    status, out = curl("--cacert", authority.ca, url)
    assert status == 0 and '"ready":true' in out, (status, out)
    assert curl(url)[0] == 60, "a certificate of nobody was trusted"
    status, out = curl(url.replace("https", "http"))
    assert "ready" not in out, "plain HTTP was answered on the TLS port"
    assert status != 0, (status, out)
    assert curl("--cacert", authority.ca, "--tls-max", "1.1", url)[0] != 0, "TLS 1.1 was accepted"
    status, page = server.api("GET", "/tenants")
    assert status == 200 and page["items"], page
    assert server.api("GET", "/tenants", key=None)[0] == 401


def renewal(server, authority):
    assert serial_of(server) == 1
    stream = subprocess.Popen(
        ["curl", "-sS", "-N", "--cacert", authority.ca, "-H", "Authorization: Bearer " + KEY,
         server.url + "/api/v1/events/stream"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        authority.issue(2)
        assert serial_of(server) == 1, "the files count only when the server is told"
        server.process.send_signal(signal.SIGHUP)
        wait_for("not renewed", lambda: serial_of(server) == 2)
        assert "certificate_renewed" in log_of(server)
        assert server.request("GET", "/readyz", key=None)[0] == 200
        assert stream.poll() is None, "the renewal ended an open stream"
        # A key that is not the certificate's: the former pair stays.
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-out", authority.key)
        server.process.send_signal(signal.SIGHUP)
        wait_for("no word of it", lambda: "certificate_not_renewed" in log_of(server))
        assert "is not that of the certificate" in log_of(server)
        assert serial_of(server) == 2
        authority.issue(3)
        server.process.send_signal(signal.SIGHUP)
        wait_for("not renewed again", lambda: serial_of(server) == 3)
        assert stream.poll() is None
    finally:
        stream.kill()
        stream.communicate()
    status, seconds = server.stop()
    assert status == 0 and seconds < 5, (status, seconds)


def start_fails(folder, cert, key):
    """What `serve` says when it is started with these files; it must end with 1."""
    env = dict(os.environ, GODWIT_API_TLS_CERT=cert, GODWIT_API_TLS_KEY=key)
    done = subprocess.run(
        [PROGRAM, "serve", "--data-dir", os.path.join(folder, "data"), "--http",
         "127.0.0.1:%d" % free_port(), "--udp", "127.0.0.1:%d" % free_port(socket.SOCK_DGRAM)],
        env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert "Godwit is ready" not in done.stdout
    assert "api.tls" in done.stderr, done.stderr
    return done.stderr


def unusable(folder, authority):
    junk = os.path.join(folder, "junk")
    with open(junk, "w") as file:
        file.write("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    missing = os.path.join(folder, "missing")
    assert missing + " cannot be read" in start_fails(folder, missing, authority.key)
    assert missing + " cannot be read" in start_fails(folder, authority.cert, missing)
    assert "the certificate is not PEM" in start_fails(folder, junk, authority.key)
    assert "the key is not PEM" in start_fails(folder, authority.cert, junk)
    assert "not that of the certificate" in start_fails(folder, authority.cert,
                                                        authority.ca + ".key")
    assert "needs both" in start_fails(folder, authority.cert, "")


def main():
    with tempfile.TemporaryDirectory(prefix="godwit-tls-") as folder:
        authority = Authority(folder)
        authority.issue(1)
        server = Server(PROGRAM, env={"GODWIT_API_TLS_CERT": authority.cert,
                                      "GODWIT_API_TLS_KEY": authority.key},
                        tls=ssl.create_default_context(cafile=authority.ca))
        server.start()
        trust(server, authority)
        renewal(server, authority)
        unusable(folder, authority)
    print("TLS of the API works")


if __name__ == "__main__":
    sys.exit(main())
