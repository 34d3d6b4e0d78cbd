import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { impostor } from "./impostor.ts";
import { Pool, until } from "./pool.ts";
import { systemds } from "./systemds.ts";

// A service with uid 0 and no capability that has PID 1 itself say that it is the victim's main process,
// and runs systemd's own program there: with what is looked at besides, see docs/decisions/0016.

// As many rows as fit into a name, for the sockets that the kernel will make next on any processor.
const flood = String.raw`import os, socket, time
sockets = []
for processor in range(os.cpu_count()):
    os.sched_setaffinity(0, {processor})
    new = [socket.socket(socket.AF_UNIX) for at in range(400)]
    last = os.fstat(new[-1].fileno()).st_ino
    for at, one in enumerate(new):
        rows = "\n".join("0: 0 0 0 0 0 %d @" % (last + 4 * at + row) for row in range(1, 5))
        one.bind(b"\0%d\n" % one.fileno() + rows.encode())
    sockets += new
print("bound", len(sockets), flush=True)
time.sleep(600)
`;

describe.for(systemds)("with %s,", ([, options]) => {
  let pool: Pool;
  /** The program of PID 1. */
  let systemd = "";
  /** What that may do, in the kernel's hex digits. */
  let powers = "";
  beforeAll(async () => {
    pool = await Pool.create({ ...options, units: ["victim.service"] });
    systemd = (await pool.node.sh("readlink /proc/1/exe")).trim();
    powers = (await pool.node.sh("awk '/^CapPrm/ { print $2 }' /proc/1/status")).trim();
    await pool.node.write("/run/impostor.py", impostor);
    await pool.node.write("/run/flood.py", flood);
  });
  afterAll(() => pool[Symbol.asyncDispose]());
  beforeEach(() => pool.node.sh("systemctl stop victim.service 2>/dev/null || :"));

  const victim = (lines: readonly string[], command: string): string =>
    pool.text(lines, command).replace("Type=oneshot\n", "");

  /** What an impostor of the victim says that he got. */
  async function ask(ways: string): Promise<string> {
    await pool.node.unit(
      "impostor.service",
      `[Service]
Type=oneshot
TimeoutStartSec=60
CapabilityBoundingSet=
StandardOutput=append:/run/asked
StandardError=append:/run/asked
ExecStart=/usr/bin/python3 /run/impostor.py ${ways} ${systemd} ${powers}
`,
    );
    await pool.node.sh("rm -f /run/asked; systemctl start impostor.service || :");
    return pool.node.sh("cat /run/asked");
  }

  describe("a service with uid 0 and no capability that PID 1 has for another's main process", () => {
    it.for([
      ["since the other one lets anybody tell so", "notify", "0000000000000000"],
      [
        "with all capabilities of a user namespace of its own",
        "notify,namespace",
        "000001ffffffffff",
      ],
    ])("gets no secret: %s", async ([, ways = ""]) => {
      const ready = "/bin/sh -c 'systemd-notify --ready; exec sleep 600'";
      await pool.node.unit("victim.service", victim(["Type=notify", "NotifyAccess=all"], ready));
      await pool.node.ok("systemctl", ["start", "victim.service"]);
      const said = await ask(ways);
      expect(said).toMatch(/^main True \S+\/systemd$/mu);
      expect(said).toContain(`CapPrm:\\t${ways === "notify" ? "0".repeat(16) : powers}`);
      expect(said).toMatch(/^answered 10\d{5}$/mu);
      await pool.node.ok("systemctl", ["restart", "victim.service"]);
    });

    it("gets no secret: since it wrote the other's PIDFile=", async () => {
      const forks = "/bin/sh -c 'sleep 600 & sleep 1'";
      const lines = ["Type=forking", "PIDFile=/run/victim.pid", "NotifyAccess=all", "User="];
      await pool.node.unit("victim.service", victim(lines, forks));
      await pool.node.ok("systemctl", ["start", "--no-block", "victim.service"]);
      const said = await ask("pidfile");
      expect(said).toMatch(/^main True \S+\/systemd$/mu);
      expect(said).toMatch(/^answered 10\d{5}$/mu);
    });
  });

  describe("names of sockets that look like rows of the kernel's table", () => {
    it("keep no unit from starting, whoever bound them", async () => {
      await pool.node.unit("victim.service", victim(["Type=oneshot"], ""));
      const words = ["--unit=flood", "--uid=nobody", "-p", "LimitNOFILE=65536"];
      await pool.node.ok("systemd-run", [...words, "/usr/bin/python3", "/run/flood.py"]);
      const log = (): Promise<string> => pool.node.sh("journalctl -q -u flood -o cat");
      await until(async () => (await log()).includes("bound"), "the names are bound");
      const before = (await pool.ran()).length;
      for (let times = 0; times < 3; times++) await pool.node.ok("systemctl", ["start", "victim"]);
      expect((await pool.ran()).length - before).toBe(3);
      await pool.node.ok("systemctl", ["stop", "flood"]);
    });
  });
});
