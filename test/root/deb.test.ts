import { execFileSync, spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtPackage } from "../fixtures/package.ts";
import { projectRoot } from "../source.ts";

describe("the Debian package", () => {
  const work = mkdtempSync(join(tmpdir(), "deb-"));
  const tree = join(work, "tree");
  let path = "";
  beforeAll(() => {
    path = builtPackage();
    execFileSync("dpkg-deb", ["--raw-extract", path, tree]);
  });
  afterAll(() => {
    rmSync(work, { recursive: true });
  });
  const file = (name: string): string => readFileSync(join(tree, name), "utf8");

  it("is the same bytes when it is built again", () => {
    const script = join(projectRoot, "script/deb");
    const again = execFileSync(script, [work], { encoding: "utf8" }).trim();
    expect(basename(again)).toMatch(/^sealaunch_[0-9.]+_(amd64|arm64)\.deb$/u);
    expect(basename(again)).toBe(basename(path));
    expect(readFileSync(again).equals(readFileSync(path))).toBe(true);
  });

  it("has a program that runs without the Node, the packages and the sources of this repository", () => {
    const ended = spawnSync(join(tree, "usr/bin/sealaunch"), ["--version"], {
      cwd: "/",
      env: { PATH: "/nonexistent" },
      encoding: "utf8",
    });
    const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
      version: string;
    };
    expect(ended.stderr).toBe("");
    expect(ended.stdout).toBe(`${version}\n`);
  });

  it("has the wrapper as the repository has it, byte and mode, since its store path follows from both", () => {
    const wrapper = join(tree, "usr/lib/sealaunch/wrapper/bin/sealaunch");
    expect(readFileSync(wrapper)).toEqual(readFileSync(join(projectRoot, "wrapper/bin/sealaunch")));
    expect(lstatSync(wrapper).mode & 0o777).toBe(0o755);
  });

  it("belongs to root, and nobody else may write to any of it", () => {
    const lines = execFileSync("dpkg-deb", ["--contents", path], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(lines.length).toBeGreaterThan(40);
    expect(lines.filter((line) => !/^[-dl]\S+ root\/root /u.test(line))).toEqual([]);
    expect(lines.filter((line) => /^[-d](.{4}w|.{7}w|..[sS]|.{5}[sS])/u.test(line))).toEqual([]);
  });

  it("has no configuration file about which an upgrade would ask", () => {
    expect(file("DEBIAN/control")).not.toContain("Conffiles");
    expect(() => file("DEBIAN/conffiles")).toThrow("ENOENT");
    expect(() => lstatSync(join(tree, "etc"))).toThrow("ENOENT");
  });

  it("starts the socket when it is installed, and never restarts it", () => {
    expect(file("DEBIAN/postinst")).toContain("deb-systemd-invoke start sealaunch-agent.socket");
    expect(file("DEBIAN/postinst")).not.toMatch(/(?<!try-)restart sealaunch-agent/u);
  });

  it("removes no identity, mark or root, whatever happens to it", () => {
    for (const script of ["postinst", "prerm", "postrm"]) {
      expect(file(`DEBIAN/${script}`)).not.toMatch(/^[^#"]*\b(rm|shred|unlink|find)\b/mu);
    }
  });

  it("has scripts that a shell checker has nothing to say of", () => {
    const scripts = ["postinst", "prerm", "postrm"].map((name) => join(tree, "DEBIAN", name));
    expect(spawnSync("shellcheck", scripts, { encoding: "utf8" }).stdout).toBe("");
  });

  it("gives lintian nothing to say", ({ skip }) => {
    const found = spawnSync("lintian", ["--allow-root", path], { encoding: "utf8" });
    skip(found.error !== undefined, "lintian not on PATH");
    expect(found.stdout).toBe("");
  });
});
