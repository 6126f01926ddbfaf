"""CPU by step: what the server's threads do, by sampled call stacks.

A sample counts for the first step below whose pattern is in its stack, looked for from the innermost
function outwards. Sampling needs `perf` (Debian: linux-perf) and the right to use it; without it
there are no steps.
"""
import collections
import re
import shutil
import subprocess
import tempfile

HERTZ = 999
STACK = 6144  # octets kept of each stack

# By thread: (step, functions). Innermost first: a MIC that is computed while matching is MIC.
STEPS = {
    "udp": [
        ("receive", r"recvmmsg"),
        ("ack", r"sendmmsg"),
        ("send", r"^(send_now|hand_over|try_next|finish|take_request|transmit_)"),
        ("parse", r"^(semtech_read|read_rxpks|on_rx|base64_|scan_)"),
        ("gateway", r"^(receive_batch|readable)$"),
    ],
    "ns": [
        ("MIC", r"^(mic_data|lw_mic|cmac)"),
        ("MAC", r"^(mac_|adr_)"),
        ("event", r"^(events$|event_|job_event|uuid_derive|ns_log_frame|on_frame)"),
        ("decrypt", r"^(decrypt|lw_crypt)"),
        ("match", r"^match"),
        ("downlink", r"^(plan$|device_is_yours|downlink|attempt|tx_outcome|queue_|routes_of)"),
        ("dedup", r"^(collector|close_set|sort_gathered|open_if_room|add_copy|heard|window_over)"),
        ("session", r"^(session_|write_mutable|write_whole|device_take_over)"),
        ("job", r"^(job_|save$|speak$|load$|ended$)"),
        ("timer", r"^(timer|fire)"),
    ],
    "committer": [
        ("fold", r"housekeep|^fold_|^checkpoint"),
        ("commit", r"commit"),
    ],
}
IDLE = r"nanosleep|epoll_wait|schedule$|futex_wait|cond_wait"


def thread_of(name):
    return "ns" if name.startswith("ns-") else name


def step_of(thread, stack):
    for function in stack:
        for step, pattern in STEPS.get(thread, []):
            if re.search(pattern, function):
                return step
    if any(re.search(IDLE, function) for function in stack):
        return "wait"
    return "other" if thread in STEPS else thread


class Steps:
    """Samples a process while `with` lasts."""

    def __init__(self, pid):
        self.pid, self.process = pid, None
        self.file = tempfile.NamedTemporaryFile(prefix="godwit-steps-")

    def __enter__(self):
        if shutil.which("perf"):
            self.process = subprocess.Popen(
                ["perf", "record", "-q", "-F", str(HERTZ), "--call-graph", "dwarf,%d" % STACK,
                 "-p", str(self.pid), "-o", self.file.name], stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *exception):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def shares(self):
        """{thread: {step: share of the thread's time}}; empty if nothing could be sampled."""
        counts = collections.defaultdict(collections.Counter)
        text = subprocess.run(["perf", "script", "--no-inline", "-F", "comm,ip,sym", "-i",
                               self.file.name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout if self.process else ""
        for sample in text.split("\n\n"):
            lines = sample.strip().split("\n")
            if len(lines) < 2:
                continue
            stack = [re.sub(r"\.(lto_priv|constprop|part|isra|cold).*", "", line.split(None, 1)[-1])
                     for line in lines[1:]]
            thread = thread_of(lines[0].strip())
            counts[thread][step_of(thread, stack)] += 1
        return {thread: {step: n / sum(steps.values()) for step, n in steps.items()}
                for thread, steps in counts.items()}
