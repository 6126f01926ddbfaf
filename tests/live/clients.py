"""A thousand clients that hang - connected and silent, in the middle of a header or of a body, waiting
on a stream - while others still get their answers."""
import os
import resource
import socket
import sys
import time

from godwit import KEY, Server

HANGING = 1000

BEGINNINGS = (
    b"",
    b"GET /api/v1/tenants HTTP/1.1\r\nHost: x\r\nAuthor",
    b"POST /api/v1/tenants HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
    b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",  # answered, then kept open
)
STREAM = (b"GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
          + KEY.encode() + b"\r\n\r\n")


def hang(server, beginning):
    client = socket.create_connection(("127.0.0.1", server.http), timeout=20)
    client.sendall(beginning)
    return client


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    server = Server(os.environ["GODWIT_PROGRAM"])
    server.start()
    before = server.resident()
    clients = [hang(server, BEGINNINGS[i % len(BEGINNINGS)]) for i in range(HANGING)]
    clients += [hang(server, STREAM) for _ in range(50)]
    tenant = next(server.pages("/tenants"))["id"]
    slowest = 0
    for i in range(50):
        began = time.monotonic()
        status, made = server.api("POST", "/applications", {"tenantId": tenant, "name": "a%d" % i})
        assert status == 201, (status, made)
        assert server.request("GET", "/readyz", key=None)[0] == 200
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 5, "an answer took %.1f s beside %d idle clients" % (slowest, HANGING)
    grown = server.resident() - before
    assert grown < 200 << 20, "%d octets for each idle client" % (grown // len(clients))
    status, seconds = server.stop()
    assert status == 0 and seconds < 5, (status, seconds)
    for client in clients:
        client.close()
    print("%d idle clients held up nobody (slowest answer %.3f s, %d KiB each)" % (
        len(clients), slowest, grown // len(clients) // 1024))


if __name__ == "__main__":
    sys.exit(main())
