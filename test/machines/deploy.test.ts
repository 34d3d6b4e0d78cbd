import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { machine, Network, type Machine, type MachineOptions } from "./machine.ts";

// The laptop is a node too, n1, and no ssh daemon runs there: the node that isn't reached.
let network: Network;
let laptop: Machine;
let nodes: readonly Machine[];
let program = "";
beforeAll(async () => {
  network = await Network.create();
  const options: MachineOptions = {
    network,
    files: {
      "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers"),
      "/usr/lib/tmpfiles.d/sealaunch.conf": textOfFile("systemd/sealaunch.tmpfiles"),
    },
  };
  [laptop, ...nodes] = (await Promise.all(
    ["laptop", "n7", "n8"].map((name) => machine({ ...options, name })),
  )) as [Machine, ...Machine[]];
  await enrol(laptop, { secret: "correct horse", units: ["dns.service"] });
  const key = await laptop.sh("cat /root/.ssh/id_ed25519.pub");
  for (const node of nodes) {
    await node.write("/root/.ssh/authorized_keys", key, 0o600);
    await node.sh(`
      rm -f /etc/ssh/ssh_host_*
      ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
      systemd-sysusers
      systemd-tmpfiles --create sealaunch.conf
      mkdir -p /run/sshd
      /usr/sbin/sshd`);
    const host = await node.sh("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub");
    await laptop.sh(`
      cd /srv/cluster
      echo '${node.address} ${host.trim()}' >>/root/.ssh/known_hosts
      sealaunch roster add-node --ssh root@${node.address} --pool web --yes \\
        --identity /etc/credstore.encrypted/sealaunch-identity`);
  }
  const [n7, n8] = nodes.map(({ address }) => `root@${address}`);
  // Only the signed cards say who they are.
  await laptop.sh(`
    rm /root/.ssh/known_hosts
    sed -i '1s#{#{"hosts": {"n7": "${n7 ?? ""}", "n8": "${n8 ?? ""}"},#' /srv/cluster/sealaunch.json`);
  await laptop.write(
    "/run/built/bin/service",
    `#!/bin/sh
[ "$1" != crash ] || exit 3
echo "$1 $(cat $CREDENTIALS_DIRECTORY/CF_TOKEN)" >/run/dns/says
exec sleep 1000
`,
    0o755,
  );
  program = `${(await laptop.sh("nix-store --add /run/built")).trim()}/bin/service`;
}, 240_000);
afterAll(async () => {
  for (const one of [laptop, ...nodes, network]) await one[Symbol.asyncDispose]();
});

interface Outcome {
  readonly exit: number | null;
  readonly stderr: string;
  /** By node, what came of it there. */
  readonly states: Readonly<Record<string, string>>;
}

/** What deploying a service file ends with. */
async function deploy(changes: Readonly<Record<string, unknown>>, options = ""): Promise<Outcome> {
  const service = {
    ...{ version: 1, name: "dns", program, bundles: ["dns"], runtimeDirectories: ["dns"] },
    ...changes,
  };
  await laptop.write("/srv/cluster/dns.json", JSON.stringify(service));
  const command = `cd /srv/cluster; exec sealaunch deploy dns.json --json --settle 2 ${options}`;
  const { status, stdout, stderr } = await laptop.run("sh", ["-euc", command]);
  const { nodes: told } = JSON.parse(stdout.toString() || `{"nodes":[]}`) as {
    nodes: { readonly node: string; readonly state: string }[];
  };
  return {
    exit: status,
    stderr,
    states: Object.fromEntries(told.map(({ node, state }) => [node, state])),
  };
}

const says = (): Promise<string[]> =>
  Promise.all(nodes.map((node) => node.sh("cat /run/dns/says 2>/dev/null || true")));
const pids = (): Promise<string[]> =>
  Promise.all(nodes.map((node) => node.show("dns.service", "MainPID")));

describe("a service that is deployed", () => {
  it("is only shown with --dry-run", async () => {
    const { exit, states } = await deploy({ arguments: ["one"] }, "--dry-run --node n7 --node n8");
    expect(states).toEqual({ n7: "would change", n8: "would change" });
    expect(exit).toBe(0);
    expect(await says()).toEqual(["", ""]);
  });

  it("runs on every node that is reached, and the one that isn't is named", async () => {
    const { exit, states, stderr } = await deploy(
      { arguments: ["one"] },
      "--copy-closure --at-once 3",
    );
    expect(states).toEqual({ n1: "not reached", n7: "runs", n8: "runs" });
    expect(JSON.parse(stderr)).toMatchObject({ code: "ssh/failed" });
    expect(stderr).toContain("dns.json on n1: ");
    expect(exit).toBe(69);
    expect(await says()).toEqual(["one correct horse\n", "one correct horse\n"]);
  });

  it("is left alone where it runs as it is to", async () => {
    const before = await pids();
    const { exit, states } = await deploy({ arguments: ["one"] }, "--node n7 --node n8");
    expect(states).toEqual({ n7: "ran already", n8: "ran already" });
    expect(exit).toBe(0);
    expect(await pids()).toEqual(before);
  });

  it("gets what has been sealed since", async () => {
    await laptop.sh(`
      cd /srv/cluster; echo -n "battery staple" >/run/token
      sealaunch seal dns CF_TOKEN=/run/token; rm /run/token`);
    const { states } = await deploy(
      { arguments: ["two"], bundles: ["dns@2+"] },
      "--node n7 --node n8",
    );
    expect(states).toEqual({ n7: "runs", n8: "runs" });
    expect(await says()).toEqual(["two battery staple\n", "two battery staple\n"]);
  });

  it("goes back where it ends at once, and no further node is changed", async () => {
    const before = await pids();
    const { exit, states, stderr } = await deploy({ arguments: ["crash"] }, "--node n7 --node n8");
    expect(states).toEqual({ n7: "left as it was", n8: "not tried" });
    expect(stderr).toMatch(
      /exit-code, status 3; what was there before runs again; 1 more were left/u,
    );
    expect(exit).toBe(69);
    expect(await says()).toEqual(["two battery staple\n", "two battery staple\n"]);
    expect((await pids())[1]).toBe(before[1]);
  });

  it("isn't stopped for one that no node can have", async () => {
    const before = await pids();
    const absent = "/nix/store/00000000000000000000000000000000-absent/bin/service";
    const { exit, states, stderr } = await deploy({ program: absent }, "--node n7 --node n8");
    expect(states).toEqual({ n7: "left as it was", n8: "not tried" });
    expect(JSON.parse(stderr)).toMatchObject({ code: "closure/absent" });
    expect(exit).not.toBe(0);
    expect(await pids()).toEqual(before);
  });

  it("isn't brought to a machine that only answers where a node should", async () => {
    await laptop.sh(
      `sed -i 's#"n7": "[^"]*"#"n7": "root@${nodes[1]?.address ?? ""}"#' /srv/cluster/sealaunch.json`,
    );
    const before = await pids();
    const { states, stderr } = await deploy({ arguments: ["three"] }, "--node n7");
    expect(states).toEqual({ n7: "not reached" });
    expect(stderr).toContain("Host key verification failed");
    expect(await pids()).toEqual(before);
  });
});
