import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeIdentity } from "../../src/crypto/identity.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { sealaunch } from "../fixtures/program.ts";
import { longestStoreName } from "../fixtures/service.ts";
import { machine, type Machine } from "./machine.ts";

const canary = "canary-of-the-unit";

let node: Machine;
let cluster: TestCluster;
let folder: string;
let busybox: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sealaunch-unit-"));
  cluster = await TestCluster.create();
  const units = ["many@", "mine.service", "theirs.service"];
  await cluster.withBundle({ name: "web/app", units }, { KEY: canary });
  const trust = { cluster: cluster.roster({}).cluster, roots: [root.key] };
  const configuration = { ...trust, source: "dir:/srv/cluster", node: "n1" };
  await writeFile(
    join(folder, "sealaunch.json"),
    JSON.stringify({ ...trust, source: `dir:${cluster.directory}` }),
  );
  node = await machine({ files: { "/etc/sealaunch/node.json": JSON.stringify(configuration) } });
  await node.write("/etc/sealaunch/identity", encodeIdentity(cluster.node), 0o400);
  const tree = execFileSync("tar", ["-C", cluster.directory, "-c", "."]);
  await node.sh("mkdir -p /srv/cluster && chmod 755 /srv/cluster");
  await node.ok("tar", ["-C", "/srv/cluster", "--no-same-owner", "-x"], tree);
  busybox = (await node.sh("ls -d /nix/store/*-demo-busybox")).trim();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** After it, the machine has the unit of a service that runs a script, `sh` and its options before it. */
async function install(
  name: string,
  script: string,
  change: object = {},
  scheduler = "systemd",
): Promise<void> {
  const service = {
    version: 1,
    name,
    program: `${busybox}/bin/sh`,
    arguments: ["-euc", script, "sh", "a b", "$HOME %n"],
    bundles: ["web/app@1+"],
    env: ["TOKEN=KEY"],
    environment: { PATH: `${busybox}/bin`, PLAIN: 'x "y" $z %n' },
    stateDirectories: ["app"],
    ...change,
  };
  await writeFile(join(folder, "service.json"), JSON.stringify(service));
  const { stdout, stderr } = await sealaunch(["unit", "service.json", "--for", scheduler], {
    cwd: folder,
  });
  expect(stderr).toBe("");
  await node.unit(`${name}.service`, stdout.toString());
}

