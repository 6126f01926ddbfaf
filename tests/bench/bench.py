"""./dev bench: what the server does on this machine, beside its load generator.

Prints a table: uplinks/s without loss, CPU of the server per unique uplink by thread, latency from
the last octet of an uplink to its PULL_RESP beyond the collecting window, joins/s, octets per idle
device, start-up times. Wall times on a shared machine are noisy: CPU per uplink is the figure to
watch from commit to commit.
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

SEED = 11
WINDOW_MS = 200


DATABASE_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}


def seed(args, devices, gateways, kind):
    """A data directory, and a database of its own if one is wanted."""
    data = tempfile.mkdtemp(prefix="godwit-bench-", dir=args.dir)
    env = dict(os.environ)
    if args.database:
        args.database.close()
    args.database = Postgres(args.dir, DATABASE_SETTINGS) if args.postgres else None
    if args.database:
        env["GODWIT_DATABASE_URL"] = args.database.url()
    subprocess.run([os.path.join(args.build, "tests-bench-seed"), data, str(SEED), str(devices),
                    str(gateways), kind], check=True, env=env)
    if args.database:
        args.database.sql("VACUUM ANALYZE")
        args.database.sql("CHECKPOINT")
    return data


def serve(args, data):
    env = {"GODWIT_DATABASE_URL": args.database.url()} if args.database else None
    return Server(os.path.join(args.build, "godwit"), data, env)


def simulate(server, *options):
    out = subprocess.run([server.program, "simulate", "--server", "127.0.0.1:%d" % server.udp,
                          "--seed", str(SEED), "--no-collisions", "--no-adr", "--json", *options],
                         stdout=subprocess.PIPE, check=False).stdout
    return json.loads(out)


def row(name, value, unit=""):
    print("| %-44s | %14s | %-18s |" % (name, value, unit), flush=True)


def rest(server, seconds=1.5):
    time.sleep(seconds)  # lets the last window, commit and TX_ACK pass
    return server.metrics()


def bench_uplinks(args):
    data = seed(args, args.devices, args.gateways, "abp")
    server = serve(args, data)
    row("start-up with %d devices" % args.devices, "%.2f" % server.start(), "s")
    threads, _ = server.cpu_seconds()
    database = args.database.cpu_seconds() if args.database else 0
    before = rest(server)
    report = simulate(server, "--devices", str(args.devices), "--gateways", str(args.gateways),
                      "--copies", "3", "--rate", str(args.rate), "--confirmed", "0.1", "--abp",
                      "--duration", str(args.seconds))
    after = rest(server)
    now, _ = server.cpu_seconds()
    database = args.database.cpu_seconds() - database if args.database else 0
    frames = after["godwit_uplink_frames_total"] - before.get("godwit_uplink_frames_total", 0)
    sent = report["uplinks"] + report["repetitions"]
    row("unique uplinks offered", "%.0f" % (sent / report["seconds"]), "1/s, 3 gateways each")
    row("unique uplinks gathered", "%.0f" % (frames / report["seconds"]), "1/s")
    row("lost", "%.3f" % (100.0 * max(0.0, 1 - frames / max(1, sent))), "%")
    for name in sorted(now):
        cpu = 1e6 * (now[name] - threads.get(name, 0)) / max(1, frames)
        if cpu >= 0.05:
            row("CPU per uplink: %s" % name, "%.1f" % cpu, "us")
    row("CPU per uplink: all",
        "%.1f" % (1e6 * (sum(now.values()) - sum(threads.values())) / max(1, frames)), "us")
    if args.database:
        row("CPU per uplink: PostgreSQL", "%.1f" % (1e6 * database / max(1, frames)), "us")
    for quantile in ("p50", "p90", "p99", "max"):
        row("PULL_RESP after the window, %s" % quantile,
            "%.1f" % (report["latencyUs"][quantile] / 1000.0 - WINDOW_MS), "ms")
    row("answered in time", "%d of %d" % (report["answered"], report["downlinks"]), "downlinks")
    row("refused downlinks", "%d" % (report["refused"] + report["too_late"] + report["collisions"]))
    server.kill()
    row("start-up after kill -9", "%.2f" % server.start(), "s")
    server.stop()
    row("start-up after a clean stop", "%.2f" % server.start(), "s")
    server.stop()
    shutil.rmtree(data)


def bench_joins(args):
    data = seed(args, args.joins, args.gateways, "otaa")
    server = serve(args, data)
    server.start()
    threads, _ = server.cpu_seconds()
    report = simulate(server, "--devices", str(args.joins), "--gateways", str(args.gateways),
                      "--rate", str(args.join_rate), "--duration",
                      str(args.joins / args.join_rate), "--copies", "3")
    now, _ = server.cpu_seconds()
    row("joins offered", "%.0f" % (report["joins"] / report["seconds"]), "1/s")
    row("joins completed", "%.0f" % (report["joined"] / report["seconds"]), "1/s")
    row("CPU per join", "%.1f" % (1e6 * (sum(now.values()) - sum(threads.values())) /
                                  max(1, report["joins"])), "us")
    server.stop()
    shutil.rmtree(data)


def bench_memory(args):
    sizes = []
    for devices in (0, args.devices):
        data = seed(args, devices, 1, "abp")
        server = serve(args, data)
        server.start()
        rest(server)
        sizes.append(server.resident())
        server.stop()
        shutil.rmtree(data)
    row("memory per idle device", "%.0f" % ((sizes[1] - sizes[0]) / max(1, args.devices)),
        "octets")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--dir", default=None, help="where the stores lie (a disk, not memory)")
    parser.add_argument("--devices", type=int, default=100000)
    parser.add_argument("--gateways", type=int, default=500)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--joins", type=int, default=20000)
    parser.add_argument("--join-rate", type=float, default=1000)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument("--only", choices=["uplinks", "joins", "memory"])
    args = parser.parse_args()
    args.database = None
    print("%s, %d cores" % (time.strftime("%Y-%m-%d"), os.cpu_count()))
    print("| %-44s | %14s | %-18s |" % ("what", "figure", "unit"))
    print("|%s|%s|%s|" % ("-" * 46, "-" * 16, "-" * 20))
    for name, bench in (("uplinks", bench_uplinks), ("joins", bench_joins),
                        ("memory", bench_memory)):
        if args.only in (None, name):
            bench(args)


if __name__ == "__main__":
    sys.exit(main())
