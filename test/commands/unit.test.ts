import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { parseCommandLine } from "../../src/service/command-line.ts";
import { listOf, parseUnitFile, valueOf, type Unit } from "../../src/service/unit-file.ts";
import { pageWithFields, schemaFile, schemaPath } from "../../script/service-schema.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { refusalLines, sealaunch, type Ended } from "../fixtures/program.ts";
import { textOfFile } from "../source.ts";

const program = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-dns-1/bin/dns";

let test: TestCluster;
beforeEach(async () => {
  test = await TestCluster.create();
  await rm(test.path("bundles"), { recursive: true });
  await test.withBundle(
    { units: ["dns.service", "dns@"] },
    { CF_TOKEN: "canary", TLS_KEY: "other" },
  );
  const { cluster } = test.roster({});
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1 };
  await writeFile(join(test.directory, "sealaunch.json"), JSON.stringify(configuration));
});
afterEach(() => test[Symbol.asyncDispose]());

const service = { version: 1, name: "dns", program, bundles: ["dns@1+"] };

async function unit(change: object, ...args: readonly string[]): Promise<Ended> {
  const path = join(test.directory, "dns.json");
  await writeFile(path, JSON.stringify({ ...service, ...change }));
  return sealaunch(["unit", "dns.json", "--for", "systemd", ...args], { cwd: test.directory });
}

async function written(change: object = {}): Promise<Unit> {
  const { stdout, stderr } = await unit(change);
  expect(stderr).toBe("");
  return parseUnitFile(stdout.toString(), "dns.service");
}

function expectRefusal({ status, stdout, stderr }: Ended, code: FailureCode): void {
  expect(stderr).toMatch(refusalLines);
  expect(status).toBe(exitStatus[failures[code][0]]);
  expect(stdout.toString()).toBe("");
}

/** The words of a command after its program, as systemd understands them. */
function argumentsOf(line: string): string[] {
  const [command] = parseCommandLine(line, "ExecStart=");
  return (command?.words ?? []).map(({ bytes }) =>
    Buffer.from(bytes)
      .toString()
      .replaceAll("%%", "%")
      .replaceAll("$$", () => "$"),
  );
}

