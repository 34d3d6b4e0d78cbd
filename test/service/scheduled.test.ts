import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fleetUnit } from "../../src/service/scheduled/fleet-unit.ts";
import { marathonApp } from "../../src/service/scheduled/marathon-app.ts";
import { nomadJob } from "../../src/service/scheduled/nomad-job.ts";
import { pacemakerCib, pacemakerUnit } from "../../src/service/scheduled/pacemaker-cib.ts";
import { listOf, parseUnitFile, valueOf } from "../../src/service/unit-file.ts";
import { refusal } from "../fixtures/refusal.ts";
import { bareGuard, longestStoreName, service } from "../fixtures/service.ts";

const launcher = "/usr/bin/sealaunch";
const fleet = (change: object): string => fleetUnit(service(change), bareGuard);
const cib = (change: object): string => pacemakerCib(service(change), "");
const nomad = (change: object): object => nomadJob(service(change), bareGuard, launcher);
const marathon = (change: object): object => marathonApp(service(change), bareGuard, launcher);

const placed = {
  placement: { where: { role: "db", zone: "eu.1" }, whereNot: { disk: "slow" } },
  resources: { memory: 64, cpu: 0.5 },
  health: { port: 8080, path: "/health", interval: 7, timeout: 3 },
};
/** Service files that every scheduler but fleet takes, and what is remarkable about them. */
const all = [
  ["nothing said", {}],
  ["everything said", { ...placed, owner: "team-dns", instances: 3 }],
  ["one after the other", { ...placed, overlap: false }],
  ["a port that takes connections", { health: { port: 53 } }],
  ["arguments", { arguments: ["", "a b", "${HOME}", "%{x}", "$$", '"<&>', "ü\n"] }],
  ["the least of everything", { resources: { memory: 10, cpu: 0.001 }, stopTimeout: 1 }],
] as const;

describe("a fleet unit", () => {
  it("is placed by all attributes at once, beside none of those it is kept from", () => {
    const placement = { where: { role: "db", zone: "eu" }, apartFrom: ["web", "mail"] };
    const unit = parseUnitFile(fleet({ placement }), "dns.service");
    const lines = unit.filter(({ section }) => section === "X-Fleet");
    expect(lines.map(({ key, value }) => `${key}=${value}`)).toEqual([
      'MachineMetadata="role=db" "zone=eu"',
      "Conflicts=web.service",
      "Conflicts=web@*.service",
      "Conflicts=mail.service",
      "Conflicts=mail@*.service",
    ]);
  });

  it("on every node is Global, and nothing would enable it", () => {
    const unit = parseUnitFile(fleet({ instances: "every node" }), "dns.service");
    expect(valueOf(unit, "X-Fleet", "Global")).toBe("true");
    expect(unit.filter(({ section }) => section === "Install")).toEqual([]);
  });

  it("leaves directories below /run to its successor, unless the service file says otherwise", () => {
    const kept = (change: object): string | undefined =>
      valueOf(parseUnitFile(fleet(change), ""), "Service", "RuntimeDirectoryPreserve");
    expect(kept({})).toBeUndefined();
    expect(kept({ runtimeDirectories: ["dns"] })).toBe("yes");
    const service = ["RuntimeDirectoryPreserve=restart"];
    expect(kept({ runtimeDirectories: ["dns"], service })).toBe("restart");
  });

  it("is systemd's own unit where nothing is said of placing", () => {
    expect(fleet({})).not.toContain("X-Fleet");
    expect(valueOf(parseUnitFile(fleet({}), ""), "Service", "Type")).toBe("exec");
  });

  it.for([
    ["several instances", { instances: 2 }],
    ["what a node isn't", { placement: { whereNot: { role: "db" } } }],
    ["a datacenter", { placement: { datacenters: ["dc1"] } }],
    ["a line that fleet doesn't read", { arguments: ["x".repeat(2000)] }],
  ] as const)("of %s is refused", async ([, change]) => {
    expect(await refusal(() => fleet(change))).toBe("service/unsupported");
  });
});

