"""The program's subcommands as a person runs them: exit statuses, messages, backup and restore."""
import json
import os
import subprocess
import sys
import tempfile

from godwit import Server

PROGRAM = os.path.abspath(os.environ["GODWIT_PROGRAM"])
SOURCE = os.environ["GODWIT_SOURCE"]


def run(*args, status=0, stdin=None, env=None):
    done = subprocess.run([PROGRAM, *args], text=True, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})), timeout=120)
    assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def arguments():
    assert "serve" in run("help")
    assert "usage" in run(status=2)
    assert "usage" in run("serve", "--help")
    run("nonsense", status=2)
    run("events", "--key", "k", status=2)
    run("serve", "--nonsense", status=2)
    for later in ("rotate-key", "import", "export", "settle", "doctor"):
        assert "not in this version" in run(later, status=2)
    assert run("version").startswith("godwit 0.1.0")
    assert "DevStatusAns" in run("decode", "80040302010300000673070ae264d4f7e117d2c0")
    run("decode", "zz", status=1)
    run("decode", status=2)


def frames():
    """Each kind of frame and payload is explained by name (frames of tests/vectors/mac.json)."""
    def says(*args, words):
        out = run("decode", *args)
        for word in words:
            assert word in out, (word, out)

    says("c001887766554433221108070605040302010200deadbeef",
         words=["RejoinRequest", "Type           1", "JoinEUI        1122334455667788",
                "DevEUI         0102030405060708", "RJcount1       2"])
    says("c0021300000807060504030201020000000000", "--s-nwk-s-int-key", "00" * 16,
         words=["NetID          000013", "RJcount0       2", "does not agree"])
    key = "0102030405060708090a0b0c0d0e0f10"
    says("20610625b0341581a4b94dae33644aa5728a70ba94abe741aef5f6ccadfad207ae", "--app-key", key,
         words=["JoinNonce      000007", "DevAddr        260b1234", "OptNeg=0 RX1DRoffset=0 RX2DataRate=3",
                "RxDelay        5", "CFList         184f84",
                "  frequencies  867100000 867300000 867500000 867700000 867900000\n", "the MIC agrees"])
    says("20c9d8973b53f0d07c77b5b4a1e2053fb456e9b2d31774f9e4c267c94b9e01fd57", "--app-key", key,
         words=["CFList         00ff00", "  channels     8-15 65\n", "the MIC agrees"])
    says("20c9d8973b53f0d07c77b5b4a1e2053fb41f10c57b0fcce337edf8e96a5d8d9cc0", "--app-key", key,
         words=["000000000009\n               the MIC agrees"])  # no such type
    says("207abeea06b02920f11c02d0348fcf1815", "--app-key", key, words=["OptNeg=1", "DevAddr        01020304"])
    joins()
    says("24" + "00" * 16, "--app-key", key, words=["JoinAccept"])  # reserved bits
    says("e0aabb", words=["Proprietary\npayload        aabb\n"])
    assert "payload" not in run("decode", "e0")
    # a fragment to a group, from McKey
    says("6004030201000004c93d688bdd2edec78628", "--mc-key", key, "--fcnt", "1024",
         words=["the MIC agrees", "TS004", "DataFragment index=0 n=1 data=0102"])
    # 1.1: what a key is missing for is left as it is, and the acknowledged counter is found
    f, s = "1212f109dc7171f931d74133be70d2ba", "bc0c49471b09dbc8eddd34c6f924c3e5"
    enc, down, port_0 = "46748eec07424c9e29480b0ef10c15d1", "6001ac00fc82090057eaeecae899", "6001ac00fc800a0000d293662893d44754caebd713d626d4"
    says(down, "--nwk-s-enc-key", enc, words=["RekeyConf minor=1\n"])
    says("4034120b26020a000d813d203d20", "--nwk-s-enc-key", key, words=["before the erratum", "RekeyInd minor=1\n"])
    says("4034120b26020a000d813d203d20", "--nwk-s-enc-key", enc, words=["an unknown command"])
    says(port_0, "--nwk-s-enc-key", enc, words=["decrypted    0352ff0001"])
    says(down, "--s-nwk-s-int-key", s, words=["57ea\n               the MIC agrees"])
    says(port_0, "--f-nwk-s-int-key", f, words=["FRMPayload     d293662893d44754caebd7\nMIC"])
    says("6001ac00fca00b00b4d75988", "--s-nwk-s-int-key", s, words=["the MIC agrees"])
    says("6001ac00fca00b00b4d75989", "--s-nwk-s-int-key", s, words=["does not agree"])
    says("8001ac00fc8205001e9a0a0f930c4d5902ae8500", "--f-nwk-s-int-key", f, words=["the MIC agrees"])
    for wrong in (("--fcnt", "x"), ("--fcnt", "-1"), ("--fcnt", "0x100000000"), ("--package-version", "255")):
        run("decode", down, *wrong, status=2)
    says("--port", "0", "0350ff0001060d", "--down",
         words=["LinkADRReq dr=5 tx_power=0 ch_mask=255 ch_mask_cntl=0 nb_trans=1", "DevStatusReq", "a cut command"])
    says("--port", "0", "2002110346040302012a0d99",
         words=["DeviceModeInd mode=C", "PingSlotChannelAns frequency_ok=1 dr_ok=1",
                "NotifyNewEndDeviceReq dev_addr=01020304 wor_snr_db=-10 wor_rssi_dbm=-120", "an unknown command"])
    says("--port", "0", "0d120b9f550042a300efcdab", "--down",
         words=["gps_s=1436486418 (2025-07-14T00:00:00", "FilterListReq index=1 action=1 length=3 eui=abcdef"])
    says("--port", "200", "012300040302010104030202",
         words=["TS005", "total=2 groups=3 list=[ group=0 mc_addr=01020304, group=1 mc_addr=02020304 ]"])
    says("--port", "200", "0404", words=["McClassCSessionAns", "dr_error=1 frequency_error=0 undefined=0 start_missed=0\n"])
    says("--port", "201", "010a400300", "--package-version", "1", words=["received=10 missing=3 memory_error=0\n"])
    says("--port", "201", "01000a4003", words=["index=1 received=10 missing=3", "no_session=0"])
    says("--port", "202", "01d204000018", words=["AppTimeReq", "(1980-01-06T00:20:34", "token=8 ans_required=1"])
    says("--port", "203", "02ffffffff", "--down", words=["DevRebootTimeReq reboot_time=4294967295\n"])
    says("--port", "224", "0302", "--down", words=["SwitchClassReq value=C"])
    says("--port", "225", "0101020aca8101010203041577", words=["list=[ id=2 version=10 port=202 ]", "AppTimeReq", "token 119"])
    says("--port", "226", "0000000010203040506070809000000000ffffffff".replace("f", "0"), words=["ForwardUplinkReq"])
    says("--port", "226", "6004030201000004c93d688bdd2edec78628", "--down",
         words=["ForwardDownlinkReq", "UnconfirmedDataDown", "01020304"])
    says("--port", "226", "0000", words=["cut before the frame"])
    says("--beacon", "9", "0000000b9f5574f200257c4534ac012a63",
         words=["1436486400 (2025-07-13T23:59:42", "48.85660 2.35219 (antenna 1)"])
    says("--beacon", "9", "0000000b9f5574f200257c4534ac012a64", words=["its CRC is wrong"])
    run("decode", "--beacon", "9", "00", status=1)
    run("decode", "--beacon", "7", "00", status=2)
    run("decode", "--beacon", "x", "00", status=2)
    run("decode", "--beacon", "9", "zz", status=1)
    run("decode", "--port", "1", "00", status=1)
    run("decode", "--port", "256", "00", status=2)
    run("decode", "--port", "200", "--beacon", "9", "00", status=2)
    run("decode", "--port", "200", status=2)


