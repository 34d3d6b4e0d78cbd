import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { addDnsProgram } from "./dns-program.ts";
import { machine, type Machine } from "./machine.ts";

const absent = "/nix/store/00000000000000000000000000000000-absent/bin/service";

let node: Machine;
let program = "";
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret: "correct horse", units: ["dns.service"] });
  program = await addDnsProgram(node);
});
afterAll(() => node[Symbol.asyncDispose]());

/** What a service file becomes, installed on the node. */
async function install(
  { bundle = "dns", ...changes }: Readonly<Record<string, unknown>>,
  ...words: readonly string[]
): Promise<{ readonly exit: number | null; readonly stdout: string; readonly stderr: string }> {
  const service = {
    version: 1,
    name: "dns",
    program,
    bundles: ["dns"],
    runtimeDirectories: ["dns"],
    ...changes,
  };
  await node.write("/srv/cluster/dns.json", JSON.stringify(service));
  await node.sh("cd /srv/cluster && sealaunch unit dns.json --output /run/dns.service");
  // More than the bundles here could give: 'unit' refuses to write that.
  await node.sh(`sed -i 's/--bundle dns /--bundle ${String(bundle)} /' /run/dns.service`);
  const { status, stdout, stderr } = await node.run("sealaunch", [
    ...["unit", "--install", "/run/dns.service", "--settle", "2", ...words],
  ]);
  return { exit: status, stdout: stdout.toString(), stderr };
}

const says = (): Promise<string> => node.sh("cat /run/dns/says 2>/dev/null || true");
const installed = (): Promise<string> =>
  node.sh("cat /etc/systemd/system/dns.service 2>/dev/null || true");
const pid = (): Promise<string> => node.show("dns.service", "MainPID");

describe("a unit that is installed", () => {
  it("isn't there afterwards if it doesn't start, where there was none", async () => {
    const { exit, stderr } = await install({ arguments: ["crash"] });
    expect(stderr).toMatch(
      /^error: dns\.service was started and doesn't run: exit-code, status 3$/mu,
    );
    expect(exit).toBe(69);
    expect(await installed()).toBe("");
    expect(await node.sh("systemctl list-units --failed --no-legend dns.service")).toBe("");
  });

  it("is only shown with --dry-run", async () => {
    const { exit, stdout } = await install({ arguments: ["one"] }, "--dry-run");
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^\+ExecStart=.* one$/mu);
    expect(await installed()).toBe("");
  });

  it("runs, and is started at boot", async () => {
    const { exit, stdout } = await install({ arguments: ["one"] });
    expect(stdout).toBe("dns.service runs\n");
    expect(exit).toBe(0);
    expect(await says()).toBe("one correct horse\n");
    expect(await node.show("dns.service", "UnitFileState")).toBe("enabled");
  });

  it("is left alone if it is as it is to be", async () => {
    const before = await pid();
    const { exit, stdout } = await install({ arguments: ["one"] });
    expect(stdout).toBe("dns.service runs as it is to\n");
    expect(exit).toBe(0);
    expect(await pid()).toBe(before);
  });

  it("gives way to its successor", async () => {
    expect((await install({ arguments: ["two"] })).exit).toBe(0);
    expect(await says()).toBe("two correct horse\n");
  });

  it.each([
    ["no cache has its program", { program: absent }, "closure/absent", "00000-absent"],
    ["its bundle isn't there", { env: ["CF_TOKEN"], bundle: "dns@7+" }, "bundle/below-floor", "7"],
  ])("isn't stopped for one of which %s", async (_, changes, code, named) => {
    const [process, text] = [await pid(), await installed()];
    const { exit, stderr } = await install(changes);
    expect(stderr).toMatch(
      /^error: dns\.service can't start as it is to, and what runs was left as it is: /mu,
    );
    expect(stderr).toContain(named);
    expect(exit).not.toBe(0);
    expect(await pid()).toBe(process);
    expect(await installed()).toBe(text);
    expect(await node.show("dns.service", "NeedDaemonReload")).toBe("no");
    const json = await install(changes, "--json");
    expect(JSON.parse(json.stderr)).toMatchObject({ code });
  });

  it("runs again if its successor ends at once", async () => {
    const text = await installed();
    const { exit, stderr } = await install({ arguments: ["crash"] });
    expect(stderr).toMatch(
      /^error: dns\.service was started and doesn't run: exit-code, status 3; what was there before runs again$/mu,
    );
    expect(exit).toBe(69);
    expect(await installed()).toBe(text);
    expect(await says()).toBe("two correct horse\n");
    expect(await node.show("dns.service", "ActiveState")).toBe("active");
    expect(await node.sh("ls /var/lib/sealaunch/replaced")).toBe("");
  });

  it("is put in place by one at a time, who may be killed", async () => {
    await node.sh(`
      sed 's/ two$/ three/' /etc/systemd/system/dns.service >/run/dns.service
      sealaunch unit --install /run/dns.service --settle 1000 >/dev/null 2>&1 & echo $! >/run/first
      until systemctl show dns.service -P ActiveState | grep -qx active && grep -q three /run/dns/says; do sleep 0.1; done`);
    const second = await install({ arguments: ["crash"] });
    expect(second.stderr).toMatch(
      /^error: dns\.service is being put in place by another 'sealaunch unit --install'$/mu,
    );
    expect(second.exit).toBe(75);
    const json = await install({ arguments: ["crash"] }, "--json");
    expect(JSON.parse(json.stderr)).toMatchObject({ code: "unit/busy" });
    expect(await says()).toBe("three correct horse\n");
    // The lock goes with whoever had it; what he had begun is undone.
    await node.sh("kill -9 $(cat /run/first); sleep 3");
    expect((await install({ arguments: ["two"] })).exit).toBe(0);
    expect(await says()).toBe("two correct horse\n");
  });

  it("is what is put back, if a change to another was cut off", async () => {
    const text = await installed();
    // As it is left by a change that was killed after it wrote.
    await node.sh(`
      cp /etc/systemd/system/dns.service /var/lib/sealaunch/replaced/dns.service
      echo "# half a change" >>/etc/systemd/system/dns.service
      systemctl daemon-reload`);
    expect((await install({ arguments: ["crash"] })).exit).toBe(69);
    expect(await installed()).toBe(text);
  });
});
