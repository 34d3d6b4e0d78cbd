import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeScanReport } from "../../src/formats/scan-report.ts";
import type { ScanReport } from "../../src/scan/report/report.ts";
import { exitStatus } from "../../src/failure.ts";
import { refusalLines, type Ended } from "../fixtures/program.ts";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { Network } from "./network.ts";

let network: Network;
/** Has built everything, serves it as a cache, has the cluster's checkout, and is its node n1. */
let builder: Machine;
/** Has downloaded what it runs, and nothing of ours is asked of it. */
let bare: Machine;
/** Is off. */
let off: Machine;
const built = new Map<string, string>();

// Programs that keep a file of the library open that they need, through another or not.
const packages = `let
  make = name: needs: script: derivation {
    inherit name needs;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-ec" "/bin/busybox mkdir -p $out/bin $out/lib; /bin/busybox cp /bin/busybox $out/bin/busybox; echo \\"$needs\\" >$out/lib/needs; printf %s \\"$script\\" >$out/bin/start; /bin/busybox chmod +x $out/bin/*" ];
    script = "#!/bin/sh\\nexec \${builtins.placeholder "out"}/bin/busybox sh -c 'exec 3<\${script}; read -r _ </run/never'\\n";
  };
  openssl = version: make "openssl-\${version}" [ ] "/dev/null";
  old = openssl "3.0.7";
  new = openssl "3.0.8";
  curl = make "curl-8.4.0" [ old ] "/dev/null";
in {
  openssl-old = old;
  inherit curl;
  dns-old = make "dns-1.0" [ old ] "\${old}/lib/needs";
  dns-new = make "dns-1.1" [ new ] "\${new}/lib/needs";
  web = make "web-7" [ curl ] "\${curl}/lib/needs";
}`;

async function service(node: Machine, name: string, path: string, owner: string): Promise<void> {
  const unit = `[Unit]\nX-Owner=${owner}\n[Service]\nExecStart=${path}/bin/start\n`;
  await node.unit(`${name}.service`, unit);
}

beforeAll(async () => {
  network = await Network.create();
  const place = "/etc/systemd/system/sealaunch-inventory.service";
  const files = {
    [place]: textOfFile("systemd/sealaunch-inventory.service"),
    [`${place}.d/source.conf`]: "[Service]\nReadWritePaths=/srv/cluster\n",
  };
  [builder, bare, off] = await Promise.all([
    machine({ network, files }),
    machine({ network }),
    machine({ network }),
  ]);
  await enrol(builder, { secret: "value", units: ["dns.service"] });
  await builder.write("/root/packages.nix", packages);
  for (const name of ["openssl-old", "curl", "dns-old", "dns-new", "web"]) {
    const path = await builder.sh(
      `nix-build --no-out-link /root/packages.nix -A ${name} 2>/dev/null`,
    );
    built.set(name, path.trim());
  }
  await builder.sh(`
    cd /root
    nix-store --generate-binary-cache-key cache-1 secret public
    nix --extra-experimental-features nix-command copy \\
      --to 'file:///srv/cache?secret-key=/root/secret&compression=none' ${[...built.values()].join(" ")}
    mkfifo /run/never
    systemd-run --unit=cache /bin/busybox httpd -f -p 8080 -h /srv/cache`);
  const key = (await builder.sh("cat /root/public")).trim();
  const from = `--option substituters http://${builder.address}:8080 --option trusted-public-keys ${key}`;
  await bare.sh(`
    mkfifo /run/never
    nix-store -r ${[...built.values()].join(" ")} ${from} 2>/dev/null
    mkdir -p -m 0700 /root/.ssh /run/sshd`);
  await bare.write("/root/.ssh/authorized_keys", await builder.sh("cat /root/.ssh/id_ed25519.pub"));
  await bare.sh("ssh-keygen -A; /usr/sbin/sshd");
  // A machine that is there, and lets nobody in.
  await builder.sh("mkdir -p /run/sshd; rm -f /root/.ssh/authorized_keys; /usr/sbin/sshd");
  await builder.sh(`
    for host in ${bare.address} localhost
    do echo "$host $(ssh-keyscan -t ed25519 $host 2>/dev/null | cut -d ' ' -f 2,3)"
    done >>/root/.ssh/known_hosts`);
  await network.setConnected(off.name, false);
});
afterAll(async () => {
  for (const node of [builder, bare, off]) await node[Symbol.asyncDispose]();
  await network[Symbol.asyncDispose]();
});