describe("unit --for systemd", () => {
  it("asks the agent for each credential of the bundles, and names each to the wrapper", async () => {
    const made = await written();
    expect(listOf(made, "Service", "LoadCredential")).toEqual([
      "CF_TOKEN:/run/sealaunch/agent.sock",
      "TLS_KEY:/run/sealaunch/agent.sock",
      "sealaunch:/run/sealaunch/agent.sock",
    ]);
    const [line = "", ...others] = listOf(made, "Service", "ExecStart");
    expect(others).toEqual([]);
    expect(line).toMatch(/^\/nix\/store\/[0-9a-z]{32}-sealaunch-wrapper\/bin\/sealaunch run /u);
    expect(argumentsOf(line)).toEqual(
      ["run", "--bundle", "dns@1+", "--credential", "CF_TOKEN", "--credential", "TLS_KEY"].concat([
        "--",
        program,
      ]),
    );
  });

  it("says whom to ask, where a scan of the machine finds it and systemd doesn't look", async () => {
    const made = await written({ owner: "dns-team, 100% of it" });
    expect(valueOf(made, "Unit", "X-Owner")).toBe("dns-team, 100% of it");
    expect(valueOf(await written(), "Unit", "X-Owner")).toBeUndefined();
  });

  it.each([
    [
      { onChange: "reload", reload: [program, "reload", "50%", "$X"] },
      "reload",
      [["reload", "50%", "$X"]],
    ],
    [{ onChange: "signal" }, "signal", []],
    [
      { onChange: "signal", signal: "USR2", spread: { atOnce: 3, seconds: 60 } },
      "signal=USR2:3/60",
      [],
    ],
  ])("has systemd fetch newer values, and checks them first: %j", async (change, text, told) => {
    const made = await written(change);
    expect(valueOf(made, "Service", "RefreshOnReload")).toBe("credentials");
    const [guard = "", ...own] = listOf(made, "Service", "ExecReload");
    expect(own.map(argumentsOf)).toEqual(told);
    expect(argumentsOf(guard)).toEqual(
      "reload --bundle dns@1+ --credential CF_TOKEN --credential TLS_KEY --on-change"
        .split(" ")
        .concat([text]),
    );
    const [start = ""] = listOf(made, "Service", "ExecStart");
    expect(argumentsOf(start).join(" ")).toContain(` --on-change ${text} -- `);
  });

  it("has nothing of a reload in units that aren't reloaded", async () => {
    const { stdout } = await unit({ onChange: "restart" });
    expect(stdout.toString()).not.toContain("Reload");
  });

  it("asks for those alone that are named, and gives variables and templates", async () => {
    const template = `${program.split("/bin")[0] ?? ""}/app.conf`;
    const made = await written({
      credentials: ["TLS_KEY"],
      env: ["KEY=TLS_KEY"],
      renders: { "app.conf": template },
    });
    expect(listOf(made, "Service", "LoadCredential").map((one) => one.split(":")[0])).toEqual([
      "TLS_KEY",
      "app.conf",
      "sealaunch",
    ]);
    expect(argumentsOf(listOf(made, "Service", "ExecStart")[0] ?? "")).toEqual(
      ["run", "--bundle", "dns@1+", "--credential", "TLS_KEY", "--env", "KEY=TLS_KEY"].concat([
        "--render",
        `app.conf=${template}`,
        "--",
        program,
      ]),
    );
  });

  it("is never Type=simple, waits for the agent and is started again for ever", async () => {
    const made = await written({ type: "idle" });
    expect(valueOf(made, "Service", "Type")).toBe("exec");
    expect(valueOf(made, "Unit", "After")).toContain("sealaunch-agent.socket");
    expect(valueOf(made, "Unit", "Wants")).toContain("sealaunch-agent.socket");
    expect(valueOf(made, "Unit", "StartLimitIntervalSec")).toBe("0");
    expect(valueOf(made, "Service", "Restart")).toBe("on-failure");
  });

  it("gives every argument and variable as it is", async () => {
    const words = [
      "",
      " ",
      "a b",
      "$HOME",
      "${X}",
      "$$",
      "%i",
      "%%",
      ";",
      "\\",
      "\\n",
      '"',
      "'",
    ].concat(["a\nb", "\t", "ü", "\u{1f600}", "#", "--", "-x"]);
    const made = await written({ arguments: words, environment: { A: `$B "%i" \\ \n ü` } });
    const [line = ""] = listOf(made, "Service", "ExecStart");
    const given = argumentsOf(line);
    expect(given.slice(given.indexOf("--") + 2)).toEqual(words);
    expect(valueOf(made, "Service", "Environment")).toBe(String.raw`"A=$B \"%%i\" \\ \x0a ü"`);
  });

  it("writes the same bytes again, to a file too", async () => {
    const { stdout } = await unit({});
    const { status, stdout: said } = await unit({}, "--output", "dns.service");
    expect(status).toBe(0);
    expect(said.toString()).toContain("wrote dns.service");
    expect(await readFile(join(test.directory, "dns.service"))).toEqual(stdout);
  });

  it("lets own lines count", async () => {
    const made = await written({ unit: ["Before=x.target"], service: ["ProcSubset=all"] });
    expect(valueOf(made, "Service", "ProcSubset")).toBe("all");
    expect(valueOf(made, "Unit", "Before")).toBe("x.target");
  });

  it.for([
    ["a bundle that doesn't name the unit", { name: "web" }, "bundle/wrong-unit"],
    ["a bundle below the floor", { bundles: ["dns@2+"] }, "bundle/below-floor"],
    ["a bundle that isn't there", { bundles: ["web/x"] }, "bundle/absent"],
    ["a credential that isn't there", { credentials: ["X"] }, "credential/missing"],
    ["a variable of a credential that isn't there", { env: ["A=X"] }, "credential/missing"],
    ["a program outside the store", { program: "/bin/true" }, "closure/not-in-store"],
    ["a '$' in the program's path", { program: `${program}$x` }, "service/malformed"],
    ["names that are too long", { renders: { ["a".repeat(73)]: program } }, "usage/bad-name"],
    [
      "a template that is called as a credential",
      { renders: { TLS_KEY: program } },
      "usage/invalid",
    ],
    ["a template called as the manifest", { renders: { sealaunch: program } }, "usage/invalid"],
    ["a template with a blank in its path", { renders: { a: `${program} x` } }, "usage/invalid"],
    ["a field that there is none of", { bundle: "dns" }, "service/malformed"],
    ["another version", { version: 2 }, "service/malformed"],
    ["a group without a user", { group: "x" }, "service/malformed"],
    ["a command among its own lines", { service: ["ExecStartPre=/bin/x"] }, "service/malformed"],
    ["a line that would go on", { description: "x\\" }, "service/malformed"],
    ["type dbus without a name", { type: "dbus" }, "service/malformed"],
    ["a reload that tells it nothing", { onChange: "reload" }, "service/malformed"],
    ["a command for no reload", { reload: [program] }, "service/malformed"],
    [
      "a reload by what isn't kept with the program",
      { onChange: "reload", reload: [program.replace("/0", "/1")] },
      "service/malformed",
    ],
    ["a signal for a restart", { onChange: "restart", signal: "HUP" }, "service/malformed"],
    ["a signal that ends it", { onChange: "signal", signal: "TERM" }, "service/malformed"],
    ["a spread of nothing", { spread: { atOnce: 1 } }, "service/malformed"],
    [
      "new values for variables of a process that runs",
      { onChange: "signal", env: ["A=TLS_KEY"] },
      "service/malformed",
    ],
  ] as const)("refuses %s", async ([, change, code]) => {
    expectRefusal(await unit(change), code);
  });

  it("takes names of 83 bytes together", async () => {
    const name = "a".repeat(72);
    const made = await written({ renders: { [name]: program } });
    expect(listOf(made, "Service", "LoadCredential")).toContain(
      `${name}:/run/sealaunch/agent.sock`,
    );
  });

  it("says where in the service file", async () => {
    const { stderr } = await unit({ bundles: ["dns", "dns@x"] });
    expect(stderr).toContain("dns.json: bundles[1]: is no NAME, NAME@FLOOR+ or");
  });

  it("refuses a service file that isn't there", async () => {
    expectRefusal(await sealaunch(["unit", "x.json"], { cwd: test.directory }), "file/absent");
  });

  it("believes no names of credentials", async () => {
    await rm(join(test.directory, "sealaunch.json"));
    expectRefusal(await unit({ credentials: ["CF_TOKEN"] }), "configuration/missing");
  });

  it("needs no repository for a service without secrets", async () => {
    const path = join(test.directory, "alone");
    await mkdir(path);
    await rm(join(test.directory, "sealaunch.json"));
    await writeFile(join(path, "a.json"), JSON.stringify({ ...service, bundles: [] }));
    const { stdout, stderr } = await sealaunch(["unit", "a.json"], { cwd: path });
    expect(stderr).toBe("");
    expect(stdout.toString()).toContain("LoadCredential=sealaunch:");
  });
});

