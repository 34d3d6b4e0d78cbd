import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guidanceOf } from "../../src/cli/guidance.ts";
import { createProgram } from "../../src/cli/program.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

// The examples in --help that work only where systemd and the agent are; the others are run by
// test/help.test.ts.

function examplesBelow(command: Command): string[] {
  const guidance = guidanceOf(command);
  const own = guidance?.needsSystemd === true ? guidance.examples : [];
  return [...own, ...command.commands.flatMap(examplesBelow)];
}
const examples = examplesBelow(createProgram());

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret: "correct horse battery staple", units: ["dns.service"] });
  await node.unit("dns.service", unitWith("sealaunch run --bundle dns@1+ -- /bin/sleep 600"));
  await node.ok("systemctl", ["start", "dns.service"]);
});
afterAll(() => node[Symbol.asyncDispose]());

const unitWith = (command: string): string => `[Service]
Type=exec
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/usr/bin/${command}
`;

describe("an example that needs systemd", () => {
  // A search of a whole disk takes minutes: plaintext.test.ts runs that. And deploy.test.ts and
  // status-members.test.ts have the other nodes that those tell of.
  it.for(
    examples.filter(
      (example) =>
        !/ (?:agent|check|deploy|doctor --search-plaintext|status --(?:pool|bundle))/u.test(
          example,
        ),
    ),
  )("works on a machine: %s", async (example) => {
    const { status, stderr } = await node.run("sh", ["-c", example]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  it("works in a unit: sealaunch check", async () => {
    const [example = ""] = examples.filter((line) => line.startsWith("sealaunch check "));
    const text = unitWith("sealaunch run --bundle dns@1+ -- /bin/sleep 600");
    await node.unit("dns.service", `${text}ExecStartPre=/usr/bin/${example}\n`);
    await node.ok("systemctl", ["restart", "dns.service"]);
  });

  it("works when systemd hands it the socket: sealaunch agent", async () => {
    const [example = ""] = examples.filter((line) => line.startsWith("sealaunch agent "));
    await node.write(
      "/etc/systemd/system/sealaunch-agent.service.d/example.conf",
      `[Service]\nExecStart=\nExecStart=/usr/bin/${example}\n`,
    );
    await node.sh("systemctl daemon-reload; systemctl restart sealaunch-agent.service");
    await node.ok("systemctl", ["restart", "dns.service"]);
    expect((await node.run("sealaunch", ["agent"])).stderr).toMatch(
      /^error: the agent is handed its socket/u,
    );
  });
});
