import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtPackage } from "../fixtures/package.ts";
import { textOfFile } from "../source.ts";
import { machine, type Machine } from "./machine.ts";

const secret = "correct horse battery staple";

// As the documents say it, by hand, with nothing that isn't in the package.
const enrol = `
  mkdir -p /srv/cluster /run/keys
  cd /srv/cluster
  for who in root ann; do ssh-keygen -q -t ed25519 -N '' -C $who -f /run/keys/$who; done
  ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
  sealaunch identity create /run/keys/operator
  sealaunch init --yes --root /run/keys/root.pub \
    --operator "offline=$(sealaunch identity show /run/keys/operator --recipient)"
  eval "$(ssh-agent)"
  trap 'kill $SSH_AGENT_PID' EXIT
  ssh-add -q /run/keys/root /run/keys/ann
  sealaunch identity create --into /etc/sealaunch --node n1
  echo "n1 $(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >known_hosts
  sealaunch roster add-pool web --yes --signer /run/keys/root.pub
  sealaunch roster add-node /etc/sealaunch --pool web --known-hosts known_hosts --yes --signer /run/keys/root.pub
  sealaunch roster add-signer ann /run/keys/ann.pub --name demo --yes --signer /run/keys/root.pub
  printf '%s' '${secret}' >/run/keys/token
  sealaunch seal demo API_TOKEN=/run/keys/token --pool web --unit demo.service --signer /run/keys/ann.pub`;

// It says what it has got, then waits.
const service = `
  mkdir -p /run/built/bin /run/built/sealaunch-wrapper
  cat >/run/built/bin/demo <<'END'
#!/bin/sh
sha256sum <"$CREDENTIALS_DIRECTORY/API_TOKEN"
exec sleep infinity
END
  chmod +x /run/built/bin/demo
  cp -r /usr/lib/sealaunch/wrapper/. /run/built/sealaunch-wrapper/
  program=$(nix-store --add /run/built)/bin/demo
  wrapper=$(nix-store --add /run/built/sealaunch-wrapper)/bin/sealaunch
  cat >/etc/systemd/system/demo.service <<END
[Service]
Type=exec
DynamicUser=yes
TimeoutStartSec=10
LoadCredential=API_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=$wrapper run --bundle demo -- $program
END
  systemctl daemon-reload`;

/** What docs/debian.md says of the agent that couldn't be taken away, as lines of a drop-in. */
const findings: Readonly<Record<string, string>> = {
  "`PrivateNetwork=`": "PrivateNetwork=yes",
  "`User=`": "DynamicUser=yes",
  "`CAP_SYS_PTRACE`": "CapabilityBoundingSet=",
  "`PrivateUsers=`": "PrivateUsers=yes",
  "`AF_UNIX`, `AF_NETLINK`": "RestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX",
  "`MemoryDenyWriteExecute=`": "MemoryDenyWriteExecute=yes",
};