describe("docs/units.md", () => {
  const page = textOfFile("docs/units.md");
  const shown = (language: string): string =>
    new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "msu").exec(page)?.[1] ?? "";

  it("shows a service file, and the unit that is made of it", async () => {
    await writeFile(join(test.directory, "example.json"), shown("json"));
    const { stdout, stderr } = await sealaunch(["unit", "example.json"], { cwd: test.directory });
    expect(stderr).toBe("");
    const hash = /[0-9a-z]{32}(?=-sealaunch-wrapper)/gu;
    expect(stdout.toString().replace(hash, "…")).toBe(shown("ini"));
  });

  it("and the schema hold the fields that there are", async () => {
    expect(textOfFile(schemaPath)).toBe(await schemaFile());
    expect(page).toBe(await pageWithFields(page));
  });

  it("and the schema let through what the program does, and no other field", () => {
    const schema = JSON.parse(textOfFile(schemaPath)) as {
      readonly additionalProperties: unknown;
      readonly required: unknown;
    };
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required).toEqual(["version", "name", "program"]);
  });
});

describe("systemd-analyze", () => {
  const exposure = async (change: object): Promise<number> => {
    const path = join(test.directory, "dns.service");
    await unit(change, "--output", path);
    const said = execFileSync("systemd-analyze", ["security", "--offline=yes", path]).toString();
    return Number(/Overall exposure level for dns\.service: ([0-9.]+)/u.exec(said)?.[1]);
  };

  it("rates the plain case below 1.0, and a network service not much higher", async () => {
    expect(await exposure({})).toBeLessThanOrEqual(0.2);
    const families = ["AF_UNIX", "AF_INET", "AF_INET6"];
    expect(await exposure({ addressFamilies: families })).toBeLessThanOrEqual(1.1);
  });

  it("finds nothing wrong with any setting that can be asked for", async () => {
    const path = join(test.directory, "dns.service");
    await unit(
      {
        owner: "team-dns",
        description: "100% dns",
        type: "notify",
        user: "www-data",
        group: "www-data",
        supplementaryGroups: ["adm"],
        capabilities: ["net_bind_service"],
        addressFamilies: ["AF_INET"],
        stateDirectories: ["dns"],
        cacheDirectories: ["dns"],
        logsDirectories: ["dns"],
        runtimeDirectories: ["dns/a"],
        writablePaths: ["/srv/a b%"],
        readOnlyPaths: ["/home"],
        environment: { A: "b c" },
        after: ["basic.target"],
        jit: true,
      },
      "--output",
      path,
    );
    const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", path]);
    const wrapper = /^.*sealaunch-wrapper\/bin\/sealaunch is not executable.*\n/mu;
    expect(stderr.toString().replace(wrapper, "")).toBe("");
  });
});