describe("a unit of 'sealaunch unit'", () => {
  it("starts its service, hardened, with its secret as file and as variable", async () => {
    const told = [
      'cat "$CREDENTIALS_DIRECTORY/KEY" && echo',
      'printf "%s\\n" "$TOKEN" "$PLAIN" "$1" "$2" "$(id -u)"',
      "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status",
      "ls /sys/class/net",
    ].join("; ");
    await install("mine", `{ ${told}; } >/var/lib/app/told 2>&1; exec sleep 1000`);
    await node.ok("systemctl", ["start", "mine"]);
    const lines = (await node.sh("sleep 0.5; cat /var/lib/app/told")).split("\n");
    expect(lines.slice(0, 5)).toEqual([canary, canary, 'x "y" $z %n', "a b", "$HOME %n"]);
    expect(Number(lines[5])).toBeGreaterThan(60000);
    expect(lines.slice(6)).toEqual([
      "CapEff:\t0000000000000000",
      "NoNewPrivs:\t1",
      "Seccomp:\t2",
      "lo",
      "",
    ]);
    const pid = await node.show("mine.service", "MainPID");
    expect(await node.sh(`readlink /proc/${pid}/exe`)).toBe(`${busybox}/bin/busybox\n`);
    await node.ok("systemctl", ["stop", "mine"]);
    expect(await node.show("mine.service", "Result")).toBe("success");
  });

  it.for([
    ["a program that compiles while it runs", { jit: true }],
    ["a capability", { capabilities: ["net_bind_service"] }],
    ["a user", { user: "www-data", group: "adm", supplementaryGroups: ["mail"] }],
    ["root", { user: "root" }],
    ["a network", { addressFamilies: ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"] }],
    ["no sockets at all", { addressFamilies: [] }],
    [
      "directories",
      { cacheDirectories: ["a/b"], logsDirectories: ["c"], runtimeDirectories: ["d"] },
    ],
    ["paths", { writablePaths: ["/opt"], readOnlyPaths: ["/home"] }],
    ["type oneshot", { type: "oneshot" }],
  ])("starts with %s", async ([, change]) => {
    await install("mine", '[ "$TOKEN" = "$(cat "$CREDENTIALS_DIRECTORY/KEY")" ]', {
      ...(change as object),
      restart: "no",
    });
    await node.ok("systemctl", ["start", "mine"]);
    await node.sh("while systemctl is-active -q mine; do sleep 0.1; done");
    expect(await node.show("mine.service", "Result")).toBe("success");
    expect(await node.show("mine.service", "ExecMainStatus")).toBe("0");
  });

  it.for(["systemd", "fleet"])(
    "starts a program of the longest of store paths, of every letter, as written for %s",
    async (scheduler) => {
      const made = `/run/made/${longestStoreName}`;
      const file = `${made}/bin/${longestStoreName}`;
      const script = `#!/bin/sh\nprintf '%s|' "$0" "$TOKEN" "$@" >/var/lib/app/told\n`;
      await node.write(file, script, 0o755);
      const added = (await node.sh(`nix-store --add '${made}'`)).trim();
      const program = `${added}/bin/${longestStoreName}`;
      const change = { type: "oneshot", program, arguments: [added, "a b"] };
      await install("mine", "", change, scheduler);
      await node.ok("systemctl", ["start", "mine"]);
      expect(await node.sh("cat /var/lib/app/told")).toBe(
        [program, canary, added, "a b", ""].join("|"),
      );
      await node.sh("rm -r /run/made");
    },
  );

  it("hands what has capabilities its capability", async () => {
    await install("mine", "grep CapEff /proc/self/status >/var/lib/app/told", {
      type: "oneshot",
      capabilities: ["net_bind_service"],
    });
    await node.ok("systemctl", ["start", "mine"]);
    expect(await node.sh("cat /var/lib/app/told")).toBe("CapEff:\t0000000000000400\n");
  });
});

describe("a unit that 'sealaunch unit --wrap' has found by its name", () => {
  it("gets its secret, and dependants of a refused one don't run", async () => {
    await node.sh("mkdir -p /opt/x");
    const text = `[Service]\nExecStart=/bin/sh -c 'cat $\${CREDENTIALS_DIRECTORY}/KEY >/opt/x/told; exec sleep 99'\n`;
    await node.unit("theirs.service", text);
    const output = "/etc/systemd/system/theirs.service.d/sealaunch.conf";
    const words = ["--bundle", "web/app", "--credential", "KEY", "--output", output];
    const said = await node.ok("sealaunch", ["unit", "--wrap", "theirs.service", ...words]);
    expect(said).toContain("+Type=exec\n");
    await node.ok("systemctl", ["daemon-reload"]);
    await node.ok("systemctl", ["start", "theirs"]);
    expect(await node.sh("sleep 0.3; cat /opt/x/told")).toBe(canary);
    await node.unit(
      "after.service",
      "[Unit]\nRequires=theirs.service\nAfter=theirs.service\n[Service]\nExecStart=/bin/touch /opt/x/after\n",
    );
    await node.sh("systemctl stop theirs; mv /etc/sealaunch/identity /etc/sealaunch/away");
    const { status } = await node.run("systemctl", ["start", "after"]);
    expect(status).not.toBe(0);
    expect(await node.sh("ls /opt/x")).toBe("told\n");
    await node.sh("mv /etc/sealaunch/away /etc/sealaunch/identity");
    await node.ok("systemctl", ["start", "after"]);
    expect(await node.sh("sleep 0.3; ls /opt/x")).toBe("after\ntold\n");
  });

  it("may be one instance of a template", async () => {
    await node.unit(
      "many@.service",
      "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'test -s %d/KEY'\n",
    );
    const output = "/etc/systemd/system/many@1.service.d/sealaunch.conf";
    const words = ["--bundle", "web/app", "--credential", "KEY", "--output", output];
    await node.ok("sealaunch", ["unit", "--wrap", "many@1.service", ...words]);
    await node.ok("systemctl", ["daemon-reload"]);
    await node.ok("systemctl", ["start", "many@1"]);
    expect((await node.run("systemctl", ["start", "many@2"])).status).not.toBe(0);
  });

  it("is read with all drop-ins that systemd reads, in its order", async () => {
    await node.unit("a--b-c@.service", "[Service]\nExecStart=/bin/true\n");
    const names = [
      "a--b-c@1",
      "a--b-c@",
      "a--b-",
      "a--b-@1",
      "a--b-@",
      "a--",
      "a-@1",
      "a-",
      "b-",
      "a",
    ];
    const folders = ["/etc", "/run", "/usr/lib"]
      .map((top) => `${top}/systemd/system`)
      .flatMap((place) => [
        ...names.map((one) => `${place}/${one}.service.d`),
        `${place}/service.d`,
      ]);
    // One of each folder's own, one that another folder's hides, one that is out of use.
    await node.sh(
      folders
        .flatMap((folder, index) => [
          `mkdir -p ${folder}`,
          ...[`own-${String(index)}`, `same-${String(index % 7)}`, "gone", ".hidden"].map(
            (file) =>
              `printf '[Service]\\nExecStartPre=/bin/echo %s\\n' ${folder}/${file}.conf >${folder}/${file}.conf`,
          ),
        ])
        .join("\n"),
    );
    await node.sh(`ln -sf /dev/null ${folders[0] ?? ""}/gone.conf`);
    await node.ok("systemctl", ["daemon-reload"]);
    const shown = await node.ok("systemctl", ["show", "-P", "DropInPaths", "a--b-c@1.service"]);
    const words = ["--wrap", "a--b-c@1.service", "--bundle", "web/app", "--credential", "KEY"];
    const wrapped = await node.ok("sealaunch", ["unit", ...words, "--output", "-"]);
    const read = [...wrapped.matchAll(/ExecStartPre=.* -- \/bin\/echo (.*)$/gmu)].map(
      ([, path]) => path,
    );
    expect(read).toEqual(
      shown
        .trim()
        .split(" ")
        .filter((path) => !path.endsWith("/gone.conf")),
    );
    expect(read).toHaveLength(9 * 3 + 7);
    await node.sh(`rm -r ${folders.join(" ")}`);
    await node.ok("systemctl", ["daemon-reload"]);
  });
});
