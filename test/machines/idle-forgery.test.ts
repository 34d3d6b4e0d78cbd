import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { until, wrapper } from "./pool.ts";
import { attack } from "./refresh-attack.ts";
import { systemds } from "./systemds.ts";

// With Type=idle, what PID 1 has forked for a unit waits for other units, up to 5 s. Before systemd 254 it has all of
// PID 1's descriptors until then. docs/decisions/0016.

const socket = "/run/sealaunch/agent.sock";

const rows = systemds.flatMap(([systemd, options]) => [
  [systemd, options, ""] as const,
  // As in a container that keeps the agent from asking who has connected.
  [`${systemd} and no pidfd_getfd(2)`, options, "SystemCallFilter=~pidfd_getfd"] as const,
]);

describe.for(rows)("with %s,", ([, options, setting]) => {
  let node: Machine;
  beforeAll(async () => {
    node = await machine(options);
    await enrol(node, { secret: "correct horse battery staple", units: ["victim.service"] });
    await node.write("/run/attack.py", attack);
    const own = "/etc/systemd/system/sealaunch-agent.service.d/own.conf";
    await node.write(own, `[Service]\n${setting}\n`);
    await node.sh("systemctl daemon-reload; systemctl restart sealaunch-agent.service");
    await node.unit("long.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep 8\n");
    await node.unit(
      "victim.service",
      `[Service]
Type=idle
LoadCredential=CF_TOKEN:${socket}
LoadCredential=sealaunch:${socket}
ExecStart=${wrapper} run --bundle dns -- /bin/sleep 600
`,
    );
    await node.unit(
      "attacker.service",
      `[Service]
Type=exec
CapabilityBoundingSet=
NotifyAccess=all
FileDescriptorStoreMax=8
StandardOutput=append:/run/attacked
ExecStart=/usr/bin/python3 /run/attack.py stored
`,
    );
  });
  afterAll(() => node[Symbol.asyncDispose]());

  it("a socket that PID 1 keeps gets no secret of a unit that waits to be started", async () => {
    const said = (): Promise<string> => node.sh("cat /run/attacked 2>/dev/null || :");
    await node.ok("systemctl", ["start", "attacker.service"]);
    const kept = (): Promise<string> => node.show("attacker.service", "NFileDescriptorStore");
    await until(async () => (await kept()) === "1", "PID 1 has the socket");
    await node.sh("systemctl start --no-block long.service victim.service");
    const pid = (): Promise<string> => node.show("victim.service", "MainPID");
    await until(async () => (await pid()) !== "0", "the victim's process");
    expect(await node.sh(`readlink /proc/${await pid()}/exe`)).toMatch(/\/systemd(-executor)?\n$/u);
    await node.sh("touch /run/now");
    await until(async () => /answered|Error/u.test(await said()), "an answer");
    expect(await said()).toMatch(/^answered \d{7} no secret$/mu);
    const arrived = "test -s /run/credentials/victim.service/CF_TOKEN";
    await until(async () => (await node.run("sh", ["-c", arrived])).status === 0, "the victim's");
  });
});