describe("unit --wrap", () => {
  const path = (name: string): string => join(test.directory, name);
  const wrap = (name: string, ...args: readonly string[]): Promise<Ended> =>
    sealaunch(["unit", "--wrap", name, "--bundle", "dns@1+", ...args], { cwd: test.directory });

  beforeEach(() => writeFile(path("dns.service"), "[Service]\nExecStart=/usr/bin/dns -x\n"));

  it("with --json gives the drop-in in one JSON value, also for standard output", async () => {
    const dropIn = (await wrap("dns.service", "--output", "-")).stdout.toString();
    const { stdout } = await wrap("dns.service", "--output", "-", "--json");
    expect(JSON.parse(stdout.toString())).toMatchObject({ output: "-", dropIn });
    expect(dropIn).toContain("LoadCredential=TLS_KEY:");
  });

  it("shows what it would change, and writes nothing", async () => {
    const { status, stdout, stderr } = await wrap("dns.service");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^-ExecStart=\/usr\/bin\/dns -x$/mu);
    expect(stdout.toString()).toMatch(/^\+ExecStart=.*sealaunch run .* -- \/usr\/bin\/dns -x$/mu);
    expect(stdout.toString()).toMatch(/^\+LoadCredential=TLS_KEY:/mu);
    expect(stdout.toString()).toMatch(/^\+Type=exec$/mu);
    expect(stdout.toString()).toContain("nothing is written yet");
    await expect(readdir(path("dns.service.d"))).rejects.toThrow();
  });

  it("writes the drop-in where it is told to, and again the same", async () => {
    const file = "dns.service.d/sealaunch.conf";
    const { stdout } = await wrap("dns.service", "--output", file);
    expect(stdout.toString()).toContain(`\nwrote ${file}\nnext: systemctl daemon-reload`);
    const first = await readFile(path(file), "utf8");
    expect(first).toContain("ExecStart=\nExecStart=/nix/store/");
    expect((await wrap("dns.service", "--output", file)).status).toBe(0);
    expect(await readFile(path(file), "utf8")).toBe(first);
    const { stdout: again } = await wrap("dns.service", "--output", "-");
    expect(again.toString()).toBe(first);
  });

  it("reads the drop-ins that are there, in their order, and others that it is given", async () => {
    await mkdir(path("dns.service.d"));
    await writeFile(path("dns.service.d/b.conf"), "[Service]\nExecStart=\nExecStart=/bin/b\n");
    await writeFile(path("dns.service.d/a.conf"), "[Service]\nExecStart=\nExecStart=/bin/a\n");
    await writeFile(path("c.conf"), "[Service]\nExecStartPre=/bin/c\n");
    const { stdout } = await wrap("dns.service", "--output", "-", "--drop-in", "c.conf");
    expect(stdout.toString()).toMatch(/ -- \/bin\/c\n.*ExecStart=.* -- \/bin\/b\n$/su);
  });

  it("follows links, as units are installed", async () => {
    await mkdir(path("x/dns.service.d"), { recursive: true });
    await writeFile(path("x/a"), "[Service]\nExecStart=/bin/linked\n");
    await symlink("a", path("x/dns.service"));
    await symlink("../b", path("x/dns.service.d/b.conf"));
    await writeFile(path("x/b"), "[Service]\nExecStartPre=/bin/before\n");
    const { stdout } = await wrap("x/dns.service", "--output", "-");
    expect(stdout.toString()).toMatch(/ -- \/bin\/before\n.* -- \/bin\/linked\n$/su);
  });

  it("refuses to be undone by a drop-in that comes later", async () => {
    await mkdir(path("dns.service.d"));
    await writeFile(path("dns.service.d/z.conf"), "[Service]\nExecStart=\nExecStart=/bin/z\n");
    expectRefusal(await wrap("dns.service"), "usage/invalid");
    const output = "dns.service.d/zz-sealaunch.conf";
    const { stdout } = await wrap("dns.service", "--output", output);
    expect(stdout.toString()).toContain("-- /bin/z");
  });

  it("gives a template's instances what the bundle has for them", async () => {
    await writeFile(path("dns@.service"), "[Service]\nType=notify\nExecStart=/usr/bin/dns %i\n");
    const { stdout, stderr } = await wrap("dns@.service", "--output", "-");
    expect(stderr).toBe("");
    expect(stdout.toString()).toContain("-- /usr/bin/dns %i\n");
  });

  it("believes the credentials' names where there is no repository", async () => {
    await rm(path("sealaunch.json"));
    expectRefusal(await wrap("dns.service"), "configuration/missing");
    const { stdout, stderr } = await wrap("dns.service", "--credential", "X", "--output", "-");
    expect(stderr).toBe("");
    expect(stdout.toString()).toContain("LoadCredential=X:");
  });

  it.for([
    ["another bundle's unit", ["web.service"], "bundle/wrong-unit"],
    ["a socket", ["dns.socket"], "usage/invalid"],
    ["a unit that isn't there", ["x/dns.service"], "file/absent"],
    ["a name that no unit has", ["dns@.service"], "file/absent"],
    ["a service file beside it", ["dns.service", "dns.json"], "usage/invalid"],
    ["a credential that isn't there", ["dns.service", "--credential", "X"], "credential/missing"],
    [
      "a template that is no file of the store",
      ["dns.service", "--render", "a=/etc/a"],
      "closure/not-in-store",
    ],
    [
      "a variable that steers the loader",
      ["dns.service", "--env", "LD_PRELOAD=CF_TOKEN"],
      "usage/bad-name",
    ],
  ] as const)("refuses %s", async ([, [name, ...args], code]) => {
    await writeFile(path("web.service"), "[Service]\nExecStart=/bin/a\n");
    expectRefusal(await wrap(name, ...args), code);
  });

  it("needs a bundle", async () => {
    const ended = await sealaunch(["unit", "--wrap", "dns.service"], { cwd: test.directory });
    expectRefusal(ended, "usage/invalid");
  });
});