async function scan(args: string): Promise<{ report: ScanReport; ended: Ended }> {
  const ended = await builder.run("sh", [
    "-c",
    `cd /srv/cluster; exec sealaunch scan ${args} --package 'openssl@<3.0.8' --json`,
  ]);
  return { report: decodeScanReport(ended.stdout, "the report"), ended };
}

/** What is said of the one package, each use a line. */
function told({ findings }: ScanReport): string[] {
  expect(findings).toHaveLength(1);
  return (findings[0]?.uses ?? []).map(({ node, root, owner, running, through }) =>
    [node, root, owner ?? "-", running, ...through.map((path) => path.slice(44))].join(" "),
  );
}

const path = (name: string): string => built.get(name) ?? "";

describe("machines that have downloaded what they run", () => {
  it("have no derivations, and are told through ssh which services need what, and whom to ask", async () => {
    const derivations = "ls /nix/store | grep -c 'openssl.*[.]drv$' || true";
    expect((await builder.sh(derivations)).trim()).toBe("2");
    expect((await bare.sh(derivations)).trim()).toBe("0");
    await service(bare, "dns", path("dns-old"), "dns-team");
    await service(bare, "web", path("web"), "web");
    await bare.sh("systemctl start dns web");
    const { report, ended } = await scan(`--ssh root@${bare.address}`);
    expect(ended.status).toBe(0);
    expect(told(report)).toEqual([
      `root@${bare.address} dns.service dns-team yes openssl-3.0.7`,
      `root@${bare.address} web.service web yes curl-8.4.0 openssl-3.0.7`,
    ]);
  });

  it("owe a restart where the unit names another build and the old one runs", async () => {
    await service(bare, "dns", path("dns-new"), "dns-team");
    const before = await scan(`--ssh root@${bare.address}`);
    expect(told(before.report)[0]).toContain("dns.service dns-team restart owed openssl-3.0.7");
    await bare.sh("systemctl restart dns");
    const after = await scan(`--ssh root@${bare.address}`);
    expect(told(after.report)).toEqual([expect.stringContaining("web.service web yes")]);
  });

  it("are unknown where they are off or refuse, and the others are told of all the same", async () => {
    const hosts = [bare.address, off.address, "localhost"].map((host) => `root@${host}`);
    const { report, ended } = await scan(`--ssh ${hosts.join(" ")}`);
    expect(ended.status).toBe(exitStatus.unavailable);
    expect(report.nodes.map(({ state, reason }) => [state, reason?.slice(-12)])).toEqual([
      ["known", undefined],
      ["unknown", "(ssh/failed)"],
      ["unknown", "(ssh/failed)"],
    ]);
    expect(told(report)).toEqual([expect.stringContaining("web.service web yes")]);
  });
});

describe("a machine from which was deleted what still runs", () => {
  it("tells of it all the same: its processes have it mapped, and neither disk nor store has it", async () => {
    // As somebody does who needs space at once: a collection itself leaves what runs.
    await service(bare, "dns", path("dns-old"), "dns-team");
    await bare.sh(`
      systemctl stop web
      systemctl restart dns
      rm /etc/systemd/system/web.service`);
    await service(bare, "dns", path("dns-new"), "dns-team");
    for (const name of ["web", "curl", "dns-old", "openssl-old"])
      await bare.sh(`nix-store --delete --ignore-liveness ${path(name)} 2>&1`);
    expect((await bare.sh(`ls -d ${path("openssl-old")} || true`)).trim()).toBe("");
    const gone = await scan(`--ssh root@${bare.address}`);
    expect(gone.ended.status).toBe(0);
    expect(told(gone.report)).toEqual([
      `root@${bare.address} dns.service dns-team deleted but mapped openssl-3.0.7`,
    ]);
    await bare.sh("systemctl restart dns");
    const { report } = await scan(`--ssh root@${bare.address}`);
    expect(report.findings).toEqual([]);
  });
});

