import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeIdentity } from "../../src/crypto/identity.ts";
import { parseCommandLine } from "../../src/service/command-line.ts";
import { listOf, parseUnitFile } from "../../src/service/unit-file.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { sealaunch } from "../fixtures/program.ts";
import { machine, type Machine } from "./machine.ts";

// Units of other projects whose programs are a probe that prints its arguments: what it is given
// through the wrapper, under a real systemd, is to the byte what it is given without.

const data = process.env["SEALAUNCH_TEST_DATA"];

/** By file, what is started of it. */
const units = {
  "avahi/avahi-daemon.service": "avahi-daemon.service",
  "buildkit/buildkit.service": "buildkit.service",
  "caddy/caddy.service": "caddy.service",
  "containerd/containerd.service": "containerd.service",
  "cups/cups.service": "cups.service",
  "docker/docker.service": "docker.service",
  "etcd/etcd.service": "etcd.service",
  "gunicorn/gunicorn.service": "gunicorn.service",
  "lighttpd/lighttpd.service": "lighttpd.service",
  "memcached/memcached.service": "memcached.service",
  "memcached/memcached@.service": "memcached@11211.service",
  "nginx/nginx.service": "nginx.service",
  "node_exporter/node_exporter.service": "node_exporter.service",
  "systemd/getty@.service": "getty@tty9.service",
  "systemd/rc-local.service": "rc-local.service",
  "systemd/systemd-journal-upload.service": "systemd-journal-upload.service",
} as const;

/** What no unit of the folder has. */
const awkward = String.raw`[Service]
Type=oneshot
Environment="WORDS=a  b c" ONE=x\x20y NONE=
ExecStart=/usr/bin/awkward $WORDS "$WORDS" ${"${ONE}"} a${"${ONE}"}b $NONE ${"${NONE}"} $$ $${"${ONE}"} \
  # in between
  'c  d'e"f" \x41\u00fc\s\101\n '' \; ";" %% %n \q "\\" ; :/usr/bin/awkward $WORDS "$$" ${"${ONE}"} ; \
  "+/usr/bin/awk ward" \xc3\xbc -- --bundle x -x
`;

/** A drop-in that lets each of them start here, and keeps what its programs print. */
const probing = `[Unit]
ConditionFileIsExecutable=
ConditionPathExists=
[Service]
User=root
Group=root
SupplementaryGroups=
PAMName=
WorkingDirectory=/
StandardInput=null
StandardOutput=append:/run/argv/%n
TTYReset=no
TTYVHangup=no
TimeoutStartSec=20
Restart=no
LogsDirectory=
`;

const variables = `PORT=11211
USER=memcached
CACHESIZE=64
MAXCONN=1024
OPTIONS="-l  127.0.0.1,::1" -v
`;

/** A program for x86-64 Linux that writes /proc/self/cmdline to its standard output, and nothing else. */
function probe(): Buffer {
  const code = Buffer.concat([
    Buffer.from("b802000000", "hex"), // mov eax, open
    Buffer.from("488d3d30000000", "hex"), // lea rdi, [rip+0x30]: the path behind the code
    Buffer.from("31f6", "hex"), // xor esi, esi
    Buffer.from("0f05", "hex"), // syscall
    Buffer.from("89c7", "hex"), // mov edi, eax
    Buffer.from("4881ec00000100", "hex"), // sub rsp, 65536
    Buffer.from("4889e6", "hex"), // mov rsi, rsp
    Buffer.from("ba00000100", "hex"), // mov edx, 65536
    Buffer.from("31c0", "hex"), // xor eax, eax: read
    Buffer.from("0f05", "hex"), // syscall
    Buffer.from("89c2", "hex"), // mov edx, eax
    Buffer.from("bf01000000", "hex"), // mov edi, 1
    Buffer.from("b801000000", "hex"), // mov eax, write
    Buffer.from("0f05", "hex"), // syscall
    Buffer.from("b83c000000", "hex"), // mov eax, exit
    Buffer.from("31ff", "hex"), // xor edi, edi
    Buffer.from("0f05", "hex"), // syscall
    Buffer.from("/proc/self/cmdline\0"),
  ]);
  const headers = Buffer.alloc(0x78);
  headers.write("\x7fELF\x02\x01\x01", "latin1");
  headers.writeUInt16LE(2, 0x10); // executable
  headers.writeUInt16LE(62, 0x12); // x86-64
  headers.writeUInt32LE(1, 0x14);
  headers.writeBigUInt64LE(0x400078n, 0x18); // where it begins
  headers.writeBigUInt64LE(0x40n, 0x20); // the program header
  headers.writeUInt16LE(0x40, 0x34);
  headers.writeUInt16LE(0x38, 0x36);
  headers.writeUInt16LE(1, 0x38);
  headers.writeUInt32LE(1, 0x40); // to be loaded
  headers.writeUInt32LE(5, 0x44); // readable, executable
  headers.writeBigUInt64LE(0x400000n, 0x50);
  headers.writeBigUInt64LE(0x400000n, 0x58);
  headers.writeBigUInt64LE(BigInt(0x78 + code.length), 0x60);
  headers.writeBigUInt64LE(BigInt(0x78 + code.length), 0x68);
  headers.writeBigUInt64LE(0x1000n, 0x70);
  return Buffer.concat([headers, code]);
}

