"""A PostgreSQL of one's own for tests and benchmarks: in a temporary folder, on a UNIX socket and
loopback, durable (fsync on), ended by its process id. As root it runs as the user `postgres`."""
import atexit
import ctypes
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def binaries():
    """The folder of the newest installed version."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"),
                   key=lambda path: int(path.split("/")[4]))
    if not found:
        raise RuntimeError("no PostgreSQL server is installed (Debian: postgresql)")
    return os.path.dirname(found[-1])


def _end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG


class Postgres:
    def __init__(self, directory=None, settings=None, tcp=False):
        self.dir = tempfile.mkdtemp(prefix="godwit-pg-", dir=directory)
        self.data = os.path.join(self.dir, "data")
        self.port = 5432
        self.process = None
        self.user = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.dir, owner.pw_uid, owner.pw_gid)
            self.user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.settings = {"listen_addresses": "", "unix_socket_directories": self.dir,
                         "max_connections": "60", "timezone": "UTC"}
        if tcp:
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                self.port = s.getsockname()[1]
            self.settings["listen_addresses"] = "127.0.0.1"
        self.settings["port"] = str(self.port)
        self.settings.update(settings or {})
        atexit.register(self.close)
        subprocess.run([os.path.join(binaries(), "initdb"), "-D", self.data, "-U", "postgres",
                        "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
                       stdout=subprocess.DEVNULL, check=True, cwd=self.dir, **self.user)
        self.start()

    def start(self):
        options = [x for k, v in self.settings.items() for x in ("-c", "%s=%s" % (k, v))]
        log = open(os.path.join(self.dir, "log"), "ab")
        self.process = subprocess.Popen([os.path.join(binaries(), "postgres"), "-D", self.data,
                                         *options], stdout=log, stderr=log, cwd=self.dir,
                                        preexec_fn=_end_with_parent, **self.user)
        for _ in range(600):
            if subprocess.run([os.path.join(binaries(), "pg_isready"), "-q", "-h", self.dir,
                               "-p", str(self.port)], check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL does not start: " + open(log.name).read()[-2000:])

    def url(self, database="postgres", more=""):
        return "postgresql://postgres@/%s?host=%s&port=%d%s" % (
            database, self.dir, self.port, more)

    def sql(self, text, database="postgres"):
        return subprocess.run([os.path.join(binaries(), "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1",
                               self.url(database), "-c", text], check=True,
                              stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()

    def kill(self):
        """As if the machine's kernel had ended it: all its processes, at once. The postmaster's
        children notice its end; the next start recovers."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._wait_for_children()

    def _wait_for_children(self):
        # The start refuses while a child of the former postmaster still uses the shared memory.
        for _ in range(200):
            pids = [p for p in os.listdir("/proc") if p.isdigit()]
            mine = False
            for pid in pids:
                try:
                    mine = mine or os.readlink("/proc/%s/cwd" % pid) == self.data
                except OSError:
                    pass
            if not mine:
                return
            time.sleep(0.05)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def cpu_seconds(self):
        """User and system time of the server's processes, ended ones included."""
        tick, total = os.sysconf("SC_CLK_TCK"), 0
        pids = [str(self.process.pid)]
        for pid in os.listdir("/proc"):
            try:
                fields = open("/proc/%s/stat" % pid).read().rsplit(")", 1)[1].split()
                if fields[1] == str(self.process.pid):
                    pids.append(pid)
            except (OSError, IndexError):
                pass
        for pid in pids:
            try:
                fields = open("/proc/%s/stat" % pid).read().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
                if pid == pids[0]:
                    total += int(fields[13]) + int(fields[14])
            except (OSError, IndexError):
                pass
        return total / tick

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
