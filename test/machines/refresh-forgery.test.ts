import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "./pool.ts";
import { mark, Refreshing, victim } from "./refreshing.ts";

// Who asks in the name of a service while systemd fetches that one's credentials anew, with uid 0 and without a
// capability. PID 1's own child asks then, which is in PID 1's control group. docs/decisions/0029.

const attack = String.raw`import array, os, socket, sys, time
ways = sys.argv[1].split(",")
def notify(text, *descriptors):
    to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    to.connect(os.environ["NOTIFY_SOCKET"])
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    to.sendmsg([text], rights if descriptors else [])
ask = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
ask.bind(b"\0" + b"1234567890abcdef/unit/victim.service/CF_TOKEN")
# PID 1 has it then, and so has whatever PID 1 forks.
if "stored" in ways:
    notify(b"FDSTORE=1\nFDPOLL=0\nFDNAME=asks", ask.fileno())
if "init" in ways:
    for place in ("/sys/fs/cgroup/init.scope", "/sys/fs/cgroup/system.slice/victim.service"):
        if "unit" not in ways and "victim" in place:
            continue
        with open(place + "/cgroup.procs", "w") as group:
            group.write(str(os.getpid()))
        print("group", open("/proc/self/cgroup").read().split(), flush=True)
if "name" in ways:
    with open("/proc/self/comm", "w") as comm:
        comm.write("(sd-refresh-cre")
print("ready", flush=True)
while not os.path.exists("/run/now"):
    time.sleep(0.02)
if "removed" in ways:
    notify(b"FDSTOREREMOVE=1\nFDNAME=asks")
    time.sleep(0.5)
ask.connect("/run/sealaunch/agent.sock")
ask.shutdown(socket.SHUT_WR)
answer = b""
while True:
    part = ask.recv(65536)
    if not part:
        break
    answer += part
print("answered", len(answer), "secret" if b"${mark}" in answer else "no secret", flush=True)
`;

let all: Refreshing;
beforeAll(async () => {
  all = await Refreshing.create([]);
  await all.node.write("/run/attack.py", attack);
  await all.node.unit(victim, all.text());
  await all.node.ok("systemctl", ["start", victim]);
}, 120_000);
afterAll(() => all[Symbol.asyncDispose]());
beforeEach(() => all.node.sh("rm -f /run/now /run/attacked"));

const attacker = (ways: string): string => `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
CapabilityBoundingSet=
NotifyAccess=all
FileDescriptorStoreMax=8
StandardOutput=append:/run/attacked
ExecStart=/usr/bin/python3 /run/attack.py ${ways}
`;

const said = (): Promise<string> => all.node.sh("cat /run/attacked 2>/dev/null || :");

/** What an attacker says that he got while the victim is refreshing; whose values are newer afterwards. */
async function ask(ways: string): Promise<string> {
  const { node } = all;
  await node.unit("attacker.service", attacker(ways));
  await node.ok("systemctl", ["restart", "attacker.service"]);
  await until(async () => (await said()).includes("ready"), "the attacker is ready");
  const value = await all.seal();
  await all.during(victim, async () => {
    await node.sh("touch /run/now");
    await until(async () => (await said()).includes("answered"), "an answer");
  });
  expect(await node.show(victim, "ReloadResult")).toBe("success");
  expect(await all.lies(victim)).toBe(value);
  return said();
}

describe("a service with uid 0 that asks in the name of one that is being reloaded", () => {
  it.for([
    ["by the name of its socket", "socket"],
    ["from PID 1's control group", "init"],
    ["from the unit's control group", "init,unit"],
    ["under the name of systemd's process", "init,name"],
    ["by a socket that PID 1 keeps for it", "stored"],
    ["by a socket that PID 1 has kept for it when it forked", "stored,removed"],
  ])("gets no secret: %s", async ([, ways = ""]) => {
    expect(await ask(ways)).toMatch(/^answered \d{7} no secret$/mu);
    expect(await all.agentSaid()).toContain("is not systemd starting it");
  });
});