def joins():
    """A join-accept of 1.1 and the request that it answers (frames of tests/vectors/mac.json)."""
    nwk, eui, good = "00112233445566778899aabbccddeeff", "70b3d57ed0000001", "the MIC agrees"
    dev = bytes.fromhex("70b3d57ed0001122")[::-1].hex()
    join = bytes.fromhex(eui)[::-1].hex()
    requests = ["c000130060" + dev + "0300" + "00" * 4, "c001" + join + dev + "0900" + "00" * 4,
                "c002130060" + dev + "0400" + "00" * 4]
    answers = ["201015e16de529b766fd481e07ad904d92", "20b41455216596fbf4c4144ae04ca6edb0",
               "20aa0b76c99079e9f42d12bc5f43d77ef6"]
    for i, (request, answer) in enumerate(zip(requests, answers)):
        args = ("decode", answer, "--nwk-key", nwk, "--request", request)
        if i != 1:
            run(*args, status=2)  # such a request does not say which join server
        out = run(*args, "--join-eui", eui)
        assert good in out and "NetID          600013" in out and f"DevAddr        fc00ac0{2 + i}" in out, out
        other = request[:-12] + "0500" + "00" * 4  # another counter
        assert good not in run("decode", answer, "--nwk-key", nwk, "--request", other, "--join-eui", eui)
        assert good not in run("decode", answer, "--nwk-key", nwk)
    # A join and a rejoin of one device (tests/vectors/backend-interfaces.json), whose accepts have OptNeg.
    nwk = "0f0e0d0c0b0a09080706050403020100"
    pairs = (("00efcdab89674523010200f5e4d3c2b1a0030063258517",
              "203d96fd38998c760ada933aae969d8f2a64fd3d51033092c961b304838d939769"),
             ("c001efcdab89674523010200f5e4d3c2b1a0010057ea45a0",
              "200b5e8a95b0c0c82684cc81109c9bbc6548acde78c4785ea9ba6d9ccc19a5fb35"))
    for request, answer in pairs:
        assert good in run("decode", request, "--nwk-key", nwk)
        out = run("decode", answer, "--nwk-key", nwk, "--request", request)
        assert good in out and "OptNeg=1" in out and "867100000 867300000" in out, out
        assert good not in run("decode", answer, "--nwk-key", nwk[:-1] + "1", "--request", request)
    # A Join-Request of 1.1, and one of 1.0 with its answer, by AppKey.
    assert good in run("decode", "00010000000000000001000000000000000ce83685eb17", "--nwk-key", "01" * 16)
    accept, app = "2023cf335489aae3183c0be0baa8dee5f3", "0102030405060708090a0b0c0d0e0f10"
    asked = "0001010101010101010202020202020202030309b97b32"
    assert good in run("decode", asked, "--app-key", app)
    assert good in run("decode", accept, "--app-key", app, "--request", asked)
    # type 1 is signed by JSIntKey
    rejoin = "c00108070605040302010807060504030201020167f9abe7"
    assert "does not agree" in run("decode", rejoin, "--nwk-key", app)
    for wrong in ("zz", "", "40" + "00" * 11, accept):
        run("decode", accept, "--app-key", app, "--request", wrong, status=2)
    run("decode", accept, "--app-key", app, "--join-eui", "00", status=2)


