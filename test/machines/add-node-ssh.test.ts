import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, Network, type Machine, type MachineOptions } from "./machine.ts";
import { letIn, packageFiles } from "./reachable.ts";

// The manager's laptop, which is a node too, and a machine that has nothing but Sealaunch and sshd.
let network: Network;
let laptop: Machine;
let newcomer: Machine;
beforeAll(async () => {
  network = await Network.create();
  const options: MachineOptions = { network, files: packageFiles };
  [laptop, newcomer] = await Promise.all([
    machine({ ...options, name: "laptop" }),
    machine({ ...options, name: "n7" }),
  ]);
  await enrol(laptop, { secret: "the value", units: ["a1.service"] });
  const key = await laptop.sh("cat /root/.ssh/id_ed25519.pub");
  await letIn(newcomer, key, ["ed25519", "ecdsa"]);
  await newcomer.unit(
    "a1.service",
    `[Service]
Type=oneshot
TimeoutStartSec=6
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- /bin/sh -c 'exec cat $\${CREDENTIALS_DIRECTORY}/CF_TOKEN >/run/got'
`,
  );
});
afterAll(async () => {
  for (const one of [laptop, newcomer, network]) await one[Symbol.asyncDispose]();
});

const identity = "--identity /etc/credstore.encrypted/sealaunch-identity";

/** What the command says, and how it ends. */
async function addNode(options: string): Promise<{ status: number | null; said: string }> {
  const command = `cd /srv/cluster; sealaunch roster add-node --ssh root@${newcomer.address} --pool web --yes ${options}`;
  const { status, stdout, stderr } = await laptop.run("sh", ["-euc", command]);
  return { status, said: `${stdout.toString()}${stderr}` };
}

const generations = (): Promise<string> => laptop.sh("ls /srv/cluster/keys/pools/web");

/** After it, ssh on the laptop knows the newcomer by that key alone. */
async function know(key: string): Promise<void> {
  await laptop.sh(`echo '${newcomer.address} ${key}' >/root/.ssh/known_hosts`);
}

/** What the command says, and how it ends. */
async function removeNode(node: string): Promise<{ status: number | null; said: string }> {
  const command = `cd /srv/cluster; sealaunch roster remove-node ${node} --ssh root@${newcomer.address} --yes`;
  const { status, stdout, stderr } = await laptop.run("sh", ["-euc", command]);
  return { status, said: `${stdout.toString()}${stderr}` };
}

