import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { afterAll, describe, expect, it } from "vitest";
import { wrapperPath } from "../../src/service/wrapper.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { projectRoot } from "../source.ts";
import { evaluate } from "./evaluate.ts";

const Made = z.object({
  script: z.string(),
  files: z.record(z.string(), z.string()),
});

const lib = `
  lib = import ./test/nix/stub-lib.nix;
  pkgs = import ./test/nix/packages.nix { inherit lib; };
  sealaunch = (import ./default.nix { inherit pkgs; }).lib;`;

/** Runs what a build would run, with the built program in the package's place; gives what it made. */
function build(
  work: string,
  { script, files }: z.infer<typeof Made>,
  environment: Readonly<Record<string, string>> = {},
): string {
  const out = join(work, "out");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(work, "inputs", name)), { recursive: true });
    writeFileSync(join(work, "inputs", name), text);
  }
  const own = script
    .replace(/\/nix\/store\/0+-sealaunch-[0-9.]+\/bin/gu, join(projectRoot, "bin"))
    .replace(/\/nix\/store\/0+-/gu, `${join(work, "inputs")}/`);
  execFileSync("bash", ["-euc", own], {
    cwd: work,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...environment, out, PATH: "/usr/bin:/bin" },
  });
  return out;
}

describe("the Nix library", () => {
  const work = mkdtempSync(join(tmpdir(), "lib-"));
  afterAll(() => {
    rmSync(work, { recursive: true });
  });
  const wrapper = wrapperPath(readFileSync(join(projectRoot, "wrapper/bin/sealaunch")));
  const service = `{ name = "dns"; program = "/nix/store/00000000000000000000000000000000-dns/bin/dns"; bundles = [ "dns@1+" ]; }`;

  /** Builds the unit of the service against a repository whose bundle is for that unit. */
  async function buildFor(unit: string): Promise<string> {
    await using cluster = await TestCluster.create();
    await cluster.withBundle({ units: [unit] }, { CF_TOKEN: "canary" });
    const trust = { cluster: cluster.roster({}).cluster, source: "dir:.", roots: [root.key] };
    writeFileSync(join(cluster.directory, "sealaunch.json"), JSON.stringify(trust));
    const made = await evaluate(`let ${lib}
      service = ${service};
      unit = sealaunch.unit { inherit service; repository = "repository"; };
    in { inherit (unit) script; files."dns.json/dns.json" = (sealaunch.serviceFile service).text; }`);
    const out = build(work, Made.parse(made), { repository: cluster.directory });
    return readFileSync(join(out, "lib/systemd/system/dns.service"), "utf8");
  }

  it("builds the unit that the tool writes, checked against the repository", async () => {
    const unit = await buildFor("dns.service");
    expect(unit).toContain("\nLoadCredential=CF_TOKEN:/run/sealaunch/agent.sock\n");
    expect(unit).toContain(`ExecStart=${wrapper}/bin/sealaunch run --bundle dns@1+`);
    expect(unit).toContain(" -- /nix/store/00000000000000000000000000000000-dns/bin/dns\n");
  });

  it("fails the build of a unit that would be refused at its start", async () => {
    await expect(buildFor("other.service")).rejects.toThrow(
      /error: .*dns\.service.*\nhint: .*seal dns --unit dns\.service/u,
    );
  });

  /** Builds the drop-in of a unit with that text, as `sealaunch.secrets` has it built. */
  async function wrap(name: string, text: string, bundle = "web@3+"): Promise<string> {
    const made = await evaluate(`let ${lib}
      wrapped = sealaunch.wrap {
        name = "${name}";
        unit = ''${text}'';
        options = [ "--bundle" "${bundle}" "--credential" "tls.key" "--env" "KEY=tls.key" ];
      };
    in { inherit (wrapped) script; files."unit/unit" = wrapped.environment.original.text; }`);
    const inputs = join(work, "inputs/unit");
    const out = build(work, Made.parse(made), { original: inputs });
    return readFileSync(join(out, `lib/systemd/system/${name}.d/sealaunch.conf`), "utf8");
  }

  it("builds the drop-in that the tool writes for a unit of NixOS, templates too", async () => {
    const dropIn = await wrap("web@.service", "[Service]\nExecStart=/nix/store/web %i\nUser=web\n");
    expect(dropIn).toContain("\nLoadCredential=tls.key:/run/sealaunch/agent.sock\n");
    expect(dropIn).toContain(
      `ExecStart=${wrapper}/bin/sealaunch run --bundle web@3+ --credential tls.key --env KEY=tls.key -- /nix/store/web %i\n`,
    );
  });

  it("builds the drop-in of a unit that has its bundle from a store path, below the floor that it asks for", async () => {
    const path = `/nix/store/${"1".repeat(32)}-sealaunch-web-0.3`;
    const text = "[Service]\nExecStart=/nix/store/web\nUser=web\n";
    const dropIn = await wrap("web.service", text, `web@3+=${path}`);
    expect(dropIn).toContain(
      `ExecStart=${wrapper}/bin/sealaunch run --bundle web@3+=${path} --credential tls.key`,
    );
    await expect(wrap("web.service", text, `web@3+=/srv/web`)).rejects.toThrow(
      /error: .*\/srv\/web.*\nhint: /u,
    );
  });

  it("fails the build of a drop-in that can't work", async () => {
    await expect(wrap("web.service", "[Service]\nUser=web\n")).rejects.toThrow(
      /error: .*\nhint: /u,
    );
  });
});