def wor():
    """What passes between a device and its relay (frames of tests/vectors/relay.json)."""
    vectors = json.load(open(os.path.join(SOURCE, "tests/vectors/relay.json"), encoding="utf-8"))
    join = vectors["wor_join"][0]
    assert f"{join['uplink_freq_hz']} Hz DR{join['uplink_dr']}" in run("decode", "--wor", join["frame"])
    run("decode", "--wor", join["frame"], "--wor-ack", "00" * 7, "--root-wor-s-key", "00" * 16, status=1)  # it has none
    for up, ack in zip(vectors["wor_uplink"], vectors["wor_ack"], strict=True):
        known = ack["inputs"]
        assert up["inputs"]["wfcnt32"] == known["wfcnt32"], up["id"]
        args = ("--wor", up["frame"], "--root-wor-s-key", known["root_wor_s_key"], "--fcnt", str(known["wfcnt32"]),
                "--wor-on", f"{known['wor_freq_hz']},{known['wor_dr']}")
        out = run("decode", *args, "--wor-ack", ack["frame"], "--wor-ack-on", f"{known['ack_freq_hz']},{known['ack_dr']}")
        for word in (known["dev_addr"], f"uplink on      {known['uplink_freq_hz']} Hz DR{known['uplink_dr']}",
                     f"TOffset        {known['t_offset_ms']} ms", f"({known['cad_periodicity_ms']} ms)",
                     f"XTALAccuracy   {known['xtal_ppm']} ppm", f"RelayDataRate  DR{known['relay_data_rate']}",
                     f"CADToRX        {known['cad_to_rx_symbols']} symbols"):
            assert word in out, (word, out)
        words = {0: "yes", 1: "again in 30", 2: "again in 60", 3: "off"}
        assert f"Forward        {words[known['forward_code']]}" in out, out
        # in clear without keys; not by another key or counter
        assert "uplink on" not in run("decode", "--wor", up["frame"])
        run("decode", *args[:3], "00" * 16, *args[4:], status=1)
        run("decode", *args[:5], str(known["wfcnt32"] + 65536), *args[6:], status=1)
        other = run("decode", *args, "--wor-ack", ack["frame"], "--wor-ack-on", f"{known['ack_freq_hz'] + 100},3")
        assert f"TOffset        {known['t_offset_ms']} ms" not in other, other  # no MIC covers the channel
        run("decode", *args, "--wor-ack", ack["frame"][2:], "--wor-ack-on", f"{known['ack_freq_hz']},3", status=1)
    bad = run("decode", *args[:-1], "865100050,3", status=1)
    assert "steps of 100 Hz" in bad and "does not agree" not in bad, bad
    for frame in ("", "00", "zz", "01" * 14, "02" * 5, "00" * 256):
        run("decode", "--wor", frame, status=1)
    frame = vectors["wor_uplink"][0]["frame"]
    for wrong in (("--fcnt",), ("--down",), ("--root-wor-s-key", "00"), ("--root-wor-s-key", "00" * 16),
                  ("--root-wor-s-key", "00" * 16, "--wor-on", "865100000,16"), ("--wor-ack", "00" * 7),
                  ("--root-wor-s-key", "00" * 16, "--wor-on", "865100000"),
                  ("--root-wor-s-key", "00" * 16, "--wor-on", "865100000,3", "--fcnt", "-1")):
        run("decode", "--wor", frame, *wrong, status=2)


