"""Kills the server without warning, again and again, while devices speak, join and are answered
and an administrator writes. What must hold:

  - no device ever saw a downlink that repeats a counter (with other content or the same),
  - no uplink counter is delivered twice in a session, no event twice,
  - every uplink that a device saw acknowledged is there as an event: what was accepted is not lost,
  - every API write that was answered 2xx is there,
  - the store opens, and the server is ready again within seconds.
"""
import argparse
import json
import random
import subprocess
import sys
import threading
import time

from godwit import KEY, Server
from postgres import Postgres

SEED = 7
JOIN_SEED, JOINERS = 8, 200


class Writer(threading.Thread):
    """Renames devices and queues downlinks; keeps what was answered 2xx."""

    def __init__(self, server, devices):
        super().__init__(daemon=True)
        self.server, self.devices = server, devices
        self.names, self.queued, self.answered, self.refused = {}, 0, 0, 0
        self.uncertain = set()
        self.ending = False

    def run(self):
        n = 0
        while not self.ending:
            n += 1
            eui = random.choice(self.devices)
            name = "name-%d" % n
            try:
                status, _ = self.server.api("PATCH", "/devices/" + eui, {"name": name}, timeout=5)
                if status == 200:
                    self.names[eui] = name
                    self.uncertain.discard(eui)
                    self.answered += 1
                else:
                    self.refused += 1
                status, _ = self.server.api("POST", "/devices/%s/queue" % eui,
                                            {"fPort": 5, "data": "AQID"}, timeout=5)
                self.queued += status == 201
            except OSError:
                self.uncertain.add(eui)  # it may have been saved, the answer was lost
            except Exception:
                self.uncertain.add(eui)
            time.sleep(0.005)


class Joiner(threading.Thread):
    """Devices that join all the time: the simulator again and again with new DevNonces."""

    def __init__(self, server, rate, faults):
        super().__init__(daemon=True)
        self.server, self.rate, self.faults = server, rate, faults
        self.joined, self.ending = 0, False

    def run(self):
        run = 0
        while not self.ending:
            run += 1
            out = subprocess.run(
                [self.server.program, "simulate", "--server", "127.0.0.1:%d" % self.server.udp,
                 "--devices", str(JOINERS), "--gateways", "200", "--copies", "3", "--rate",
                 str(self.rate), "--seed", str(JOIN_SEED), "--run", str(run), "--no-collisions",
                 "--duration", str(JOINERS / self.rate), "--json"], stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, check=False).stdout
            if out:  # nothing: the server was away as it greeted
                report = json.loads(out)
                self.joined += report["joined"]
                judge(report, self.faults)


def judge(report, faults):
    for bad in ("fcnt_replay", "fcnt_reused", "mic", "join_nonce"):
        if report["verdicts"].get(bad):
            faults.append("devices saw %s %d times" % (bad, report["verdicts"][bad]))


class Acknowledged(threading.Thread):
    """Reads the simulator's lines: the uplinks whose device got an ACK, as (DevEUI, counter)."""

    def __init__(self, lines):
        super().__init__(daemon=True)
        self.lines, self.last, self.seen = lines, {}, set()
        self.start()

    def run(self):
        for line in self.lines:
            words = line.split()
            if len(words) > 3 and words[2] == "uplink":
                self.last[words[1]] = int(words[3])
            elif ", ACK" in line and ": ok" in line and words[1] in self.last:
                self.seen.add((words[1], self.last[words[1]]))


def check_events(server, faults, acknowledged):
    """Counters by session grow, ids do not repeat, nothing acknowledged is missing."""
    ids, ups, seen, items, up = set(), {}, set(), 0, 0
    for application in list(server.pages("/applications")):
        for item in server.pages("/applications/%s/events" % application["id"]):  # newest first
            items += 1
            up += item["type"] == "up"
            check_event(item, ids, ups, seen, faults)
    missing = acknowledged - seen
    if missing:
        faults.append("%d uplinks were acknowledged and are not there: %s" % (
            len(missing), sorted(missing)[:5]))
    return items, up


