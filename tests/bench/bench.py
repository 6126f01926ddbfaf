"""./dev bench: what the server does on this machine, beside its load generator.

Prints a table: uplinks/s without loss, CPU of the server per unique uplink by thread and by step,
latency from the last octet of an uplink to its PULL_RESP beyond the collecting window, joins/s,
octets per idle device, start-up times. Wall times on a shared machine are noisy: CPU per uplink is
the figure to watch from commit to commit.

    --full         a million devices, 25,000 gateways, 20,000 uplinks/s for 60 s, half of that for
                   70 s, 3,000 joins/s; the default is a small run
    --find-loss    more and more uplinks/s, until some are lost
    --compare REV  the same of another commit beside it, in turns
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "live"))
from godwit import Server  # noqa: E402
from postgres import Postgres  # noqa: E402
from steps import Steps  # noqa: E402

SEED = 11
WINDOW_MS = 200
STEPS_SECONDS = 12  # of load beside the sampler, which costs time itself
ROUNDS = 2          # of each commit, when two are compared
DATABASE_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}
FULL = {"devices": 1000000, "gateways": 25000, "rate": 20000, "seconds": 60, "half_seconds": 70,
        "joins": 60000, "join_rate": 3000}


def stolen():
    """Ticks that the hypervisor gave to others, and all: figures of a machine that is not ours."""
    ticks = [int(word) for word in open("/proc/stat").readline().split()[1:9]]
    return ticks[7], sum(ticks)


class Table:
    def __init__(self, quiet):
        self.rows, self.quiet = [], quiet

    def head(self, *names):
        print("| %-46s | %s |" % (names[0], " | ".join("%14s" % name for name in names[1:])))
        print("|%s|%s|" % ("-" * 48, "|".join("-" * 16 for _ in names[1:])), flush=True)

    def row(self, name, value, unit="", digits=0):
        self.rows.append({"name": name, "value": value, "unit": unit, "digits": digits})
        if not self.quiet:
            print("| %-46s | %14s | %14s |" % (name, "{:,.{}f}".format(value, digits), unit),
                  flush=True)


class Bench:
    def __init__(self, args, table):
        self.args, self.row, self.database = args, table.row, None

    def seed(self, devices, gateways, kind):
        """A data directory, and a database of its own if one is wanted."""
        data = tempfile.mkdtemp(prefix="godwit-bench-", dir=self.args.dir)
        env = dict(os.environ)
        if self.database:
            self.database.close()
        self.database = Postgres(self.args.dir, DATABASE_SETTINGS) if self.args.postgres else None
        if self.database:
            env["GODWIT_DATABASE_URL"] = self.database.url()
        subprocess.run([os.path.join(self.args.build, "tests-bench-seed"), data, str(SEED),
                        str(devices), str(gateways), kind], check=True, env=env,
                       stderr=subprocess.DEVNULL)
        if self.database:
            self.database.sql("VACUUM ANALYZE")
            self.database.sql("CHECKPOINT")
        os.sync()
        return data

    def serve(self, data):
        env = {"GODWIT_DATABASE_URL": self.database.url()} if self.database else None
        return Server(os.path.join(self.args.build, "godwit"), data, env)

    def simulation(self, server, *options):
        return subprocess.Popen([server.program, "simulate", "--server",
                                 "127.0.0.1:%d" % server.udp, "--seed", str(SEED),
                                 "--no-collisions", "--no-adr", "--json", "--gateways",
                                 str(self.args.gateways), "--copies", "3", *options],
                                stdout=subprocess.PIPE)

    def simulate(self, server, *options):
        return json.loads(self.simulation(server, *options).communicate()[0])

    def abp(self, rate, seconds, run):
        return ["--devices", str(self.args.devices), "--rate", str(rate), "--confirmed", "0.1",
                "--abp", "--duration", str(seconds), "--run", str(run)]

    # ---- uplinks ----------------------------------------------------------------------------------

    def load(self, server, rate, seconds, run):
        """Uplinks of ABP devices, a tenth of them confirmed; what was sent and what came in."""
        before, (threads, _), ticks = server.metrics(), server.cpu_seconds(), stolen()
        database = self.database.cpu_seconds() if self.database else 0
        report = self.simulate(server, *self.abp(rate, seconds, run))
        time.sleep(1.5)  # the last window, commit and TX_ACK pass
        after, (now, _) = server.metrics(), server.cpu_seconds()
        frames = (after["godwit_uplink_frames_total"]
                  - before.get("godwit_uplink_frames_total", 0))
        refused = sum(after[name] - before.get(name, 0) for name in after
                      if name.startswith("godwit_drops_total") and "overload" in name
                      and "stat" not in name)
        report["frames"], report["refusedFrames"] = frames, refused
        report["stolen"] = 100 * (stolen()[0] - ticks[0]) / max(1, stolen()[1] - ticks[1])
        report["sent"] = report["uplinks"] + report["repetitions"]
        report["rate"] = report["sent"] / seconds  # the gateways' greetings before do not count
        report["lost"] = max(0, report["sent"] - frames)
        report["cpu"] = {name: 1e6 * (now[name] - threads.get(name, 0)) / max(1, frames)
                         for name in now}
        if self.database:
            report["cpuDatabase"] = 1e6 * (self.database.cpu_seconds() - database) / max(1, frames)
        return report

    def tell_load(self, report, label):
        self.row("%s: unique uplinks offered (x 3 gateways)" % label,
                 report["rate"], "1/s")
        self.row("%s: lost or refused" % label, report["lost"] + report["refusedFrames"], "uplinks")
        self.row("%s: CPU per uplink" % label, sum(report["cpu"].values()), "us", 1)
        if self.database:
            self.row("%s: CPU per uplink, PostgreSQL" % label, report["cpuDatabase"], "us", 1)
        for quantile, name in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9"), ("max", "max")):
            if quantile in report["latencyUs"]:
                self.row("%s: PULL_RESP beyond the window, %s" % (label, name),
                         report["latencyUs"][quantile] / 1000.0 - WINDOW_MS, "ms", 1)
        self.row("%s: time that the hypervisor took away" % label, report["stolen"], "%", 1)
        self.row("%s: answers wanted" % label, report["downlinks"], "downlinks")
        self.row("%s: not answered in time" % label, report["downlinks"] - report["answered"],
                 "downlinks")
        self.row("%s: refused by gateways" % label,
                 report["refused"] + report["too_late"] + report["collisions"], "downlinks")

    def tell_steps(self, server, cpu):
        """The CPU per uplink of each thread, by what it did in a run of its own."""
        with Steps(server.process.pid) as steps:
            self.load(server, self.args.rate, STEPS_SECONDS, run=3)
        threads = {}
        for name, us in cpu.items():
            threads["ns" if name.startswith("ns-") else name] = us
        for name in sorted(cpu):
            if cpu[name] >= 0.05:
                self.row("CPU per uplink in %s" % name, cpu[name], "us", 1)
        for thread, shares in sorted(steps.shares().items()):
            for step, share in sorted(shares.items(), key=lambda item: -item[1]):
                us = share * threads.get(thread, 0)
                if us >= 0.05:
                    self.row("    %s: %s" % (thread, step), us, "us", 1)

    def find_loss(self, server):
        rate, best = self.args.rate, 0
        for run in range(4, 20):
            report = self.load(server, rate, 10, run)
            if report["lost"] + report["refusedFrames"] or report["skipped"]:
                break
            best = report["rate"]
            rate *= 1.15
        self.row("most uplinks/s without loss in 10 s", best, "1/s")
        self.row("of the next: lost or refused", report["lost"] + report["refusedFrames"],
                 "of {:,.0f}/s".format(report["rate"]))
        self.row("of the next: not sent by the generator", report["skipped"], "uplinks")

    def kill_under_load(self, server):
        simulation = self.simulation(server, *self.abp(self.args.rate, 8, run=2))
        time.sleep(6)  # the first two are the gateways' greetings
        server.kill()
        simulation.communicate()

    def uplinks(self):
        args = self.args
        data = self.seed(args.devices, args.gateways, "abp")
        server = self.serve(data)
        self.row("start-up, {:,} devices, {:,} gateways".format(args.devices, args.gateways),
                 server.start(), "s", 2)
        time.sleep(1)
        full = self.load(server, args.rate, args.seconds, run=0)
        self.tell_load(full, "load")
        self.tell_load(self.load(server, args.rate / 2, args.half_seconds, run=1), "half")
        if not args.no_steps:
            self.tell_steps(server, full["cpu"])
        if args.find_loss:
            self.find_loss(server)
        self.kill_under_load(server)
        self.row("start-up after kill -9 under load", server.start(), "s", 2)
        server.stop()
        self.row("start-up after a clean stop", server.start(), "s", 2)
        server.stop()
        shutil.rmtree(data)

    # ---- joins and memory -------------------------------------------------------------------------

    def joins(self):
        args = self.args
        data = self.seed(args.joins, args.gateways, "otaa")
        server = self.serve(data)
        server.start()
        threads, _ = server.cpu_seconds()
        report = self.simulate(server, "--devices", str(args.joins), "--rate", str(args.join_rate),
                               "--duration", str(args.joins / args.join_rate))
        now, _ = server.cpu_seconds()
        self.row("joins offered", report["joins"] * args.join_rate / args.joins, "1/s")
        self.row("joins not completed", args.joins - report["joined"], "devices")
        self.row("CPU per join", 1e6 * (sum(now.values()) - sum(threads.values()))
                 / max(1, report["joins"]), "us", 1)
        server.stop()
        shutil.rmtree(data)

    def memory(self):
        sizes = []
        for devices in (0, self.args.devices):
            data = self.seed(devices, 1, "abp")
            server = self.serve(data)
            server.start()
            time.sleep(1.5)
            sizes.append(server.resident())
            server.stop()
            shutil.rmtree(data)
        self.row("memory per idle device", (sizes[1] - sizes[0]) / max(1, self.args.devices),
                 "octets")


# ---- two commits ------------------------------------------------------------------------------------

def build_of(rev, folder):
    """A release build of another commit, as ./dev build makes it."""
    source = os.path.join(folder, "source")
    subprocess.run(["git", "worktree", "add", "--detach", "--quiet", source, rev], check=True)
    build = os.path.join(source, "build")
    for command in (["meson", "setup", build, "-Dbuildtype=release", "-Ddebug=true", "-Db_lto=true",
                     "-Dtests=false"], ["ninja", "-C", build, "godwit", "tests-bench-seed"]):
        subprocess.run(command, check=True, cwd=source, stdout=subprocess.DEVNULL)
    return build


def measure(build, options):
    """This bench with the programs of either commit: server, generator and seed."""
    file = tempfile.NamedTemporaryFile(prefix="godwit-bench-", suffix=".json")
    subprocess.run([sys.executable, os.path.abspath(__file__), *options, "--build", build,
                    "--json", file.name], check=True)
    return {row["name"]: row for row in json.load(open(file.name))}


def compare(args, options):
    rev = args.compare
    folder = tempfile.mkdtemp(prefix="godwit-compare-", dir=args.dir)
    try:
        build = build_of(rev, folder)
        runs = {"here": [], "there": []}
        for _ in range(ROUNDS):
            runs["there"].append(measure(build, options))
            runs["here"].append(measure(args.build, options))
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", os.path.join(folder, "source")],
                       check=False)
        shutil.rmtree(folder, ignore_errors=True)
    table = Table(quiet=False)
    table.head("what (mean of %d runs in turns)" % ROUNDS, rev[:14], "here", "here/there", "unit")
    for name, row in runs["here"][0].items():
        values = [[run[name]["value"] for run in runs[side] if name in run]
                  for side in ("there", "here")]
        means = [sum(v) / len(v) if v else None for v in values]
        texts = ["-" if mean is None else "{:,.{}f}".format(mean, row["digits"]) for mean in means]
        ratio = "%.2f" % (means[1] / means[0]) if means[0] and means[1] is not None else "-"
        print("| %-46s | %s |" % (name, " | ".join("%14s" % text for text in
                                                  texts + [ratio, row["unit"]])), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--dir", default=None, help="where the stores lie (a disk, not memory)")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--devices", type=int, default=100000)
    parser.add_argument("--gateways", type=int, default=500)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--half-seconds", type=float, default=20)
    parser.add_argument("--joins", type=int, default=20000)
    parser.add_argument("--join-rate", type=float, default=1000)
    parser.add_argument("--no-steps", action="store_true")
    parser.add_argument("--find-loss", action="store_true")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument("--only", choices=["uplinks", "joins", "memory"])
    parser.add_argument("--compare", metavar="REV")
    parser.add_argument("--json", metavar="FILE", help="the rows to a file instead")
    given = sys.argv[1:]
    if "--full" in given:
        parser.set_defaults(**FULL)
    args = parser.parse_args(given)
    if args.compare:
        options = list(given)
        at = next(i for i, word in enumerate(options) if word.startswith("--compare"))
        del options[at:at + (1 if "=" in options[at] else 2)]
        return compare(args, options)
    table = Table(quiet=args.json is not None)
    if not args.json:
        print("%s, %d cores" % (time.strftime("%Y-%m-%d"), os.cpu_count()))
        table.head("what", "figure", "unit")
    bench = Bench(args, table)
    for name in ("uplinks", "joins", "memory"):
        if args.only in (None, name):
            getattr(bench, name)()
    if args.json:
        with open(args.json, "w") as out:
            json.dump(table.rows, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
