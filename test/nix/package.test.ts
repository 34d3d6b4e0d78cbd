import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod/mini";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wrapperPath } from "../../src/service/wrapper.ts";
import { projectRoot } from "../source.ts";
import { evaluate } from "./evaluate.ts";

const Package = z.object({
  version: z.string(),
  installPhase: z.string(),
  installCheckPhase: z.string(),
  wrapper: z.string(),
  locked: z.array(z.string()),
  optional: z.array(z.string()),
});

const stubs =
  "lib = import ./test/nix/stub-lib.nix; pkgs = import ./test/nix/packages.nix { inherit lib; };";

describe("the package for nixpkgs", () => {
  const out = mkdtempSync(join(tmpdir(), "package-"));
  let made: z.infer<typeof Package>;
  beforeAll(async () => {
    made = Package.parse(
      await evaluate(`let ${stubs} p = (import ./default.nix { inherit pkgs; }).package; in {
        inherit (p) version installPhase installCheckPhase wrapper;
        locked = builtins.attrNames p.npmDeps.packageLock.packages;
        optional = builtins.attrNames p.npmDeps.packageLock.packages."".optionalDependencies
          ++ builtins.attrNames p.npmDeps.package.optionalDependencies;
      }`),
    );
  });
  afterAll(() => {
    rmSync(out, { recursive: true });
  });

  it("has the wrapper at the store path that every other machine has it at", () => {
    const script = readFileSync(join(projectRoot, "wrapper/bin/sealaunch"));
    expect(made.wrapper).toBe(wrapperPath(script));
  });

  it("takes every package from the lock file but Node, which is nixpkgs' own", () => {
    const { packages } = JSON.parse(
      readFileSync(join(projectRoot, "package-lock.json"), "utf8"),
    ) as { packages: Record<string, unknown> };
    const missing = Object.keys(packages).filter((name) => !made.locked.includes(name));
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.filter((name) => !/^node_modules\/node-(linux|bin)-/u.test(name))).toEqual([]);
    expect(made.optional).toEqual([]);
  });

  it("installs a program that runs where no program of the machine is, and units that name it", () => {
    const functions = `set -eu
      runHook() { :; }
      substitute() { from=$1; to=$2; shift 3; sed "s|$1|$2|g" "$from" >"$to"; }`;
    const node = process.execPath.replace(/\/bin\/node$/u, "");
    const script = `${functions}\n${made.installPhase}\n${made.installCheckPhase}`.replace(
      /\/nix\/store\/0+-nodejs-24/gu,
      node,
    );
    execFileSync("bash", ["-c", script], { cwd: projectRoot, env: { ...process.env, out } });
    const units = join(out, "lib/systemd/system");
    expect(readdirSync(units).sort()).toEqual(
      readdirSync(join(projectRoot, "systemd"))
        .filter((name) => /\.(socket|service|timer)$/u.test(name))
        .sort(),
    );
    const agent = readFileSync(join(units, "sealaunch-agent.service"), "utf8");
    expect(agent).toContain(`\nExecStart=${out}/bin/sealaunch agent\n`);
    expect(statSync(join(out, "wrapper/bin/sealaunch")).mode & 0o111).toBe(0o111);
    const version = execFileSync(join(out, "bin/sealaunch"), ["--version"], {
      env: { PATH: "/nonexistent" },
      encoding: "utf8",
    });
    expect(version).toBe(`${made.version}\n`);
  });
});

describe("the flake", () => {
  it("gives package, library and module for both systems", async () => {
    const found = await evaluate(`let ${stubs}
      outputs = (import ./flake.nix).outputs {
        self = { };
        nixpkgs = { inherit lib; legacyPackages = { x86_64-linux = pkgs; aarch64-linux = pkgs; }; };
      }; in {
        packages = builtins.mapAttrs (_: builtins.attrNames) outputs.packages;
        lib = builtins.mapAttrs (_: builtins.attrNames) outputs.lib;
        checks = builtins.mapAttrs (_: builtins.attrNames) outputs.checks;
        modules = builtins.attrNames outputs.nixosModules;
      }`);
    const both = <T>(names: T): Record<string, T> => ({
      "x86_64-linux": names,
      "aarch64-linux": names,
    });
    expect(found).toEqual({
      packages: both(["default", "sealaunch"]),
      lib: both(["serviceFile", "unit", "wrap", "wrapper"]),
      checks: both(["package"]),
      modules: ["default"],
    });
  });
});