describe("a machine that is enrolled over ssh", () => {
  it("isn't talked to while ssh doesn't know its ed25519 key", async () => {
    const ecdsa = await newcomer.sh("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ecdsa_key.pub");
    for (const known of ["", ecdsa.trim()]) {
      await laptop.sh("rm -f /root/.ssh/known_hosts");
      if (known !== "") await know(known);
      const { status, said } = await addNode(identity);
      expect(said).toContain("Host key verification failed");
      expect(status).toBe(69);
    }
    expect((await newcomer.run("test", ["-e", "/etc/sealaunch"])).status).not.toBe(0);
    expect(await generations()).toBe("1\n");
  });

  it("starts services after that one command", async () => {
    const key = await newcomer.sh("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub");
    await know(key.trim());
    const { status, said } = await addNode(identity);
    expect(said).toMatch(/\+ node n7 \(recipient [0-9a-f]{32}, host key SHA256:/u);
    expect(said).toMatch(/has what it needs as node n7 of pools web: sent \d+ objects, \d+ kB/u);
    // It has no TPM, and says so where the one who asked for it sees it.
    expect(said).toMatch(/warning: root@.+: no TPM is needed/u);
    expect(status).toBe(0);
    await newcomer.ok("systemctl", ["start", "a1.service"]);
    expect(await newcomer.sh("cat /run/got")).toBe("the value");
    await laptop.sh("cd /srv/cluster; sealaunch verify");
  });

  it("is the same node when it is asked again, and gets what is new alone", async () => {
    const again = await addNode("");
    expect(again.said).toContain("nothing to do: pool web has n1, n7");
    expect(again.said).toContain("sent nothing new");
    expect(again.status).toBe(0);
    await laptop.sh(`
      cd /srv/cluster
      sealaunch roster add-pool other --yes
      sealaunch roster add-node /etc/sealaunch --pool other --known-hosts known_hosts --yes
      umask 077; printf other >/run/token
      sealaunch seal dns CF_TOKEN=/run/token`);
    const said = await laptop.sh(
      `cd /srv/cluster; sealaunch sync --ssh root@${newcomer.address} 2>&1`,
    );
    // A statement, its signature, a payload and its header; the roster and its signature.
    expect(said).toContain("as node n7 of pools web: sent 6 objects");
    await newcomer.ok("systemctl", ["start", "a1.service"]);
    expect(await newcomer.sh("cat /run/got")).toBe("other");
  });

  it("isn't emptied for a node that it isn't, and nothing is signed", async () => {
    const before = await generations();
    const { status, said } = await removeNode("n1");
    expect(said).toMatch(
      /^error: ssh doesn't know root@\S+ by a host key of node n1, which has SHA/mu,
    );
    expect(status).toBe(77);
    expect(await generations()).toBe(before);
  });

  it("has its identity still where it isn't reached when it is removed, which is said", async () => {
    await newcomer.unit(
      "runs.service",
      `[Service]
Type=exec
TimeoutStartSec=6
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- /bin/sleep infinity
`,
    );
    await laptop.sh("cd /srv/cluster; sealaunch seal dns --unit a1.service --unit runs.service");
    await laptop.sh(`cd /srv/cluster; sealaunch sync --ssh root@${newcomer.address}`);
    await newcomer.ok("systemctl", ["start", "runs.service"]);
    await newcomer.setConnected(false);
    const { status, said } = await removeNode("n7");
    await newcomer.setConnected(true);
    expect(said).toMatch(
      /^error: node n7 was removed, and root@\S+ may still have its identity: root@\S+ ended with 255/mu,
    );
    expect(said).toMatch(
      /^hint: once it is reached: sealaunch roster remove-node n7 --ssh root@/mu,
    );
    expect(status).toBe(69);
    expect(await laptop.sh("cd /srv/cluster; sealaunch roster show")).not.toContain("n7");
    await newcomer.ok("systemctl", ["start", "a1.service"]);
  });

  it("has nothing of the node any more once it is, and what ran on it runs on", async () => {
    await laptop.sh(`cd /srv/cluster; sealaunch rewrap ${identity}`);
    const mirrored = "find /var/lib/sealaunch-mirror -mindepth 1 | wc -l";
    expect(Number(await newcomer.sh(mirrored))).toBeGreaterThan(5);
    const { status, said } = await removeNode("n7");
    expect(said).toMatch(/^root@\S+ has nothing of node n7 any more$/mu);
    expect(status).toBe(0);
    expect(await newcomer.sh(mirrored)).toBe("0\n");
    const left =
      "ls /etc/credstore.encrypted /etc/sealaunch /var/lib/sealaunch/outbox 2>/dev/null || :";
    expect(await newcomer.sh(left)).not.toMatch(/identity|card|node\.json|nodes/u);
    expect(await newcomer.show("runs.service", "ActiveState")).toBe("active");
    expect((await newcomer.run("systemctl", ["start", "a1.service"])).status).not.toBe(0);
    // A second time there is nothing to do.
    expect(await removeNode("n7")).toMatchObject({ status: 0 });
  });

  it("comes back as a newcomer, with another identity", async () => {
    const { status, said } = await addNode(identity);
    expect(said).toMatch(/\+ node n7 \(recipient [0-9a-f]{32}, host key SHA256:/u);
    expect(status).toBe(0);
    await newcomer.ok("systemctl", ["start", "a1.service"]);
    expect(await newcomer.sh("cat /run/got")).toBe("other");
  });

  it("is refused with a card that another host key has signed, and with another cluster's", async () => {
    const before = await generations();
    await laptop.sh(
      `cat /etc/sealaunch/card.json | ssh root@${newcomer.address} 'cat >/etc/sealaunch/card.json'
      cat /etc/sealaunch/card.json.sig | ssh root@${newcomer.address} 'cat >/etc/sealaunch/card.json.sig'`,
    );
    const other = await addNode("");
    expect(other.said).toMatch(/^error: the card of n1 is signed by SHA256:.+ssh knows root@/mu);
    expect(other.status).toBe(77);
    await newcomer.sh(
      `sed -i 's/"cluster": "[0-9a-f]*"/"cluster": "${"0".repeat(32)}"/' /etc/sealaunch/node.json`,
    );
    expect((await addNode("")).said).toContain(`is a node of cluster ${"0".repeat(32)}`);
    expect(await generations()).toBe(before);
  });
});