def messages():
    good = {"ProtocolVersion": "1.0", "SenderID": "00002b", "ReceiverID": "60000a", "TransactionID": 7,
            "MessageType": "PRStopReq", "DevEUI": "a0b1c2d3e4f50001"}
    out = run("decode", "--ts002", "-", stdin=json.dumps(good))
    assert "PRStopReq" in out and "00002b" in out and "60000a" in out, out
    assert json.loads(out.splitlines()[-1]) == good, out
    hostile = dict(good, SenderID="\x1b[31m\u009b2J", ReceiverID="\x7fme")
    out = run("decode", "--ts002", "-", stdin=json.dumps(hostile))
    assert not any(c in out for c in "\x1b\u009b\x7f"), ascii(out)
    assert json.loads(out.splitlines()[-1]) == hostile, out
    out = run("decode", "--ts002", "-", "--dialect", "helium", stdin=json.dumps(good))
    assert json.loads(out.splitlines()[-1])["SenderID"] == "0x00002B", out
    out = run("decode", "--ts002", "-", stdin=json.dumps(dict(good, DevEUI=None)), status=1)
    assert "MalformedMessage" in out and "DevEUI" in out, out
    join = dict(good, MessageType="JoinAns", Result={"ResultCode": "Success"}, PHYPayload="20" * 17,
                Lifetime=0, NwkSKey={"KEKLabel": "", "AESKey": "00112233445566778899aabbccddeeff"},
                AppSKey={"KEKLabel": "", "AESKey": "00112233445566778899aabbccddeeff"})
    del join["DevEUI"]
    assert "00112233" not in run("decode", "--ts002", "-", stdin=json.dumps(join))
    for text in ("", "[]", "{", '"x"', "{}", "x" * 70000):
        assert "wrong" in run("decode", "--ts002", "-", stdin=text, status=1), text
    run("decode", "--ts002", "/nonexistent", status=1)
    run("decode", "--ts002", status=2)
    run("decode", "--ts002", "-", "--dialect", "klingon", status=2)


