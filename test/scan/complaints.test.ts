import { describe, expect, it } from "vitest";
import { textOfFile } from "../source.ts";
import { componentOf } from "../../src/scan/component.ts";
import { readVulnixRules } from "../../src/scan/rules/vulnix-rules.ts";
import { component, indexed, judged, nvd, osv, verdicts } from "./judging.ts";

const id = "CVE-2024-0001";
const below = (version: string) => ({ versionEndExcluding: version });

/** What people complain of in other tools: the repository and its number first. */
describe("nobody has to complain as of other tools", () => {
  it("nix-community/vulnix 62: jenkins:git isn't git, redhat:fuse isn't fuse", async () => {
    const index = await indexed(
      nvd(id, [{ cpe: "a:jenkins:git", bounds: below("99") }]),
      nvd("CVE-2024-0002", [{ cpe: "a:redhat:fuse", bounds: below("99") }]),
    );
    expect(verdicts(index, "git-2.44.0")).toEqual([]);
    expect(verdicts(index, "fuse-2.9.9")).toEqual([]);
  });

  it("nix-community/vulnix 67: 153.0 is no version before 153.0.0", async () => {
    const index = await indexed(nvd(id, [{ cpe: "a:mozilla:firefox", bounds: below("153.0.0") }]));
    expect(verdicts(index, "firefox-153.0")).toEqual([]);
    expect(verdicts(index, "firefox-152.0.4")).toEqual([`${id}: vulnerable`]);
  });

  it("nix-community/vulnix 52: a patch of lua that names its CVE is seen, in whatever spelling", async () => {
    const index = await indexed(nvd("CVE-2014-5461", [{ cpe: "a:lua:lua", bounds: below("5.3") }]));
    for (const patch of [
      "CVE-2014-5461.patch",
      "cve-2014-5461.patch",
      "lua-5.2-CVE_2014_5461.diff",
    ]) {
      const path = component("lua-5.2.3").path;
      const facts = {
        path,
        name: "lua",
        version: "5.2.3",
        patches: [{ name: patch, fixes: [] }],
        fixes: [],
        sources: [],
      };
      expect(judged(index, componentOf(path, facts)!)).toMatchObject([
        { verdict: "patched", reason: `patch ${patch}` },
      ]);
    }
  });

  it("nix-community/vulnix 21, 69, 74, 163, 166: a path without a derivation is judged by its name", async () => {
    const index = await indexed(nvd(id, [{ cpe: "a:openssl:openssl", bounds: below("3.0.8") }]));
    expect(judged(index, "openssl-3.0.7")).toMatchObject([
      { verdict: "vulnerable", component: { from: "path" } },
    ]);
  });

  it("nix-community/vulnix 93, 128, 171: feeds are files, which need no service to be up", async () => {
    const feed = {
      format: "NVD_CVE",
      version: "2.0",
      vulnerabilities: [nvd(id, [{ cpe: "a:openssl:openssl" }])],
    };
    expect(verdicts(await indexed(feed), "openssl-3.0.7")).toEqual([`${id}: vulnerable`]);
  });

  it("tiiuae/sbomnix 132: a path by its name and by its publisher's record has one name and version", () => {
    for (const [path, name, version] of [
      ["openssl-3.0.7-bin", "openssl", "3.0.7"],
      ["python3.11-requests-2.31.0", "requests", "2.31.0"],
      ["util-linux-minimal-2.42-login", "util-linux-minimal", "2.42"],
      ["libXpm-3.5.15", "libXpm", "3.5.15"],
    ] as const) {
      const bare = component(path);
      const told = componentOf(bare.path, {
        path: bare.path,
        name,
        version,
        patches: [],
        fixes: [],
        sources: [],
      });
      expect(told).toEqual({ ...bare, mendedBy: new Map(), from: "publisher" });
    }
  });

  it("tiiuae/sbomnix 229, 308: Linux and Chrome aren't missed", async () => {
    const index = await indexed(
      nvd(id, [{ cpe: "o:linux:linux_kernel", bounds: below("6.6.64") }]),
      nvd("CVE-2024-0002", [{ cpe: "a:google:chrome", bounds: below("132") }]),
    );
    expect(verdicts(index, "linux-6.6.63")).toEqual([`${id}: vulnerable`]);
    expect(verdicts(index, "google-chrome-131.0.6778.85")).toEqual(["CVE-2024-0002: vulnerable"]);
  });

  it("NixOS/nix-security-tracker 137: flex is neither Apache's nor Adobe's Flex", async () => {
    const index = await indexed(
      nvd(id, [
        { cpe: "a:apache:flex", bounds: below("99") },
        { cpe: "a:adobe:flex", bounds: below("99") },
      ]),
    );
    expect(verdicts(index, "flex-2.6.4")).toEqual([]);
  });

  it("NixOS/nix-security-tracker 391: a name within another name is another name", async () => {
    const index = await indexed(
      nvd(id, [
        { cpe: "a:libssh2:libssh2" },
        { cpe: "a:xmlsoft:libxml2" },
        { cpe: "a:python-requests:requests-oauth" },
      ]),
    );
    for (const name of ["libssh-0.10.6", "libxml-1.8.17", "python3.11-requests-2.31.0"])
      expect([name, ...verdicts(index, name)]).toEqual([name]);
  });

  it("NixOS/nixpkgs 15660, 39392, 70121: what is patched under another name is patched if its publisher says so", async () => {
    const index = await indexed(nvd(id, [{ cpe: "a:openssl:openssl" }]));
    const { path } = component("openssl-3.0.7");
    const facts = { path, name: "openssl", version: "3.0.7", sources: [] };
    const patch = { name: "backport-fix.patch", fixes: [id] };
    const byPatch = componentOf(path, { ...facts, patches: [patch], fixes: [] })!;
    expect(judged(index, byPatch)).toMatchObject([
      { verdict: "patched", reason: "patch backport-fix.patch" },
    ]);
    const byWord = componentOf(path, { ...facts, patches: [], fixes: [id] })!;
    expect(judged(index, byWord)).toMatchObject([
      { verdict: "patched", reason: `its publisher says that ${id} is mended` },
    ]);
  });

  it("NixOS/nixpkgs 99812: what was looked at once stays ignored, without an end", async () => {
    const index = await indexed(nvd(id, [{ cpe: "a:somebody:vaultwarden" }]));
    const { rules } = readVulnixRules(
      "rules.toml",
      `["vaultwarden"]\ncve = "${id}"\ncomment = "another product"`,
    );
    expect(judged(index, "vaultwarden-1.32.0", rules)[0]?.verdict).toBe("ignored");
  });

  it("anchore/grype 580, 728, 938, 2618: a product of another language, or of any vendor, is at most possible", async () => {
    const index = await indexed(
      nvd(id, [{ cpe: "a:*:zlib", bounds: below("99") }]),
      nvd("CVE-2024-0002", [{ cpe: "a:zlib_project:zlib:*:*:*:*:*:node.js", bounds: below("99") }]),
      osv("GHSA-x", "npm", "zlib", [{ introduced: "0" }]),
    );
    expect(verdicts(index, "zlib-1.2.13")).toEqual([`${id}: possible`]);
    expect(verdicts(index, "python3.11-zlib-1.0")).toEqual([`${id}: possible`]);
  });
});