describe("Pacemaker's configuration", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sealaunch-cib-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Has Pacemaker's own tool take it into an empty configuration, which another resource is in. */
  function taken(text: string): { readonly verdict: string; readonly whole: string } {
    const path = join(folder, "cib.xml");
    const run = (program: string, ...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync(program, args, {
        encoding: "utf8",
        env: { ...process.env, CIB_file: path },
      });
      return status === 0 ? stdout : `${program} ${args.join(" ")}: ${stderr}`;
    };
    const empty = spawnSync("cibadmin", ["--empty"], { encoding: "utf8" }).stdout;
    const options = `<crm_config><cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>`;
    const other = `<resources><primitive id="web" class="systemd" type="web.service"/></resources>`;
    const filled = empty
      .replace("<crm_config/>", options)
      .replace("<resources/>", other)
      .replace(/ num_updates="\d+"/u, ' num_updates="0"');
    writeFileSync(path, filled);
    writeFileSync(join(folder, "dns.xml"), text);
    const words = ["--modify", "--allow-create", "--scope", "configuration", "--xml-file"];
    const said = run("cibadmin", ...words, join(folder, "dns.xml"));
    const verdict = said + run("crm_verify", "--xml-file", path, "-VV");
    return { verdict, whole: readFileSync(path, "utf8") };
  }

  it.for([
    ...all,
    ["every node", { ...placed, instances: "every node" }],
    ["kept apart", { placement: { apartFrom: ["web"] } }],
    ["restarted by nobody", { restart: "no" }],
  ] as const)("of a service with %s is taken by Pacemaker, which finds no fault", ([, change]) => {
    const { verdict, whole } = taken(cib(change));
    expect(verdict).toBe("");
    expect(whole).toContain('<primitive id="dns" class="systemd" type="dns.service">');
  });

  it("is refused by Pacemaker where what it is kept apart from isn't there", () => {
    const { verdict } = taken(cib({ placement: { apartFrom: ["mail"] } }));
    expect(verdict).toContain("does not conform");
  });

  it("bans the service from each node that isn't as asked", () => {
    const { whole } = taken(cib(placed));
    expect(whole).toContain('attribute="role" operation="ne" value="db"');
    expect(whole).toContain('attribute="disk" operation="eq" value="slow"');
    expect(whole.match(/score="-INFINITY"/gu)).toHaveLength(1);
  });

  it("waits longer than systemd, which says what is wrong", () => {
    const text = cib({ startTimeout: 20, stopTimeout: 30 });
    expect(text).toContain('name="start" interval="0s" timeout="30s"');
    expect(text).toContain('name="stop" interval="0s" timeout="40s"');
  });

  it("is of a unit that neither a boot nor systemd after a crash starts", () => {
    const unit = parseUnitFile(pacemakerUnit(service(), bareGuard), "dns.service");
    expect(listOf(unit, "Service", "Restart")).toEqual(["no"]);
    expect(unit.filter(({ section }) => section === "Install")).toEqual([]);
  });

  it.for([
    ["a name that is no ID of XML", { name: "a:b" }],
    ["a name that begins with a digit", { name: "1a" }],
    ["a datacenter", { placement: { datacenters: ["dc1"] } }],
  ] as const)("of %s is refused", async ([, change]) => {
    expect(await refusal(() => cib(change))).toBe("service/unsupported");
  });
});