describe("a cluster whose nodes sign what they have", () => {
  it("tells of a node what it runs, and that another is unknown which shows the first one's", async () => {
    await service(builder, "dns", path("dns-old"), "dns-team");
    await builder.sh(`
      systemctl start dns sealaunch-inventory
      cd /srv/cluster
      ssh-keygen -q -t ed25519 -N '' -C n2 -f /run/n2_key
      sealaunch identity create --into /run/n2 --node n2 --host-key /run/n2_key --plain-identity
      echo "n2 $(cut -d ' ' -f 1,2 /run/n2_key.pub)" >>known_hosts
      sealaunch roster add-node /run/n2 --pool web --known-hosts known_hosts --yes
      mkdir -p keys/nodes/n2
      cp -r keys/nodes/n1/inventory* keys/nodes/n1/collected keys/nodes/n2/`);
    const { report, ended } = await scan("");
    expect(ended.status).toBe(exitStatus.unavailable);
    expect(report.nodes.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "n1 known",
      "n2 unknown",
    ]);
    expect(report.nodes[1]?.reason).toContain("inventory/foreign");
    expect(told(report)).toContain("n1 dns.service dns-team yes openssl-3.0.7");
  });

  it("tells of a node where what was rolled out owes its restart, until it has had it", async () => {
    const inventory = "sealaunch inventory --host-key /etc/ssh/ssh_host_ed25519_key";
    await service(builder, "dns", path("dns-new"), "dns-team");
    await builder.sh(`cd /srv/cluster; sleep 1; ${inventory}`);
    const before = await scan("--node n1");
    expect(told(before.report)).toContain("n1 dns.service dns-team restart owed openssl-3.0.7");
    await builder.sh(`systemctl restart dns; cd /srv/cluster; sleep 1; ${inventory}`);
    const { report } = await scan("--node n1");
    expect(told(report).filter((use) => use.includes("dns.service"))).toEqual([]);
  });

  it("is refused an inventory that is put back where it was", async () => {
    await builder.sh(`
      cd /srv/cluster
      cp -r keys/nodes/n1 /run/before
      sleep 1
      sealaunch inventory --host-key /etc/ssh/ssh_host_ed25519_key`);
    await scan("--node n1");
    await builder.sh("cp -r /run/before/. /srv/cluster/keys/nodes/n1/");
    const { report } = await scan("--node n1");
    expect(report.nodes[0]?.reason).toContain("mark/rolled-back");
  });
});

describe("a machine without Nix", () => {
  it("is unknown, never clean, and says why: here and through ssh", async () => {
    // No link to it is left, nor what it leads to.
    await bare.sh('rm "$(readlink -f "$(command -v nix-store)")"');
    const why = "it has no Nix: there is no nix-store on its PATH";
    const ended = await bare.run("sealaunch", ["scan", "--here", "--package", "openssl"]);
    expect(ended.status).toBe(exitStatus.unavailable);
    expect(ended.stderr).toMatch(refusalLines);
    expect(ended.stderr).toContain(why);
    const saved = await bare.run("sealaunch", ["inventory", "--save", "/root/inventory"]);
    expect(saved.status).toBe(exitStatus.unavailable);
    expect(saved.stderr).toContain(why);
    expect((await bare.sh("ls /root/inventory 2>/dev/null || true")).trim()).toBe("");
    const { report } = await scan(`--ssh root@${bare.address}`);
    expect(report.nodes[0]).toMatchObject({ state: "unknown", paths: 0 });
    expect(report.nodes[0]?.reason).toContain(why);
  });
});
