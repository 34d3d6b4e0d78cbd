import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { binaryOf, Engine, secret } from "./engine.ts";
import { live } from "./engine-life.ts";
import { until } from "./pool.ts";

const { path, missing } = binaryOf("SEALAUNCH_TEST_NOMAD", "nomad");

// Hands requests on to Nomad; before a job, somebody else's of the same name.
const relay = `import { createServer } from "node:http";
const nomad = "http://127.0.0.1:4646";
createServer(async (request, response) => {
  const { method, url } = request;
  const body = method === "GET" ? undefined : Buffer.concat(await request.toArray());
  if (method === "POST" && url === "/v1/jobs") {
    const { Job } = JSON.parse(body);
    const theirs = JSON.stringify({ Job: { ...Job, Meta: { by: "somebody else" } } });
    await fetch(nomad + url, { method, body: theirs });
  }
  const answer = await fetch(nomad + url, { method, body });
  response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
}).listen(8646, "127.0.0.1");
`;

const unit = `[Service]
Environment=HOME=/root
ExecStart=/usr/local/bin/nomad agent -dev -config /etc/nomad.hcl
`;
// A machine of the tests has not all of cgroups, without which an executor never ends.
const configuration = `plugin "raw_exec" {
  config {
    enabled    = true
    no_cgroups = true
  }
}
`;

describe.skipIf(missing !== undefined)(missing ?? "a service that Nomad is given by deploy", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create("nomad", path, "http://127.0.0.1:4646", 60);
    const { node } = engine;
    // Nomad's starts are in place.
    await node.sh("cd /srv/cluster; sealaunch seal dns --in-place");
    await node.write("/etc/nomad.hcl", configuration);
    await node.unit("nomad.service", unit);
    await node.sh("systemctl start nomad.service");
    const nodes = async (): Promise<string> =>
      (await node.run("curl", ["-s", "http://127.0.0.1:4646/v1/nodes"])).stdout.toString();
    await until(async () => (await nodes()).includes('"Status":"ready"'), "Nomad has a node");
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  live(
    () => engine,
    () => engine.node.sh("cat /tmp/NomadClient*/*/alloc/logs/dns.stdout.*"),
    /failed on \S+: Exit Code: 3/u,
  );

  it("isn't put over what somebody else has registered in between", async () => {
    const { node } = engine;
    await node.write("/run/relay.mjs", relay);
    const program = `/opt/sealaunch/node_modules/node-linux-${process.arch}/bin/node`;
    await node.sh(`
      systemd-run --quiet --unit relay ${program} /run/relay.mjs
      sed -i 's/127.0.0.1:4646/127.0.0.1:8646/' /srv/cluster/sealaunch.json
      until curl -s -o /dev/null http://127.0.0.1:8646/v1/nodes; do sleep 0.1; done`);
    const { exit, stderr } = await engine.deploy("four");
    expect(exit).toBe(75);
    expect(JSON.parse(stderr)).toMatchObject({ code: "scheduler/conflict" });
    const job = await node.sh("curl -s http://127.0.0.1:4646/v1/job/dns");
    expect(JSON.parse(job)).toMatchObject({ Meta: { by: "somebody else" } });
    expect(job).not.toContain(secret);
  });
});
