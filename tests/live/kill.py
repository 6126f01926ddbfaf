"""Kills the server without warning, again and again, while devices speak, join and are answered
and an administrator writes. What must hold:

  - no device ever saw a downlink that repeats a counter (with other content or the same),
  - no uplink counter is delivered twice in a session, no event twice,
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

SEED = 7


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


def check_events(server, faults):
    """Counters by session grow, ids do not repeat."""
    ids, ups, last = set(), {}, {}
    application = next(server.pages("/applications"))["id"]
    items = list(server.pages("/applications/%s/events" % application))
    for item in reversed(items):  # oldest first
        data = item["data"]
        key = (item["type"], data["deduplicationId"])
        if item["type"] in ("up", "join"):
            if key in ids:
                faults.append("event twice: %s %s" % key)
            ids.add(key)
        if item["type"] == "join":
            last.pop(data["deviceInfo"]["devEui"], None)
        if item["type"] == "up":
            session = (data["deviceInfo"]["devEui"], data["devAddr"])
            if data["fCnt"] <= ups.get(session, -1):
                faults.append("fCnt %d after %d: %s" % (data["fCnt"], ups[session], session))
            ups[session] = data["fCnt"]
    return len(items), sum(1 for item in items if item["type"] == "up")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/godwit")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    server = Server(args.program)
    server.start()
    subprocess.run([server.program, "simulate", "--server", "127.0.0.1:%d" % server.udp,
                    "--devices", str(args.devices), "--gateways", "200", "--seed", str(SEED),
                    "--url", server.url, "--key", KEY, "--provision", "--duration", "0.1",
                    "--rate", "1"], check=False, stdout=subprocess.DEVNULL)
    devices = [d["devEui"] for d in server.pages("/devices")]
    assert len(devices) == args.devices, (len(devices), args.devices)
    # Killed every 0.3 to 2 s; the simulator goes on over all of it.
    sim = subprocess.Popen(
        [server.program, "simulate", "--server", "127.0.0.1:%d" % server.udp,
         "--devices", str(args.devices), "--gateways", "200", "--copies", "3", "--rate",
         str(args.rate), "--confirmed", "0.3", "--seed", str(SEED), "--no-collisions",
         "--duration", str(args.kills * 2.0 + 15), "--json"], stdout=subprocess.PIPE)
    writer = Writer(server, devices)
    writer.start()
    slowest = 0.0
    for n in range(args.kills):
        time.sleep(random.uniform(0.3, 2.0))
        server.kill()
        slowest = max(slowest, server.start())
    out, _ = sim.communicate()
    writer.ending = True
    writer.join()
    report = json.loads(out)
    faults = []
    verdicts = report["verdicts"]
    for bad in ("fcnt_replay", "fcnt_reused", "mic", "join_nonce"):
        if verdicts.get(bad):
            faults.append("devices saw %s %d times" % (bad, verdicts[bad]))
    for eui, name in writer.names.items():
        if eui not in writer.uncertain:
            status, device = server.api("GET", "/devices/" + eui)
            if status != 200 or device["name"] != name:
                faults.append("write lost: %s is %s (%d), not %s" % (eui, device, status, name))
    events, ups = check_events(server, faults)
    status, seconds = server.stop()
    if status != 0 or seconds > 5:
        faults.append("SIGTERM: status %d after %.1f s" % (status, seconds))
    print("%d kills, slowest start %.2f s, %d uplinks sent, %d up events, %d events, %d downlinks, "
          "%d API writes answered" % (args.kills, slowest, report["uplinks"], ups, events,
                                      report["downlinks"], writer.answered))
    if ups == 0 or writer.answered == 0 or report["downlinks"] == 0:
        faults.append("nothing happened: the test tested nothing")
    for fault in faults[:20]:
        print("FAULT:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
