"""A Godwit server as a process of its own, for live tests and benchmarks. Loopback only."""
import atexit
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

KEY = "live-test-key-0123456789abcdef0123456789"


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """Started on free ports with a data directory that is kept over restarts."""

    def __init__(self, program, data_dir=None, env=None, tls=None):
        self.tls = tls  # an ssl.SSLContext that trusts it; the files are named in `env`
        self.program = os.path.abspath(program)
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="godwit-live-")
        self.http, self.udp = free_port(), free_port(socket.SOCK_DGRAM)
        self.env = dict(os.environ, GODWIT_ADMIN_API_KEY=KEY, **(env or {}))
        self.process = None
        self.log = os.path.join(self.data_dir, "log")
        os.makedirs(self.data_dir, exist_ok=True)
        atexit.register(self.end)  # a test that fails leaves no server behind

    @property
    def url(self):
        return "http%s://127.0.0.1:%d" % ("s" if self.tls else "", self.http)

    def start(self, wait=True):
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.program, "serve", "--data-dir", self.data_dir,
             "--http", "127.0.0.1:%d" % self.http, "--udp", "127.0.0.1:%d" % self.udp],
            stdout=subprocess.DEVNULL, stderr=open(self.log, "ab"), env=self.env)
        while wait:
            if self.process.poll() is not None:
                raise RuntimeError("the server ended with %d: %s" % (
                    self.process.returncode, open(self.log, errors="replace").read()[-2000:]))
            try:
                if self.request("GET", "/readyz", key=None)[0] == 200:
                    break
            except (OSError, urllib.error.URLError):
                pass
            if time.monotonic() - began > 120:
                raise RuntimeError("the server is not ready after two minutes")
            time.sleep(0.01)
        return time.monotonic() - began

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM; returns (exit status, seconds)."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        return status, time.monotonic() - began

    def request(self, method, path, body=None, key=KEY, timeout=30):
        """(status, decoded JSON or text)."""
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = "Bearer " + key
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self.tls) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def api(self, method, path, body=None, **more):
        return self.request(method, "/api/v1" + path, body, **more)

    def pages(self, path):
        """All items of a list, page by page."""
        cursor = ""
        while True:
            status, page = self.api("GET", "%s%slimit=1000%s" % (
                path, "&" if "?" in path else "?", "&cursor=" + cursor if cursor else ""))
            assert status == 200, (status, page)
            yield from page["items"]
            cursor = page.get("nextCursor")
            if not cursor:
                return

    def metrics(self):
        values = {}
        for line in self.request("GET", "/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values

    def cpu_seconds(self):
        """User and system time of the process so far, by thread name and in all."""
        threads, tick = {}, os.sysconf("SC_CLK_TCK")
        for task in os.listdir("/proc/%d/task" % self.process.pid):
            try:
                base = "/proc/%d/task/%s/" % (self.process.pid, task)
                name = open(base + "comm").read().strip()
                run = int(open(base + "schedstat").read().split()[0]) / 1e9
                threads[name] = threads.get(name, 0) + run
            except (OSError, ValueError, IndexError):
                continue
        stat = open("/proc/%d/stat" % self.process.pid).read().rsplit(")", 1)[1].split()
        return threads, (int(stat[11]) + int(stat[12])) / tick

    def resident(self):
        for line in open("/proc/%d/status" % self.process.pid):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        return 0
