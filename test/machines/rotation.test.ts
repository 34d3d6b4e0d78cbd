import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

const service = "a1.service";
const credential = "/etc/credstore.encrypted/sealaunch-identity";

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret: "first value", units: [service] });
  await node.unit(
    service,
    `[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=10
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- /bin/sh -c 'exec cat $\${CREDENTIALS_DIRECTORY}/CF_TOKEN >/run/got'
`,
  );
});
afterAll(() => node[Symbol.asyncDispose]());

/** What the unit gets at a start. */
const start = (): Promise<string> =>
  node.sh(`rm -f /run/got; systemctl restart ${service} && cat /run/got`);

const agentPid = (): Promise<string> => node.show("sealaunch-agent.service", "MainPID");

describe("rotating the identity of a node whose agent runs", () => {
  it("keeps starts working at every step, and leaves the new identity alone, encrypted", async () => {
    const value = await start();
    expect(value).toContain("first value");
    const before = await node.sh(`sealaunch identity show ${credential} --recipient`);
    const first = await agentPid();

    await node.sh("sealaunch identity rotate");
    expect(await node.sh(`ls ${credential}.next`)).toContain(".next");
    expect(await agentPid()).not.toBe(first);
    expect(await start()).toBe(value);
    await node.sh(
      "cd /srv/cluster && sealaunch roster add-node /etc/sealaunch/next --pool web --replace --yes",
    );
    expect(await start()).toBe(value);

    expect(await node.sh("sealaunch rewrap")).toContain("the one before is gone");
    expect(await start()).toBe(value);
    const after = await node.sh(`sealaunch identity show ${credential} --recipient`);
    expect(after).not.toBe(before);
    expect((await node.sh("ls /etc/credstore.encrypted")).trim()).toBe("sealaunch-identity");
    expect(await node.sh(`grep -c AGE-SECRET ${credential} || :`)).toBe("0\n");
    // Nothing of before is needed: also a new boot's agent starts it.
    await node.sh("systemctl restart sealaunch-agent.service");
    expect(await start()).toBe(value);
  });
});