def configuration():
    good = os.path.join(SOURCE, "deploy", "godwit.yaml")
    run("check-config", "-c", good)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("network:\n  regions: [EU868, MARS]\nlog:\n  level: loud\nx: &a 1\n")
        file.flush()
        out = run("check-config", "-c", file.name, status=1)
        assert file.name + ":5:" in out and "Godwit is ready" not in out, out
        assert run("serve", "-c", file.name, status=1)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("network:\n  regions: [EU868, MARS]\nlog:\n  level: loud\ny: 1\n")
        file.flush()
        out = run("check-config", "-c", file.name, status=1)
        assert ":4: log.level" in out and ":5: y" in out, out
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("network:\n  regions: [EU868, US915, AU915, AS923, AS923-2, AS923-3, AS923-4, CN779, EU433, KR920,\n"
                   "    IN865, RU864, CN470-20A, CN470-20B, CN470-26A, CN470-26B, {name: CN470, sub_bands: [1, 12]},\n"
                   "    {name: ISM2400, extra_channels: [{frequency: 2405000000, max_dr: 7}]}]\n")
        file.flush()
        run("check-config", "-c", file.name)
    for regions, what in (
            ("[EU868, EU868]", "EU868: stands there twice"), ("[eu868]", "eu868: is no region"),
            ("[{name: US915, rx2_dr: 3}]", "US915, rx2_dr: is no downlink data rate"),
            ("[{name: EU868, rx2_frequency: 869525000}]", "not in this version"),
            ("[US915, {name: CN470-26A, sub_bands: [7]}]", "CN470-26A, sub_bands: the region has no such"),
            ("[{name: US915, extra_channels: [{frequency: 902400000}]}]", "does not allow"),
            ("[{name: EU868, extra_channels: [{frequency: 868300000}]}]", "is there already"),
            ("[{name: EU868, extra_channels: [{frequency: 868300000, min_dr: 6, max_dr: 6}]}]", None)):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("network: {regions: %s}\n" % regions)
            file.flush()
            out = run("check-config", "-c", file.name, status=1 if what else 0)
            assert (what or "good") in out, out
    run("check-config", "-c", "/nonexistent.yaml", status=1)
    run("serve", status=1, env={"GODWIT_ADMIN_API_KEY": "short"})