describe("a package that isn't in the table", () => {
  const index = () => indexed(nvd(id, [{ cpe: "a:open62541:open62541", bounds: below("1.2.5") }]));

  it("is only possible by its name, and the reason says why", async () => {
    expect(judged(await index(), "open62541-1.2.4")).toMatchObject([
      {
        verdict: "possible",
        reason:
          "version < 1.2.5; name only: nothing says that open62541:open62541 is this open62541",
      },
    ]);
  });

  it.for([
    "https://github.com/open62541/open62541/archive/v1.2.4.tar.gz",
    "https://open62541.org/releases/1.2.4.tar.gz",
    "mirror://sourceforge/open62541/1.2.4.tar.gz",
  ])("is the vendor's if its sources come from there: %s", async (source) => {
    const known = component("open62541-1.2.4", { sources: [source] });
    expect(verdicts(await index(), known)).toEqual([`${id}: vulnerable`]);
  });

  it.for([
    "https://github.com/somebody/open62541/archive/v1.2.4.tar.gz",
    "https://example.org/open62541.tar.gz",
    "not a URL",
  ])("isn't if they come from elsewhere: %s", async (source) => {
    const known = component("open62541-1.2.4", { sources: [source] });
    expect(verdicts(await index(), known)).toEqual([`${id}: possible`]);
  });

  it("before its namesake's first release is another: Haskell's curl 1.3.8", async () => {
    const curl = await indexed(nvd(id, [{ cpe: "a:haxx:curl", bounds: below("8.4.0") }]));
    expect(verdicts(curl, "curl-1.3.8")).toEqual([]);
    expect(verdicts(curl, "curl-8.3.0")).toEqual([`${id}: vulnerable`]);
  });
});

/** The issues that were gathered, by repository, when the scanner was begun. */
const gathered: Readonly<Record<string, readonly number[]>> = {
  "nix-community/vulnix": [21, 52, 62, 67, 69, 74, 93, 128, 163, 166, 171],
  "nix-community/colmena": [108],
  "tiiuae/sbomnix": [132, 229, 308],
  "NixOS/nix-security-tracker": [137, 391],
  "NixOS/nixpkgs": [15660, 39392, 70121, 99812],
  "anchore/grype": [580, 728, 938, 2618],
  "aquasecurity/trivy": [1673],
};

describe("the table of complaints in docs/scanning.md", () => {
  const [, table = ""] =
    /<!-- complaints -->\n\n([^]*?)\n\n/u.exec(textOfFile("docs/scanning.md")) ?? [];
  const rows = table
    .split("\n")
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim()));

  it("has each that was gathered, and no other", () => {
    const told = rows.flatMap(([, , issues = ""]) =>
      [...issues.matchAll(/([\w-]+\/[\w-]+) ([0-9, ]+[0-9])/gu)].flatMap(
        ([, repository = "", numbers = ""]) =>
          numbers.split(", ").map((number) => `${repository} ${number}`),
      ),
    );
    const all = Object.entries(gathered).flatMap(([repository, numbers]) =>
      numbers.map((number) => `${repository} ${String(number)}`),
    );
    expect(told.sort()).toEqual(all.sort());
  });

  it("names a test for each, by its title, and every test of this page", () => {
    const named = rows.map(([, , , cell = ""]) => /^`([^`]+)`: "(.+)"$/u.exec(cell) ?? []);
    for (const [, file = "", title = ""] of named) {
      expect([file, title, title.length > 0]).toEqual([file, title, true]);
      expect(textOfFile(file)).toContain(`"${title}"`);
    }
    const own = textOfFile("test/scan/complaints.test.ts").matchAll(
      /^ {2}it\("([^"]+ [0-9, ]+: [^"]+)"/gmu,
    );
    expect([...own].map(([, title]) => title).sort()).toEqual(
      named
        .filter(([, file]) => file === "test/scan/complaints.test.ts")
        .map(([, , title]) => title)
        .sort(),
    );
  });
});