def check_event(item, ids, ups, seen, faults):
    data = item["data"]
    key = (item["type"], data["deduplicationId"])
    if item["type"] in ("up", "join"):
        if key in ids:
            faults.append("event twice: %s %s" % key)
        ids.add(key)
    if item["type"] == "up":
        session = (data["deviceInfo"]["devEui"], data["devAddr"])
        if data["fCnt"] >= ups.get(session, 1 << 32):
            faults.append("fCnt %d before %d: %s" % (data["fCnt"], ups[session], session))
        ups[session] = data["fCnt"]
        seen.add((session[0], data["fCnt"]))


def database_dies(database, server):
    """The server says that it is not ready, and comes back by itself."""
    database.kill()
    wait_for_status(server, 503, 10)
    database.start()
    wait_for_status(server, 200, 30)


def wait_for_status(server, wanted, seconds):
    deadline, status = time.monotonic() + seconds, None
    while status != wanted:
        assert time.monotonic() < deadline, "readyz stays at %s instead of %d" % (status, wanted)
        status = server.request("GET", "/readyz", key=None)[0]
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/godwit")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--join-rate", type=float, default=50)
    parser.add_argument("--at-least", type=float, default=0, help="uplinks/s that must be offered")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true",
                        help="on a PostgreSQL of its own; every other kill is that one's")
    args = parser.parse_args()
    random.seed(args.seed)
    database = Postgres() if args.postgres else None
    server = Server(args.program, env={"GODWIT_DATABASE_URL": database.url()} if database else None)
    server.start()
    for seed, count in ((SEED, args.devices), (JOIN_SEED, JOINERS)):
        subprocess.run([server.program, "simulate", "--server", "127.0.0.1:%d" % server.udp,
                        "--devices", str(count), "--gateways", "200", "--seed", str(seed),
                        "--url", server.url, "--key", KEY, "--provision", "--duration", "0.1",
                        "--rate", "1"], check=False, stdout=subprocess.DEVNULL)
    devices = [d["devEui"] for d in server.pages("/devices")]
    assert len(devices) == args.devices + JOINERS, (len(devices), args.devices)
    faults = []
    # Killed every 0.3 to 2 s; the simulator goes on over all of it.
    sim = subprocess.Popen(
        [server.program, "simulate", "--server", "127.0.0.1:%d" % server.udp,
         "--devices", str(args.devices), "--gateways", "200", "--copies", "3", "--rate",
         str(args.rate), "--confirmed", "0.3", "--seed", str(SEED), "--no-collisions",
         "--duration", str(args.kills * 2.0 + 15), "--json", "--verbose"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    acknowledged = Acknowledged(sim.stderr)
    joiner = Joiner(server, args.join_rate, faults)
    joiner.start()
    writer = Writer(server, devices)
    writer.start()
    slowest = 0.0
    for n in range(args.kills):
        time.sleep(random.uniform(0.3, 2.0))
        if database and n % 2:
            database_dies(database, server)
            continue
        server.kill()
        slowest = max(slowest, server.start())
    report = json.loads(sim.stdout.read())
    sim.wait()
    writer.ending = joiner.ending = True
    writer.join()
    joiner.join()
    acknowledged.join()
    judge(report, faults)
    rate = (report["uplinks"] + report["repetitions"] + report["joins"]) / report["seconds"]
    if rate < args.at_least:
        faults.append("only %.0f uplinks/s were offered, not %.0f" % (rate, args.at_least))
    for eui, name in writer.names.items():
        if eui not in writer.uncertain:
            status, device = server.api("GET", "/devices/" + eui)
            if status != 200 or device["name"] != name:
                faults.append("write lost: %s is %s (%d), not %s" % (eui, device, status, name))
    events, ups = check_events(server, faults, acknowledged.seen)
    status, seconds = server.stop()
    if status != 0 or seconds > 5:
        faults.append("SIGTERM: status %d after %.1f s" % (status, seconds))
    print("%d kills, slowest start %.2f s, %d uplinks sent (%.0f/s), %d up events, %d events, "
          "%d downlinks, %d joins beside, %d uplinks acknowledged, all there, %d API writes answered"
          % (args.kills, slowest, report["uplinks"], rate, ups, events, report["downlinks"],
             joiner.joined, len(acknowledged.seen), writer.answered))
    if 0 in (len(acknowledged.seen), joiner.joined, ups, writer.answered, report["downlinks"]):
        faults.append("nothing happened: the test tested nothing")
    for fault in faults[:20]:
        print("FAULT:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
