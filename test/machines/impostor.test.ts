import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Pool, until } from "./pool.ts";
import { systemds } from "./systemds.ts";

// A service with uid 0 and no capability that has PID 1 itself say that it is the victim's main process,
// and runs systemd's own program there: with what is looked at besides, see docs/decisions/0016.

const impostor = String.raw`import ctypes, os, socket, sys, time
ways = sys.argv[1].split(",")
libc = ctypes.CDLL(None, use_errno=True)
def main_pid():
    return os.popen("systemctl show -P MainPID victim.service").read().strip()
agent = int(os.popen("systemctl show -P MainPID sealaunch-agent.service").read())
ask = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
ask.bind(b"\0" + b"1234567890abcdef/unit/victim.service/CF_TOKEN")
child = os.fork()
if child == 0:
    for place in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        try:
            with open(place + "/system.slice/victim.service/cgroup.procs", "w") as group:
                group.write(str(os.getpid()))
        except OSError:
            pass
    if "notify" in ways:
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.connect("/run/systemd/notify")
        notify.send(b"MAINPID=%d" % os.getpid())
    if "pidfile" in ways:
        with open("/run/victim.pid", "w") as file:
            file.write("%d\n" % os.getpid())
    for tries in range(100):
        if main_pid() == str(os.getpid()):
            break
        time.sleep(0.05)
    if "namespace" in ways:
        # Ambient capabilities outlast what follows, though uid 0 can't be mapped without any.
        libc.unshare(0x10000000)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        data = (ctypes.c_uint32 * 6)()
        # All three of the kernel's sets, low halves first, are PID 1's.
        wanted = int(sys.argv[3], 16)
        for at in range(6):
            data[at] = (wanted >> (0 if at < 3 else 32)) & 0xffffffff
        libc.capset(header, data)
        for capability in range(41):
            libc.prctl(47, 2, capability, 0, 0)
    # It stops when it has become the program, and has asked itself: the agent comes to look afterwards.
    os.kill(agent, 19)
    ask.connect("/run/sealaunch/agent.sock")
    libc.ptrace(0, 0, 0, 0)
    os.set_inheritable(ask.fileno(), True)
    os.execv(sys.argv[2], ["(sd-mkdcreds)"])
os.waitpid(child, os.WUNTRACED)
status = open("/proc/%d/status" % child).read()
print("main", main_pid() == str(child), os.readlink("/proc/%d/exe" % child), flush=True)
print([line for line in status.splitlines() if line.startswith("CapPrm")], flush=True)
os.kill(agent, 18)
ask.shutdown(socket.SHUT_WR)
size = 0
while True:
    part = ask.recv(65536)
    if not part:
        break
    size += len(part)
print("answered", size)
os.kill(child, 9)
`;

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
  }, 120_000);
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
