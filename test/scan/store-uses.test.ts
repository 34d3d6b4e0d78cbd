import { describe, expect, it } from "vitest";
import type { Uses } from "../../src/formats/uses.ts";
import { pathsOfUnit, usesIn, type PathUse } from "../../src/scan/store/uses.ts";
import { graphOf, noUses, storePath, unit } from "./stores.ts";

const graph = graphOf({
  "system-1": ["dns-1.0", "cron-2"],
  "dns-1.0": ["tls-4", "openssl-3.0.7"],
  "dns-1.1": ["openssl-3.0.8"],
  "tls-4": ["openssl-3.0.7"],
  "web-7": ["tls-4"],
  "cron-2": [],
  "bash-5.2": [],
  "openssl-3.0.7": ["glibc-2.38"],
  "openssl-3.0.8": ["glibc-2.38"],
  "glibc-2.38": [],
});

function usesOf(name: string, given: Partial<Uses>): PathUse[] {
  return usesIn({ graph, uses: { ...noUses, ...given } })(storePath(name));
}

const summary = (uses: readonly PathUse[]): string[] =>
  uses.map(
    ({ root, running, through, owner = "-" }) =>
      `${root} (${owner}) ${running}: ${through.map((path) => path.slice(44)).join(" > ")}`,
  );

describe("what uses a path", () => {
  it("is every service, process and link that needs it, with the shortest way, nearest first", () => {
    const uses = usesOf("openssl-3.0.7", {
      units: [
        unit("web.service", { names: ["web-7"], runs: ["web-7"], owner: "web" }),
        unit("dns.service", { names: ["dns-1.0"], runs: ["dns-1.0"], owner: "dns-team" }),
        unit("cron.service", { names: ["cron-2"], runs: ["cron-2"] }),
      ],
      processes: [{ name: "psql", runs: [storePath("openssl-3.0.7")], deleted: [] }],
      roots: [{ root: "/nix/var/nix/profiles/system-1-link", path: storePath("system-1") }],
    });
    expect(summary(uses)).toEqual([
      "process psql (-) yes: openssl-3.0.7",
      "dns.service (dns-team) yes: dns-1.0 > openssl-3.0.7",
      "web.service (web) yes: web-7 > tls-4 > openssl-3.0.7",
      "/nix/var/nix/profiles/system-1-link (-) no: system-1 > dns-1.0 > openssl-3.0.7",
    ]);
    expect(uses[1]?.service).toBe("dns");
  });

  it("owes a restart where a unit names a closure without it, and the old one still runs", () => {
    const units = [unit("dns.service", { names: ["dns-1.1"], runs: ["dns-1.0", "openssl-3.0.7"] })];
    expect(summary(usesOf("openssl-3.0.7", { units }))).toEqual([
      "dns.service (-) restart owed: openssl-3.0.7",
    ]);
    // What both have is no reason to restart, and what only the new one has doesn't run yet.
    expect(summary(usesOf("glibc-2.38", { units }))[0]).toContain("yes");
    expect(summary(usesOf("openssl-3.0.8", { units }))[0]).toContain("no");
  });

  it("owes no restart where a service runs what nobody names, as a login does", () => {
    const units = [unit("user@1000.service", { names: ["cron-2"], runs: ["bash-5.2"] })];
    expect(summary(usesOf("bash-5.2", { units }))).toEqual(["user@1000.service (-) yes: bash-5.2"]);
  });

  it("is told of what was deleted and is still mapped, also where the store has forgotten it", () => {
    const units = [
      unit("old.service", { runs: ["openssl-1.1"], deleted: ["openssl-1.1"] }),
      unit("dns.service", { runs: ["openssl-3.0.7"], deleted: ["openssl-3.0.7"] }),
    ];
    const store = { graph, uses: { ...noUses, units } };
    expect(summary(usesIn(store)(storePath("openssl-1.1")))).toEqual([
      "old.service (-) deleted but mapped: openssl-1.1",
    ]);
    expect(summary(usesIn(store)(storePath("openssl-3.0.7")))).toEqual([
      "dns.service (-) deleted but mapped: openssl-3.0.7",
    ]);
  });

  it("doesn't run where a unit is stopped, and isn't known where its processes couldn't be seen", () => {
    const stopped = [unit("dns.service", { names: ["dns-1.0"], isActive: false })];
    const active = [unit("dns.service", { names: ["dns-1.0"] })];
    const state = (units: Uses["units"], missing: string[]): string | undefined =>
      usesOf("openssl-3.0.7", { units, missing })[0]?.running;
    expect(state(stopped, [])).toBe("no");
    expect(state(active, [])).toBe("no");
    expect(state(active, ["processes"])).toBe("unknown");
    expect(state(stopped, ["processes"])).toBe("no");
  });

  it("is a service's, by the link that the agent keeps for it", () => {
    const root = `/var/lib/sealaunch/roots/dns.service/${storePath("dns-1.0").slice(11)}`;
    const [use] = usesOf("openssl-3.0.7", { roots: [{ root, path: storePath("dns-1.0") }] });
    expect(use).toMatchObject({ unit: "dns.service", service: "dns", root, running: "no" });
  });

  it("is nothing for what a collection takes, which isn't said where not all could be seen", () => {
    expect(summary(usesOf("openssl-3.0.7", {}))).toEqual([
      "nothing: a collection takes it (-) no: openssl-3.0.7",
    ]);
    expect(summary(usesOf("openssl-3.0.7", { missing: ["roots"] }))).toEqual([
      "nothing that could be seen (-) unknown: openssl-3.0.7",
    ]);
  });

  it("names a few of very many links, and how many more there are", () => {
    const roots = Array.from({ length: 5000 }, (_, at) => ({
      root: `/nix/var/nix/profiles/system-${String(at)}-link`,
      path: storePath("system-1"),
    }));
    const uses = usesOf("openssl-3.0.7", { roots });
    expect(uses).toHaveLength(9);
    expect(uses.at(-1)?.root).toBe("4992 more links");
  });
});

describe("what a service needs", () => {
  it("is the closure of what it runs and what it names", () => {
    const units = [unit("dns.service", { names: ["dns-1.1"], runs: ["dns-1.0", "gone-1"] })];
    const found = pathsOfUnit({ graph, uses: { ...noUses, units } }, "dns.service");
    const names = ["dns-1.0", "dns-1.1", "glibc-2.38", "gone-1", "openssl-3.0.7", "openssl-3.0.8"];
    expect(found.map((path) => path.slice(44)).sort()).toEqual([...names, "tls-4"]);
    expect(pathsOfUnit({ graph, uses: noUses }, "dns.service")).toEqual([]);
  });
});