def one_server():
    server = Server(PROGRAM)
    server.start()
    data = ["--data-dir", server.data_dir]
    assert "is held" in run("serve", *data, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", status=1)
    assert oct(os.stat(server.data_dir + "/admin-password").st_mode)[-3:] == "600"
    assert oct(os.stat(server.data_dir + "/master-key").st_mode)[-3:] == "600"
    # Keys through the running server.
    key = run("apikey", "create", "--name", "k", "--scope", "tenants:read", *data).strip()
    assert server.api("GET", "/tenants", key=key)[0] == 200
    assert server.api("GET", "/gateways", key=key)[0] == 403
    assert "scope" in run("apikey", "create", "--name", "k", "--scope", "nonsense", *data, status=1)
    run("user", "set-password", "admin@localhost", *data, stdin="a new password 1\n")
    login = {"email": "admin@localhost", "password": "a new password 1"}
    status, token = server.api("POST", "/login", login, key=None)
    assert status == 200, token
    assert server.api("GET", "/users", key=token["token"])[0] == 200
    run("user", "set-password", "nobody@localhost", *data, stdin="a new password 1\n", status=1)
    # A copy while it runs; changes after it are not in it.
    tenant = next(server.pages("/tenants"))["id"]
    status, before = server.api("POST", "/applications", {"tenantId": tenant, "name": "before"})
    assert status == 201, before
    copy = server.data_dir + "-copy.db"
    run("backup", copy, *data)
    run("backup", copy, *data, status=1)
    status, after = server.api("POST", "/applications", {"tenantId": tenant, "name": "after"})
    assert status == 201
    run("restore", copy, *data, status=1)  # not while a server runs
    assert server.stop()[0] == 0
    return server, data, copy, before["id"], after["id"]


def restore(server, data, copy, before, after):
    run("restore", "--verify", copy, *data)
    with tempfile.NamedTemporaryFile(suffix=".db") as junk:
        junk.write(b"no database" * 1000)
        junk.flush()
        run("restore", "--verify", junk.name, *data, status=1)
        run("restore", junk.name, *data, status=1)
    assert "another master key" in run("restore", "--verify", copy, *data, status=1,
                                       env={"GODWIT_MASTER_KEY": "11" * 32})
    run("restore", copy, *data)
    server.start()
    assert server.api("GET", "/applications/" + before)[0] == 200
    assert server.api("GET", "/applications/" + after)[0] == 404
    assert server.stop()[0] == 0


def without_server(server, data):
    key = run("apikey", "create", "--name", "offline", "--admin", *data).strip()
    run("user", "set-password", "admin@localhost", *data, stdin="another password\n")
    run("user", "set-password", "nobody@localhost", *data, stdin="another password\n", status=1)
    run("apikey", "create", "--name", "x", *data, status=1)  # neither admin nor a scope
    assert "schema 1" in run("migrate", "--status", *data)
    run("migrate", *data)
    # A wrong or missing master key for an existing store: nothing is served, nothing written.
    size = os.path.getsize(server.data_dir + "/godwit.db")
    run("serve", *data, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", status=1,
        env={"GODWIT_MASTER_KEY": "22" * 32})
    os.rename(server.data_dir + "/master-key", server.data_dir + "/kept")
    run("serve", *data, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", status=1)
    assert not os.path.exists(server.data_dir + "/master-key"), "a lost key was papered over"
    os.rename(server.data_dir + "/kept", server.data_dir + "/master-key")
    assert os.path.getsize(server.data_dir + "/godwit.db") == size
    server.start()
    assert server.api("GET", "/users", key=key)[0] == 200
    login = {"email": "admin@localhost", "password": "another password"}
    assert server.api("POST", "/login", login, key=None)[0] == 200
    assert "--key" in run("events", status=2, env={"GODWIT_API_KEY": ""})
    run("events", "--url", server.url, "--key", key, "--device", "0102030405060708", status=1)
    assert server.stop()[0] == 0


def down_counters_move_on():
    """A restored store must not repeat a downlink counter."""
    server = Server(PROGRAM)
    server.start()
    tenant = next(server.pages("/tenants"))["id"]
    app = server.api("POST", "/applications", {"tenantId": tenant, "name": "a"})[1]["id"]
    profile = server.api("POST", "/device-profiles", {
        "tenantId": tenant, "name": "p", "region": "EU868", "macVersion": "1.0.3"})[1]["id"]
    eui = "70b3d57ed0000001"
    assert server.api("POST", "/devices", {"devEui": eui, "name": "d", "applicationId": app,
                                           "deviceProfileId": profile})[0] == 201
    session = {"devAddr": "01020304", "nwkSKey": "11" * 16, "appSKey": "22" * 16, "fCntUp": 9,
               "fCntDown": 5}
    assert server.api("PUT", "/devices/%s/activation" % eui, session)[0] == 200
    copy = server.data_dir + "-copy.db"
    run("backup", copy, "--data-dir", server.data_dir)
    assert server.stop()[0] == 0
    run("restore", copy, "--data-dir", server.data_dir)
    server.start()
    status, now = server.api("GET", "/devices/%s/activation" % eui)
    assert status == 200 and now["fCntDown"] == 5 + 4096 and now["fCntUp"] == 9, json.dumps(now)
    assert server.stop()[0] == 0


def several_regions():
    """Plans with common channels; a gateway without a region has the limits of all."""
    for regions, overlap, duties in (("EU868,IN865,RU864", None, 9), ("EU868", None, 6),
                                     ("AU915,US915,AS923", "region=AS923 before=AU915", 1)):
        server = Server(PROGRAM, env={"GODWIT_NETWORK_REGIONS": regions})
        server.start()
        tenant = next(server.pages("/tenants"))["id"]
        for at, region in ((1, None), (2, regions.split(",")[0])):
            gateway = {"gatewayId": "%016x" % at, "tenantId": tenant, "name": "g", "region": region}
            assert server.api("POST", "/gateways", gateway)[0] == 201
        duty = [len(server.api("GET", "/gateways/%016x" % at)[1]["dutyCycle"]) for at in (1, 2)]
        assert duty == [duties, 0 if overlap else 6], (regions, duty)
        assert server.stop()[0] == 0
        with open(server.log) as log:
            lines = [line for line in log if "regions_overlap" in line]
        assert len(lines) == (1 if overlap else 0) and (not overlap or overlap in lines[0]), lines


def main():
    arguments()
    frames()
    messages()
    wor()
    configuration()
    server, data, copy, before, after = one_server()
    restore(server, data, copy, before, after)
    without_server(server, data)
    down_counters_move_on()
    several_regions()
    print("the subcommands work")


if __name__ == "__main__":
    sys.exit(main())