describe("a Nomad job", () => {
  interface Written {
    readonly Job: {
      readonly Constraints: object[];
      readonly Update: Readonly<Record<string, unknown>>;
      readonly TaskGroups: readonly {
        readonly Count: number | null;
        readonly RestartPolicy: object;
        readonly Tasks: readonly { readonly Config: { readonly args: string[] } }[];
      }[];
    };
  }
  const job = (change: object): Written["Job"] => (nomad(change) as Written).Job;

  it("is placed by what clients say of themselves", () => {
    expect(job(placed).Constraints).toEqual([
      { LTarget: "${meta.role}", Operand: "=", RTarget: "db" },
      { LTarget: "${meta.zone}", Operand: "=", RTarget: "eu.1" },
      { LTarget: "${meta.disk}", Operand: "!=", RTarget: "slow" },
    ]);
  });

  it("gives arguments that mean nothing to HCL", () => {
    const [group] = job({ arguments: ["${HOME}", "%{x}", "$$", "$x"] }).TaskGroups;
    expect(group?.Tasks[0]?.Config.args.slice(-4)).toEqual(["$${HOME}", "%%{x}", "$$", "$x"]);
  });

  it("starts the new beside the old unless they may not overlap, and goes back by itself", () => {
    expect(job({ instances: 3 }).Update).toMatchObject({ Canary: 3, AutoRevert: true });
    expect(job({ overlap: false }).Update).toMatchObject({ Canary: 0, AutoPromote: false });
    expect(job({ instances: "every node" })).toMatchObject({ Type: "system" });
    expect(job({ restart: "no" }).TaskGroups[0]?.RestartPolicy).toMatchObject({ Attempts: 0 });
  });

  it.for([
    ["what it is kept apart from", { placement: { apartFrom: ["web"] } }],
    ["a variable that Nomad would fill in", { environment: { A: "${B}" } }],
    ["a health check under a name that is none", { name: "a_b", health: { port: 1 } }],
    ["no user", { user: undefined }],
    ["a socket", { sockets: ["dns.socket"] }],
    ["a directory", { stateDirectories: ["dns"] }],
    ["lines for a unit", { service: ["Nice=1"] }],
    ["type notify", { type: "notify" }],
  ] as const)("of %s is refused", async ([, change]) => {
    expect(await refusal(() => nomad(change))).toBe("service/unsupported");
  });
});

describe("a Marathon app", () => {
  it("is placed by patterns that match nothing but the value", () => {
    expect(marathon(placed)).toMatchObject({
      constraints: [
        ["role", "LIKE", "db"],
        ["zone", "LIKE", "eu\\.1"],
        ["disk", "UNLIKE", "slow"],
      ],
    });
  });

  it("has its arguments by themselves, which no shell reads", () => {
    const app = marathon({ arguments: ["a b", "$HOME"] }) as { readonly args: string[] };
    expect(app.args.slice(-2)).toEqual(["a b", "$HOME"]);
    expect(app).not.toHaveProperty("cmd");
  });

  it.for([
    ["every node", { instances: "every node" }],
    ["what ends and stays so", { restart: "no" }],
    ["what it is kept apart from", { placement: { apartFrom: ["web"] } }],
    ["a datacenter", { placement: { datacenters: ["dc1"] } }],
    ["no user", { user: undefined }],
  ] as const)("of %s is refused", async ([, change]) => {
    expect(await refusal(() => marathon(change))).toBe("service/unsupported");
  });
});

