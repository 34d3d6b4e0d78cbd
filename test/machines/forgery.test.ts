import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { tellAnswer } from "./refresh-attack.ts";
import { systemds } from "./systemds.ts";

// agent/unknown-asker: a service with uid 0 and no capability at all, which is no member of the trusted,
// asks in the name of another while that one is being started. docs/decisions/0016 lists the ways.

const secret = "correct horse battery staple";

const attack = String.raw`import os, socket, sys, time
ways = sys.argv[1].split(",")
ask = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
claim = b"1234567890abcdef/unit/victim.service/CF_TOKEN"
if "group" in ways:
    for place in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        try:
            with open(place + "/system.slice/victim.service/cgroup.procs", "w") as group:
                group.write(str(os.getpid()))
        except OSError as error:
            print(place, error)
    print("group", open("/proc/self/cgroup").read().split())
if "name" in ways:
    with open("/proc/self/comm", "w") as comm:
        comm.write("(sd-mkdcreds)")
if "newline" in ways:
    inode = os.fstat(ask.fileno()).st_ino
    claim = b"x\n0000000000000000: 00000003 00000000 00000000 0001 03 %d @" % inode + claim
ask.bind(b"\0" + claim[:106])
ask.connect("/run/sealaunch/agent.sock")
if "half" in ways:
    ask.shutdown(socket.SHUT_WR)
${tellAnswer(secret)}
`;

const victim = (pre: string): string => `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
User=nobody
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStartPre=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- /bin/sleep ${pre}
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- /bin/sleep 600
`;

describe.for(systemds)("with %s,", ([, options]) => {
  let node: Machine;
  beforeAll(async () => {
    node = await machine(options);
    await enrol(node, { secret, units: ["victim.service"] });
    await node.write("/run/attack.py", attack);
    await node.unit("victim.service", victim("2"));
  });
  afterAll(() => node[Symbol.asyncDispose]());

  /** What an attacker says that he got, asking while the victim is being started; the victim is, too. */
  async function ask(ways: string): Promise<string> {
    await node.write(
      "/etc/systemd/system/attacker.service",
      `[Unit]
StartLimitIntervalSec=0
[Service]
Type=oneshot
CapabilityBoundingSet=
StandardOutput=append:/run/attacked
ExecStart=/usr/bin/python3 /run/attack.py ${ways}
`,
    );
    await node.sh(`
    systemctl daemon-reload
    systemctl stop victim.service
    rm -f /run/attacked
    systemctl start --no-block victim.service
    for i in $(seq 50); do
      [ "$(systemctl show --value -p SubState victim.service)" = start-pre ] && break
      sleep 0.05
    done
    systemctl start attacker.service
    [ "$(systemctl show --value -p SubState victim.service)" = start-pre ]`);
    const said = await node.sh("cat /run/attacked");
    await node.sh(`
    for i in $(seq 100); do
      [ "$(systemctl show --value -p ActiveState victim.service)" = active ] && exit
      sleep 0.05
    done
    exit 1`);
    return said;
  }

  describe("a service with uid 0 that asks in the name of another", () => {
    it.for([
      ["by the name of its socket", "socket"],
      ["from the other's control group", "group"],
      ["under the name of systemd's process", "group,name"],
      ["by a newline in the name of its socket", "newline,group,name"],
      ["and closes its writing half as systemd does", "half,group,name"],
    ])("gets no secret: %s", async ([, ways = ""]) => {
      const said = await ask(ways);
      if (ways.includes("group")) expect(said).toContain("/system.slice/victim.service");
      expect(said).toMatch(/^answered \d{7} no secret$/mu);
      const log = await node.sh("journalctl -u sealaunch-agent.service -n 20 -o cat --no-pager");
      expect(log).toMatch(/is not systemd starting it|whose name is no unit's/u);
    });

    it("gets none as a unit of that name of root's own user manager", async () => {
      await node.write(
        "/etc/systemd/user/victim.service",
        `[Service]
Type=oneshot
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
ExecStart=/bin/sh -c 'cp $CREDENTIALS_DIRECTORY/CF_TOKEN /run/stolen'
`,
      );
      await node.ok("systemctl", ["start", "user@0.service"]);
      const words = [
        "XDG_RUNTIME_DIR=/run/user/0",
        "systemctl",
        "--user",
        "start",
        "victim.service",
      ];
      expect((await node.run("env", words)).status).not.toBe(0);
      expect((await node.run("test", ["-e", "/run/stolen"])).status).toBe(1);
      const log = await node.sh("journalctl -u sealaunch-agent.service -n 5 -o cat --no-pager");
      expect(log).toContain("is not systemd starting it");
    });

    it("can't ask at all as another user", async () => {
      const words = [
        "--uid=nobody",
        "--pipe",
        "--quiet",
        "/usr/bin/python3",
        "/run/attack.py",
        "socket",
      ];
      const { stderr, stdout } = await node.run("systemd-run", words);
      expect(stderr).toContain("PermissionError");
      expect(stdout.toString()).not.toContain("answered");
    });
  });

  describe("a unit that asks for another's bundle", () => {
    it("is refused, and its journal says for whom the bundle is", async () => {
      await node.unit(
        "thief.service",
        victim("0").replaceAll("Type=exec", "Type=exec\nTimeoutStartSec=10"),
      );
      expect((await node.run("systemctl", ["start", "thief.service"])).status).not.toBe(0);
      const log = await node.sh("journalctl -u thief.service -o verbose --no-pager");
      expect(log).toContain(
        "MESSAGE=error: bundle dns 1 is for victim.service, thief.service asks",
      );
      expect(log).toContain("SEALAUNCH_CODE=bundle/wrong-unit");
      expect(log).toContain("status=243/CREDENTIALS");
    });

    it("is refused a credential that its own bundles don't have", async () => {
      const more = "LoadCredential=OTHER:/run/sealaunch/agent.sock\nType=exec";
      await node.unit("victim.service", victim("0").replace("Type=exec", more));
      expect((await node.run("systemctl", ["restart", "victim.service"])).status).not.toBe(0);
      const log = await node.sh("journalctl -u victim.service -n 20 -o cat --no-pager");
      expect(log).toContain("victim.service asks for credential OTHER");
      await node.unit("victim.service", victim("0"));
      await node.ok("systemctl", ["restart", "victim.service"]);
    });

    it("is refused if nothing in it would check what arrives", async () => {
      const bare = victim("0").replaceAll(
        "/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- ",
        "",
      );
      await node.unit("victim.service", bare);
      expect((await node.run("systemctl", ["restart", "victim.service"])).status).not.toBe(0);
      const log = await node.sh("journalctl -u victim.service -n 20 -o verbose --no-pager");
      expect(log).toContain("SEALAUNCH_CODE=unit/not-guarded");
    });
  });
});
