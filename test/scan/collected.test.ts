import { describe, expect, it } from "vitest";
import { encodeDecision } from "../../src/formats/decision.ts";
import { decodeUses, encodeUses } from "../../src/formats/uses.ts";
import { registrationOf, usesOf } from "../../src/scan/store/collected-inventory.ts";
import { readCollected, type Collected } from "../../src/scan/store/collected.ts";
import { dumpOf, readGraph, storePath } from "./stores.ts";

/** What a machine prints, of these sections. */
function printed(sections: Readonly<Record<string, readonly string[]>>, dump = ""): string {
  const blocks = Object.entries(sections).map(([title, lines]) =>
    title.startsWith("missing ")
      ? `== ${title}\n`
      : [`== ${title}`, ...lines, "== end", ""].join("\n"),
  );
  return `${blocks.join("")}== store\n${dump}== end\n`;
}

const collected = (sections: Readonly<Record<string, readonly string[]>>, dump = ""): Collected =>
  readCollected(printed({ process: ["1"], ...sections }, dump), "n1");

const [dns, tls, shell] = ["dns-1.0", "tls-4", "bash-5.2"].map(storePath) as [
  string,
  string,
  string,
];

describe("what a machine has printed of itself", () => {
  it("tells which service each process belongs to, in both kinds of control groups", () => {
    const uses = usesOf(
      collected({
        groups: [
          "/proc/10/cgroup:1:name=systemd:/system.slice/dns.service",
          "/proc/10/cgroup:0::/elsewhere.service",
          "/proc/11/cgroup:0::/system.slice/system-web.slice/web@1.service/its-own",
          "/proc/12/cgroup:0::/user.slice/user-0.slice/session-1.scope",
          "/proc/13/cgroup:7:pids:/",
          "/proc/1/cgroup:0::/init.scope",
        ],
        names: ["/proc/12/comm:bash", "/proc/13/comm:a:b", "/proc/1/comm:sh"],
        files: [
          `10 ${dns}/bin/dns`,
          `10 ${tls}/lib/libtls.so (deleted)`,
          `11 ${tls}/lib/libtls.so`,
          `12 ${shell}/bin/bash`,
          `13 ${shell}`,
          `1 ${dns}/the-script-itself`,
          `99 ${dns}/began-since`,
          `10 /nix/store/no-path`,
        ],
      }),
    );
    expect(uses.units).toEqual([
      expect.objectContaining({ unit: "dns.service", runs: [tls, dns].sort(), deleted: [tls] }),
      expect.objectContaining({ unit: "web@1.service", runs: [tls], deleted: [] }),
    ]);
    expect(uses.processes).toEqual([
      { name: "a:b", runs: [shell], deleted: [] },
      { name: "bash", runs: [shell], deleted: [] },
    ]);
  });

  it("tells it also from outside of a container, where all groups lie below its own", () => {
    const { units } = usesOf(
      collected({
        groups: [
          "/proc/1/cgroup:0::/machine.slice/n1.service/payload/init.scope",
          "/proc/10/cgroup:0::/machine.slice/n1.service/payload/system.slice/dns.service",
          "/proc/11/cgroup:0::/machine.slice/n1.service/supervisor",
        ],
        process: ["12"],
        files: [`10 ${dns}/bin/dns`, `11 ${tls}/bin/nspawn`],
      }),
    );
    expect(units.map(({ unit: name }) => name)).toEqual(["dns.service"]);
  });

  it("tells what a unit's commands and own files name, and whom to ask about it", () => {
    const uses = usesOf(
      collected({
        units: [
          `ExecStartPre={ path=${shell}/bin/sh ; argv[]=${shell}/bin/sh -c a=b }`,
          `ExecStart={ path=/usr/bin/sealaunch ; argv[]=sealaunch run -- ${dns}/bin/dns ; x }`,
          "Id=dns.service",
          "ActiveState=active",
          "FragmentPath=/etc/systemd/system/dns.service",
          "DropInPaths=/run/systemd/dns.conf /run/systemd/later.conf",
          "",
          "Id=cron.service",
          "ActiveState=inactive",
          "FragmentPath=/lib/cron.service",
          "",
          "Id=other.socket",
          `FragmentPath=${tls}/other.socket`,
        ],
        "unit-links": [`/etc/systemd/system/dns.service ${tls}/dns.service`],
        owners: [
          "/run/systemd/later.conf:X-Owner=dns-team, Zürich".replace("ü", "\xc3\xbc"),
          "/etc/systemd/system/dns.service:X-Owner=nobody",
        ],
      }),
    );
    expect(uses.units).toEqual([
      {
        unit: "dns.service",
        owner: "dns-team, Zürich",
        isActive: true,
        names: [shell, dns, tls].sort(),
        runs: [],
        deleted: [],
        bundles: [],
      },
    ]);
  });

  it("tells which bundles the last start of a unit got", () => {
    const decision = (at: string, generation: number): string =>
      Buffer.from(
        encodeDecision({
          version: 1,
          unit: "dns.service",
          invocation: "0".repeat(32),
          at,
          bundles: [
            { bundle: "dns", series: 0, generation, statement: "0".repeat(64), signers: ["ann"] },
          ],
          credentials: [],
          renders: [],
          commands: [],
          programs: [],
          files: [],
        }),
      ).toString("latin1");
    const lines = [
      decision("2026-11-25T12:00:00Z", 17),
      decision("2026-11-24T12:00:00Z", 16),
      "{",
      "[".repeat(100_000),
    ];
    const units = ["Id=dns.service", "ActiveState=active"];
    const uses = usesOf(collected({ units, decisions: lines.map((line) => line.trimEnd()) }));
    expect(uses.units).toEqual([
      expect.objectContaining({ unit: "dns.service", bundles: ["dns 0.17"] }),
    ]);
  });

  it("tells what keeps a path, through links outside of Nix's directories too", () => {
    const uses = usesOf(
      collected({
        roots: [
          `lrwxrwxrwx 1 root root 55 Nov 28 14:00 /nix/var/nix/profiles/system-1-link -> ${dns}`,
          "lrwxrwxrwx 1 root root 55 Nov 28 14:00 /nix/var/nix/profiles/system -> system-1-link",
          "lrwxrwxrwx 1 root root 55 Nov 28 14:00 /nix/var/nix/gcroots/auto/x -> /root/a result",
          `lrwxrwxrwx 1 root root 55 Nov 28 14:00 /root/a result -> ${tls}/lib`,
          "total 0",
        ],
      }),
    );
    expect(uses.roots).toEqual([
      { root: "/nix/var/nix/profiles/system-1-link", path: dns },
      { root: "/root/a result", path: tls },
    ]);
  });

  it("says what couldn't be seen", () => {
    const uses = usesOf(collected({ "missing units": [], "missing processes": [] }));
    expect(uses.missing).toEqual(["processes", "units"]);
    expect(decodeUses(encodeUses(uses), "uses")).toEqual(uses);
  });

  it.for([
    ["nothing", ""],
    ["a message of ssh", "Permission denied (publickey).\n"],
    ["no store", "== process\n1\n== end\n"],
    ["half of a store", printed({}, dumpOf({ a: [] })).slice(0, -7)],
  ])("is refused where it didn't come to its end: %s", ([, text = ""]) => {
    expect(() => readCollected(text, "n1")).toThrow(
      expect.objectContaining({ code: "inventory/malformed" }),
    );
  });

  it("is the same list of paths without derivations, in less", () => {
    const dump = dumpOf({ "a.drv": [], a: ["b", "a.drv"], b: [] });
    const short = registrationOf(collected({}, dump), "n1");
    const graph = readGraph(short, "registration");
    expect(graph.size).toBe(2);
    expect([...graph.references(0)]).toEqual([1]);
    expect(short.length).toBeLessThan(dump.length / 2);
  });
});