const data = process.env["SEALAUNCH_TEST_DATA"];
describe.skipIf(data === undefined)(
  data === undefined
    ? "SEALAUNCH_TEST_DATA doesn't name a folder of test vectors"
    : "by the schedulers' own description of their formats",
  () => {
    const described = (path: string): object =>
      JSON.parse(readFileSync(join(data ?? "", "schedulers", path), "utf8")) as object;

    it.for(all)("Marathon's schema takes the app of a service with %s", ([, change]) => {
      const schema = described("marathon/schema/AppDefinition.json");
      const ajv = new Ajv({ allErrors: true, schemaId: "auto", unknownFormats: "ignore" });
      // It names the newest draft of its time, which is the one that is taken unless one is named.
      const isValid = ajv.compile({ ...schema, $schema: undefined });
      void isValid(marathon(change));
      expect(isValid.errors ?? []).toEqual([]);
    });

    it("Marathon's RAML has the same grammar of ids", () => {
      const raml = readFileSync(
        join(data ?? "", "schedulers/marathon/raml-types/stringTypes.raml"),
        "utf8",
      );
      const [, pattern = "x"] = /PathId:\n.*\n +pattern: (.*)/u.exec(raml) ?? [];
      const isPathId = new RegExp(pattern, "u");
      for (const name of ["dns", "a.b-c.d", "9", "a", "A", "a_b", "a-", "-a", "a..b", "a:b"]) {
        let id: string | undefined;
        try {
          id = (marathon({ name }) as { readonly id: string }).id;
        } catch {
          id = undefined;
        }
        expect([name, id !== undefined]).toEqual([name, isPathId.test(`/${name}`)]);
      }
    });

    it.for([...all, ["every node", { instances: "every node" }] as const])(
      "Nomad's documentation knows every field of the job of a service with %s, and its type",
      ([, change]) => {
        const known = described("nomad/json-jobs-example.json");
        expect([...strangers(nomad(change), known, "")]).toEqual([]);
      },
    );

    /** Fields of `value` that `known` hasn't, or has of another type; what is null there may be anything. */
    function* strangers(value: unknown, known: unknown, path: string): Generator<string> {
      if (value === null || known === null) return;
      if (Array.isArray(value) && Array.isArray(known)) {
        for (const [index, one] of value.entries())
          yield* strangers(one, known[0] ?? null, `${path}[${String(index)}]`);
      } else if (typeof value !== typeof known) yield `${path}: ${typeof known}`;
      else if (typeof value === "object") {
        const fields = known as Readonly<Record<string, unknown>>;
        for (const [name, one] of Object.entries(value)) {
          // Free-form: each driver, and each service, has its own.
          if (["Config", "Env", "Meta"].includes(name)) continue;
          if (name in fields) yield* strangers(one, fields[name], `${path}.${name}`);
          else yield `${path}.${name}`;
        }
      }
    }
  },
);

describe("a name", () => {
  const schedulers = { fleet, pacemaker: cib, nomad, marathon };
  /** Which schedulers refuse a service of that name; those that take it do so as it stands. */
  const names: readonly (readonly [name: string, refusing: readonly string[]])[] = [
    ["dns", []],
    ["a.b", []],
    ["a-b", []],
    ["a_b", ["marathon"]],
    ["A", ["marathon"]],
    ["a:b", ["pacemaker", "marathon"]],
    ["9", ["pacemaker"]],
    ["web.socket", []],
  ];

  it.for(names)(
    "%s of a service works, or is refused when it is written: %s",
    async ([name, refusing]) => {
      const refused: string[] = [];
      for (const [scheduler, write] of Object.entries(schedulers)) {
        if ((await refusal(() => write({ name }))) === "none") continue;
        refused.push(scheduler);
      }
      expect(refused).toEqual(refusing);
    },
  );

  it.for("+ ? = @ / \\".split(" "))(
    "with %j of a service is refused when it is read",
    async (letter) => {
      expect(await refusal(() => service({ name: `a${letter}b` }))).toBe("service/malformed");
    },
  );

  it.for(
    "+ ? = . _ -"
      .split(" ")
      .map((letter) => `a${letter}b`)
      .concat(longestStoreName),
  )("%s of a store path stands in what every scheduler runs as it is", (name) => {
    const program = `/nix/store/0123456789abcdfghijklmnpqrsvwxyz-${name}/bin/${name}`;
    // systemd's own reading of it.
    const line = listOf(parseUnitFile(fleet({ program }), ""), "Service", "ExecStart")[0];
    const unquoted = line?.replace(/^.* -- /u, "").replace(/^"(.*)"$/u, "$1");
    expect(unquoted).toBe(program);
    expect(JSON.stringify(nomad({ program }))).toContain(JSON.stringify(program));
    expect(JSON.stringify(marathon({ program }))).toContain(JSON.stringify(program));
  });
});