describe("the Debian package, installed on a machine", () => {
  let node: Machine;
  let file = "";
  beforeAll(async () => {
    const built = builtPackage();
    node = await machine();
    // The harness has its own installation; a package finds none. Containers start nothing.
    await node.sh(`
      systemctl stop sealaunch-agent.socket
      rm -rf /etc/systemd/system/sealaunch-agent.* /etc/systemd/system/sockets.target.wants/sealaunch-agent.socket
      rm -rf /usr/bin/sealaunch /run/sealaunch /usr/sbin/policy-rc.d
      systemctl daemon-reload`);
    file = `/run/${basename(built)}`;
    await node.write(file, readFileSync(built));
    await node.ok("dpkg", ["--install", file]);
  });
  afterAll(() => node[Symbol.asyncDispose]());

  const start = async (): Promise<number | null> => {
    await node.run("systemctl", ["stop", "demo.service"]);
    return (await node.run("systemctl", ["start", "demo.service"])).status;
  };

  it("has a socket that listens and is enabled, and no agent before somebody asks", async () => {
    expect(await node.show("sealaunch-agent.socket", "ActiveState")).toBe("active");
    expect(await node.show("sealaunch-agent.socket", "UnitFileState")).toBe("enabled");
    expect(await node.show("sealaunch-agent.service", "ActiveState")).toBe("inactive");
    expect(await node.sh("stat -c '%A %U' /run/sealaunch/agent.sock")).toBe("srw------- root\n");
  });

  it("starts a service with its secret, from what the documents say alone", async () => {
    await node.sh(enrol);
    await node.sh(service);
    expect(await start()).toBe(0);
    const expected = (await node.ok("sha256sum", [], secret)).slice(0, 64);
    await expect.poll(() => node.sh("journalctl --unit demo --output cat")).toContain(expected);
    expect(await node.sh("journalctl --unit demo --output cat")).not.toContain(secret);
  });

  it("encrypts the identity to the machine, and only the agent has it in the clear", async () => {
    const identity = await node.sh("cat /etc/credstore.encrypted/sealaunch-identity");
    expect(identity).not.toContain("AGE-SECRET-KEY");
    const clear = "/run/credentials/sealaunch-agent.service/sealaunch-identity";
    expect(await node.sh(`head -c 0 ${clear}; stat -c %a ${clear}`)).toBe("400\n");
    const asService = ["--property=User=nobody", "--property=PrivateMounts=yes"];
    const asRoot = ["--property=PrivateMounts=yes"];
    for (const words of [asService, asRoot]) {
      const run = ["--pipe", "--wait", "--quiet", ...words, "cat", clear];
      const { status, stdout } = await node.run("systemd-run", run);
      expect(status).not.toBe(0);
      expect(stdout.toString()).toBe("");
    }
  });

  it("keeps the agent's secrets out of dumps, and all but one capability out of the agent", async () => {
    const pid = await node.show("sealaunch-agent.service", "MainPID");
    expect(await node.sh(`cat /proc/${pid}/coredump_filter`)).toBe("00000000\n");
    expect(await node.sh(`grep -E '^(CapBnd|NoNewPrivs)' /proc/${pid}/status`)).toBe(
      "CapBnd:\t0000000000080000\nNoNewPrivs:\t1\n",
    );
    expect(await node.sh(`grep 'core file' /proc/${pid}/limits`)).toMatch(/size +0 +0 /u);
  });

  it("tries everything that docs/debian.md says the agent needs", () => {
    const rows = [...textOfFile("docs/debian.md").matchAll(/^\| (`[A-Z].*?`) +\|/gmu)].map(
      ([, row]) => row,
    );
    expect(rows).toEqual([...Object.keys(findings), "`RootDirectory=`", "`DeviceAllow=`"]);
  });

  const drop = "/run/systemd/system/sealaunch-agent.service.d/test.conf";
  it.for(Object.entries(findings))("can't start anything without %s", async ([, lines]) => {
    await node.write(drop, `[Service]\n${lines}\n`);
    await node.sh("systemctl daemon-reload; systemctl stop sealaunch-agent.service");
    expect(await start()).not.toBe(0);
    await node.sh(`rm ${drop}; systemctl daemon-reload; systemctl stop sealaunch-agent.service`);
    expect(await start()).toBe(0);
  });

  it("refuses starts while the socket is stopped or its file gone, until it is started again", async () => {
    await node.sh("systemctl stop sealaunch-agent.socket");
    expect(await start()).not.toBe(0);
    expect(await node.show("demo.service", "ExecMainStatus")).toBe("243");
    await node.sh("systemctl start sealaunch-agent.socket");
    expect(await start()).toBe(0);
    await node.sh("rm /run/sealaunch/agent.sock");
    expect(await start()).not.toBe(0);
    expect(await node.show("demo.service", "ExecMainStatus")).toBe("243");
    await node.sh("systemctl restart sealaunch-agent.socket");
    expect(await start()).toBe(0);
  });

  it("is upgraded without a new socket, with a new agent, and no service notices", async () => {
    const facts = async (): Promise<string[]> => [
      await node.sh("stat -c %i /run/sealaunch/agent.sock"),
      await node.show("demo.service", "MainPID"),
      await node.show("sealaunch-agent.service", "MainPID"),
    ];
    const [socket, demo, agent] = await facts();
    await node.ok("dpkg", ["--install", file]);
    const [socketAfter, demoAfter, agentAfter] = await facts();
    expect([socketAfter, demoAfter]).toEqual([socket, demo]);
    expect(agentAfter).not.toBe(agent);
    expect(await start()).toBe(0);
  });

  it("leaves a socket disabled that was disabled before an upgrade", async () => {
    await node.sh("systemctl disable sealaunch-agent.socket");
    await node.ok("dpkg", ["--install", file]);
    expect(await node.show("sealaunch-agent.socket", "UnitFileState")).toBe("disabled");
    await node.sh("systemctl enable sealaunch-agent.socket");
  });

  it("lets what runs go on when it is removed, and refuses what is started then", async () => {
    const before = await node.show("demo.service", "MainPID");
    await node.ok("dpkg", ["--remove", "sealaunch"]);
    expect(await node.show("demo.service", "MainPID")).toBe(before);
    expect(await start()).not.toBe(0);
    expect((await node.run("/usr/bin/sealaunch")).status).not.toBe(0);
  });

  it("keeps identity, trust and marks when it is purged, says so, and goes on with them", async () => {
    const said = await node.ok("dpkg", ["--purge", "sealaunch"]);
    for (const kept of [
      "/etc/sealaunch",
      "/etc/credstore.encrypted/sealaunch-identity",
      "/var/lib/sealaunch",
    ]) {
      expect(said).toContain(`kept: ${kept};`);
      await node.ok("test", ["-e", kept]);
    }
    await node.ok("dpkg", ["--install", file]);
    expect(await start()).toBe(0);
  });
});