const missing =
  data === undefined
    ? "SEALAUNCH_TEST_DATA doesn't name a folder of test vectors"
    : process.arch !== "x64"
      ? "the probe is a program for x86-64"
      : undefined;

describe.skipIf(missing !== undefined)(
  missing ?? "a program's arguments, through the wrapper",
  () => {
    const started = ["awkward.service", ...Object.values(units)];
    const bare = new Map<string, Buffer>();
    const wrapped = new Map<string, Buffer>();
    let node: Machine;
    let cluster: TestCluster;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "sealaunch-units-"));
      cluster = await TestCluster.create();
      const names = started.map((unit) => unit.replace(/@.*/u, "@")).sort();
      await cluster.withBundle({ name: "web/app", units: names }, { KEY: "canary", SEED: "other" });
      const configuration = {
        cluster: cluster.roster({}).cluster,
        source: "dir:/srv/cluster",
        roots: [root.key],
        node: "n1",
      };
      node = await machine({
        files: {
          "/etc/sealaunch/node.json": JSON.stringify(configuration),
          "/etc/sysconfig/memcached": variables,
          "/etc/sysconfig/node_exporter": variables,
          "/srv/.keep": "",
        },
      });
      await node.write("/etc/sealaunch/identity", encodeIdentity(cluster.node), 0o400);
      const tree = execFileSync("tar", ["-C", cluster.directory, "-c", "."]);
      await node.sh("mkdir -p /srv/cluster /run/argv; chmod 755 /srv/cluster");
      await node.ok("tar", ["-C", "/srv/cluster", "--no-same-owner", "-x"], tree);
      await writeFile(join(folder, "awkward.service"), awkward);
      for (const file of Object.keys(units))
        await writeFile(
          join(folder, basename(file)),
          await readFile(join(data ?? "", "unit-files", file)),
        );
      for (const unit of started) await install(unit);
      // Some units don't start without.
      for (const name of [
        "avahi-daemon",
        "buildkit",
        "docker",
        "cups",
        "gunicorn",
        "node_exporter",
      ])
        await node.write(`/etc/systemd/system/${name}.socket`, `[Socket]\nListenStream=@${name}\n`);
      await node.ok("systemctl", ["daemon-reload"]);
      for (const unit of started) bare.set(unit, await argumentsOf(unit));
      for (const unit of started) await guard(unit);
      await node.ok("systemctl", ["daemon-reload"]);
      for (const unit of started) wrapped.set(unit, await argumentsOf(unit, bare.get(unit)));
    });
    afterAll(async () => {
      await node[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    const fileOf = (unit: string): string => unit.replace(/@.*\./u, "@.");

    /** Puts a unit into the machine, and the probe where its programs would be. */
    async function install(unit: string): Promise<void> {
      const name = fileOf(unit);
      const text = await readFile(join(folder, name), "utf8");
      // One that is masked is a link.
      await node.ok("rm", ["-f", `/etc/systemd/system/${name}`]);
      await node.write(`/etc/systemd/system/${name}`, text);
      await node.write(`/etc/systemd/system/${name}.d/probing.conf`, probing);
      const read = parseUnitFile(text, name);
      const lines = ["ExecStartPre", "ExecStart"].flatMap((key) => listOf(read, "Service", key));
      for (const { program } of lines.flatMap((line) => parseCommandLine(line, name))) {
        await node.ok("rm", ["-f", "--", program]);
        await node.write(program, probe(), 0o755);
      }
    }

    async function guard(unit: string): Promise<void> {
      const name = fileOf(unit);
      const words = ["unit", "--wrap", name, "--bundle", "web/app@1+", "--env", "TOKEN=KEY"];
      await writeFile(
        join(folder, "sealaunch.json"),
        JSON.stringify({
          cluster: cluster.roster({}).cluster,
          source: `dir:${cluster.directory}`,
          roots: [root.key],
        }),
      );
      const { stdout, stderr } = await sealaunch([...words, "--output", "-"], { cwd: folder });
      expect(stderr).toBe("");
      await node.write(`/etc/systemd/system/${name}.d/sealaunch.conf`, stdout);
    }

    /** What all of a unit's programs print in one start: it waits for what is expected, or a second for more. */
    async function argumentsOf(unit: string, expected?: Buffer): Promise<Buffer> {
      await node.sh(`systemctl stop ${unit}; rm -f /run/argv/*`);
      // Some wait for a sign of life that the probe doesn't give.
      await node.ok("systemctl", ["start", "--no-block", unit]);
      const path = node.path(`/run/argv/${unit}`);
      let printed = Buffer.alloc(0);
      for (let tries = 0, same = 0; tries < 150; tries++) {
        await pause(50);
        const now = await readFile(path).catch(() => Buffer.alloc(0));
        same = now.equals(printed) ? same + 1 : 0;
        printed = now;
        if (expected === undefined ? now.length > 0 && same >= 20 : now.equals(expected)) break;
      }
      return printed;
    }

    it.for(started)("%s", (unit) => {
      expect(bare.get(unit)?.toString("latin1")).toMatch(/^\/.*\0$/su);
      expect(wrapped.get(unit)?.toString("latin1")).toBe(bare.get(unit)?.toString("latin1"));
    });

    it("and the agent gave them their credentials", async () => {
      const opened = await node.sh("ls /run/sealaunch/decisions | wc -l");
      expect(Number(opened)).toBeGreaterThanOrEqual(10);
    });
  },
);
