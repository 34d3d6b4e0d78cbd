import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deploying, type Outcome } from "./deploying.ts";
import { addDnsProgram } from "./dns-program.ts";

let cluster: Deploying;
let program = "";
beforeAll(async () => {
  cluster = await Deploying.create();
  const { laptop } = cluster;
  program = await addDnsProgram(laptop);
});
afterAll(() => cluster[Symbol.asyncDispose]());

const deploy = (changes: Readonly<Record<string, unknown>>, options = ""): Promise<Outcome> =>
  cluster.deploy({ program, ...changes }, options);
const says = (): Promise<string[]> => cluster.says();
const pids = (): Promise<string[]> => cluster.pids();

describe("a service that is deployed", () => {
  it("is only shown with --dry-run", async () => {
    const { exit, states, stderr } = await deploy(
      { arguments: ["one"] },
      "--copy-closure --dry-run --node n7 --node n8",
    );
    expect(states, stderr).toEqual({ n7: "would change", n8: "would change" });
    expect(exit).toBe(0);
    expect(await says()).toEqual(["", ""]);
  });

  it("runs on every node that is reached, and the one that isn't is named", async () => {
    const { exit, states, stderr } = await deploy(
      { arguments: ["one"] },
      "--copy-closure --at-once 3",
    );
    expect(states, stderr).toEqual({ n1: "not reached", n7: "runs", n8: "runs" });
    expect(JSON.parse(stderr)).toMatchObject({ code: "ssh/failed" });
    expect(stderr).toContain("dns.json on n1: ");
    expect(exit).toBe(69);
    expect(await says()).toEqual(["one correct horse\n", "one correct horse\n"]);
  });

  it("is left alone where it runs as it is to", async () => {
    const before = await pids();
    const { exit, states, stderr } = await deploy({ arguments: ["one"] }, "--node n7 --node n8");
    expect(states, stderr).toEqual({ n7: "ran already", n8: "ran already" });
    expect(exit).toBe(0);
    expect(await pids()).toEqual(before);
  });

  it("gets what has been sealed since", async () => {
    await cluster.laptop.sh(`
      cd /srv/cluster; echo -n "battery staple" >/run/token
      sealaunch seal dns CF_TOKEN=/run/token; rm /run/token`);
    const { states, stderr } = await deploy(
      { arguments: ["two"], bundles: ["dns@2+"] },
      "--node n7 --node n8",
    );
    expect(states, stderr).toEqual({ n7: "runs", n8: "runs" });
    expect(await says()).toEqual(["two battery staple\n", "two battery staple\n"]);
  });

  it("goes back where it ends at once, and no further node is changed", async () => {
    const before = await pids();
    const { exit, states, stderr } = await deploy({ arguments: ["crash"] }, "--node n7 --node n8");
    expect(states, stderr).toEqual({ n7: "left as it was", n8: "not tried" });
    expect(stderr).toMatch(
      /exit-code, status 3; what was there before runs again; 1 more were left/u,
    );
    expect(exit).toBe(69);
    expect(await says()).toEqual(["two battery staple\n", "two battery staple\n"]);
    expect((await pids())[1]).toBe(before[1]);
  });

  it("isn't stopped for one whose bundle nobody has sealed so far", async () => {
    const before = await pids();
    const { exit, states, stderr } = await deploy({ arguments: ["three"], bundles: ["dns@9+"] });
    expect(states).toEqual({});
    expect(JSON.parse(stderr)).toMatchObject({ code: "bundle/below-floor" });
    expect(exit).not.toBe(0);
    expect(await pids()).toEqual(before);
  });

  it("isn't stopped for one that no node can have", async () => {
    const before = await pids();
    const absent = "/nix/store/00000000000000000000000000000000-absent/bin/service";
    const { exit, states, stderr } = await deploy({ program: absent }, "--node n7 --node n8");
    expect(states).toEqual({});
    expect(JSON.parse(stderr)).toMatchObject({ code: "closure/absent" });
    expect(stderr).toContain(`node n7 can't start dns.service: ${absent.slice(0, 50)}`);
    expect(exit).not.toBe(0);
    expect(await pids()).toEqual(before);
  });

  it("isn't stopped for one that these nodes' systemd couldn't give newer values", async () => {
    const before = await pids();
    const { exit, states, stderr } = await deploy({ onChange: "signal" }, "--node n7 --node n8");
    expect(states).toEqual({});
    expect(JSON.parse(stderr)).toMatchObject({ code: "unit/setting" });
    expect(stderr).toContain("given no new credential before systemd 260; this is 25");
    expect(exit).toBe(78);
    expect(await pids()).toEqual(before);
  });

  it("isn't stopped for one that was to be copied from here, and isn't here", async () => {
    const before = await pids();
    const absent = "/nix/store/00000000000000000000000000000000-absent/bin/service";
    const { exit, states, stderr } = await deploy({ program: absent }, "--copy-closure");
    expect(states).toEqual({});
    expect(JSON.parse(stderr)).toMatchObject({ code: "store/missing" });
    expect(exit).not.toBe(0);
    expect(await pids()).toEqual(before);
  });

  it("isn't brought to a machine that only answers where a node should", async () => {
    await cluster.laptop.sh(
      `sed -i 's#"n7":"[^"]*"#"n7":"root@${cluster.nodes[1]?.address ?? ""}"#' /srv/cluster/sealaunch.json`,
    );
    const before = await pids();
    const { states, stderr } = await deploy({ arguments: ["three"] }, "--node n7");
    expect(states, stderr).toEqual({ n7: "not reached" });
    expect(stderr).toContain("Host key verification failed");
    expect(await pids()).toEqual(before);
  });

  it("isn't either where somebody's ssh has a connection open to it, for other commands to share", async () => {
    const address = cluster.nodes[1]?.address ?? "";
    await cluster.laptop.sh(`
      cp -p /root/.ssh/config /root/.ssh/config.before 2>/dev/null || :
      printf 'ControlPath /root/.ssh/%%%%C\\nControlPersist 300\\n' >>/root/.ssh/config
      ssh -o StrictHostKeyChecking=accept-new -o ControlMaster=yes root@${address} true
      ssh -O check root@${address}`);
    try {
      const before = await pids();
      const { states, stderr } = await deploy({ arguments: ["three"] }, "--node n7");
      expect(states, stderr).toEqual({ n7: "not reached" });
      expect(stderr).toContain("Host key verification failed");
      expect(await pids()).toEqual(before);
    } finally {
      await cluster.laptop.sh(`
        ssh -O exit root@${address}; rm -f /root/.ssh/config /root/.ssh/known_hosts
        [ ! -e /root/.ssh/config.before ] || mv /root/.ssh/config.before /root/.ssh/config`);
    }
  });
});
