"""Runs the README's commands as they stand, against a server of its own, and looks at what came of
them: the device joined and spoke, and the downlink reached it."""
import os
import re
import subprocess
import sys

from godwit import Server


def main():
    source, program = os.environ["GODWIT_SOURCE"], os.environ["GODWIT_PROGRAM"]
    text = open(os.path.join(source, "README.md"), encoding="utf-8").read()
    part = text.split("<!-- readme-test: begin -->")[1].split("<!-- readme-test: end -->")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", part, re.S))
    assert "simulate" in script and "queue" in script, "the README lost its walk-through"
    server = Server(program)
    server.start()
    # As if it stood at ./data of a clone with a build directory, on the usual ports.
    work = server.data_dir + "-clone"
    os.makedirs(work + "/build")
    os.symlink(server.data_dir, work + "/data")
    os.symlink(os.path.abspath(program), work + "/build/godwit")
    script = script.replace("127.0.0.1:8080", "127.0.0.1:%d" % server.http)
    script = script.replace("127.0.0.1:1700", "127.0.0.1:%d" % server.udp)
    env = dict(os.environ, GODWIT_API_LISTEN="127.0.0.1:%d" % server.http)
    script = script.replace("build/godwit events", "build/godwit events --url %s" % server.url)
    run = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=work, env=env, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240)
    print(run.stdout)
    assert run.returncode == 0, "a command of the README failed"
    assert re.search(r"^join ", run.stdout, re.M), "no join event"
    assert re.search(r"^up ", run.stdout, re.M), "no up event"
    assert '"state":"queued"' in run.stdout or '"state":"scheduled"' in run.stdout, "not queued"
    assert '"gatewayId":"0102030405060708"' in run.stdout, "no txack"
    status, events = server.api("GET", "/devices/70b3d57ed0000001/events?type=txack")
    assert status == 200 and events["items"], "the downlink was not sent"
    assert "68656c6c6f" in open(work + "/simulate.log").read(), "the device did not get it"
    status, seconds = server.stop()
    assert status == 0 and seconds < 5, (status, seconds)
    print("the README's commands work")


if __name__ == "__main__":
    sys.exit(main())
