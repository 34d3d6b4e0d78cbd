import { describe, expect, it } from "vitest";
import { Failure } from "../../src/failure.ts";
import type { Guard } from "../../src/service/guard.ts";
import {
  listOf,
  parseUnitFile,
  printUnit,
  valueOf,
  type Unit,
} from "../../src/service/unit-file.ts";
import { checkLimits } from "../../src/service/wrap-limits.ts";
import { wrapUnit, type Wrapping } from "../../src/service/wrap.ts";
import { refusal } from "../fixtures/refusal.ts";

const wrapper = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-sealaunch-wrapper/bin/sealaunch";
const guard: Guard = {
  wrapper,
  bundles: ["app@3+"],
  credentials: ["KEY"],
  variables: ["TOKEN=KEY"],
  renders: new Map(),
};
const check = `${wrapper} check --bundle app@3+ --credential KEY`;
const run = `${wrapper} run --bundle app@3+ --credential KEY --env TOKEN=KEY --`;

const unitOf = (lines: string, section = "Service"): Unit =>
  parseUnitFile(`[${section}]\n${lines}`, "a.service");
const wrap = (unit: Unit): Wrapping => wrapUnit("a.service", unit, guard);

/** What systemd has of the unit with the drop-in. */
function effective(lines: string): Unit {
  const unit = unitOf(lines);
  return [...unit, ...parseUnitFile(wrap(unit).dropIn, "sealaunch.conf")];
}
const commands = (unit: Unit): string[] =>
  ["ExecStartPre", "ExecStart"].flatMap((key) => listOf(unit, "Service", key));

describe("a wrapped unit", () => {
  it.for([
    ["one command", "ExecStart=/bin/a b", [`${run} /bin/a b`]],
    [
      "a command before it",
      "ExecStartPre=/bin/p\nExecStart=/bin/a",
      [`${run} /bin/p`, `${run} /bin/a`],
    ],
    [
      "several commands",
      "Type=oneshot\nExecStart=/bin/a ; /bin/b\nExecStart=/bin/c",
      [`${run} /bin/a`, `${run} /bin/b`, `${run} /bin/c`],
    ],
    [
      "variables, specifiers and quotes",
      `ExecStart=/bin/a $X \${Y} $$ %i "b c" 'd'`,
      [`${run} /bin/a $X \${Y} $$ %i "b c" 'd'`],
    ],
    ["privileges in a prefix", "ExecStart=+/bin/a\n", [`+${run} /bin/a`]],
    ["a blank in the program's name", `ExecStart="!!/bin/a b" c`, [`!!${run} "/bin/a b" c`]],
    ["'@' and the program's own name", "ExecStart=@/bin/a /bin/a b", [`${run} /bin/a b`]],
    ["a command that may fail", "ExecStart=-/bin/a", [check, `-${run} /bin/a`]],
    [
      "a first command that may fail",
      "ExecStartPre=-/bin/p\nExecStart=/bin/a",
      [check, `-${run} /bin/p`, `${run} /bin/a`],
    ],
    ["type idle", "Type=idle\nExecStart=/bin/a", [check, `${run} /bin/a`]],
    [
      "commands that were reset",
      "ExecStart=/bin/a\nExecStart=\nExecStart=/bin/b",
      [`${run} /bin/b`],
    ],
    ["a '$' in its name that is none", "ExecStart=:/bin/a$b", [`:${run} /bin/a$b`]],
  ] as const)("has %s guarded", ([, lines, guarded]) => {
    expect(commands(effective(lines))).toEqual(guarded);
  });

  it("asks the agent, after its socket is there", () => {
    const unit = effective("ExecStart=/bin/a");
    expect(listOf(unit, "Service", "LoadCredential")).toEqual([
      "KEY:/run/sealaunch/agent.sock",
      "sealaunch:/run/sealaunch/agent.sock",
    ]);
    expect(listOf(unit, "Unit", "Wants")).toEqual(["sealaunch-agent.socket"]);
    expect(listOf(unit, "Unit", "After")).toEqual(["sealaunch-agent.socket"]);
  });

  it.for([
    ["simple", "exec"],
    ["", "exec"],
    ["exec", "exec"],
    ["forking", "forking"],
    ["notify-reload", "notify-reload"],
    ["idle", "idle"],
  ])("of type '%s' is of type '%s'", ([before = "", after]) => {
    const unit = effective(`Type=${before}\nExecStart=/bin/a`);
    expect(valueOf(unit, "Service", "Type")).toBe(after);
  });

  it("on the bus keeps its type", () => {
    expect(wrap(unitOf("BusName=a.b\nExecStart=/bin/a")).dropIn).not.toContain("Type=");
  });

  it("is shown as systemd will have it", () => {
    const lines = "Type=simple\nExecStart=/bin/x\nUser=u\nExecStart=\nExecStart=-/bin/a\nNice=1";
    const { before, after } = wrap(unitOf(lines));
    expect(printUnit(before)).toBe("[Service]\nType=simple\nUser=u\nExecStart=-/bin/a\nNice=1\n");
    const unit = effective(lines);
    expect(commands(after)).toEqual(commands(unit));
    for (const key of ["Type", "User", "Nice"])
      expect(valueOf(after, "Service", key)).toBe(valueOf(unit, "Service", key));
    expect(printUnit(after)).not.toContain("simple");
  });

  it.for([
    ["without a command", "Type=oneshot\nExecStop=/bin/a"],
    ["under another name", "ExecStart=@/bin/a b"],
    ["with a variable as program", "ExecStart=/bin/$X"],
    ["with bytes that are no text", String.raw`ExecStart=/bin/a \xff`],
    ["guarded before", `ExecStart=${run} /bin/a`],
  ])("is refused %s", async ([, lines = ""]) => {
    expect(await refusal(() => wrap(unitOf(lines)))).toBe("unit/setting");
  });
});

describe("a unit that is wrapped to be reloaded for newer values", () => {
  const reloaded = (lines: string, onChange = "reload:3/60"): Wrapping =>
    wrapUnit("a.service", unitOf(lines), { ...guard, variables: [], onChange });
  const own = (onChange: string): string =>
    `${wrapper} reload --bundle app@3+ --credential KEY --on-change ${onChange}`;

  it("has systemd fetch them, and checks them before its own commands", () => {
    const lines = "ExecStart=/bin/a\nExecReload=/bin/kill -HUP $MAINPID\nExecReload=/bin/b";
    const { dropIn, after } = reloaded(lines);
    expect(listOf(after, "Service", "ExecReload")).toEqual([
      own("reload:3/60"),
      "/bin/kill -HUP $MAINPID",
      "/bin/b",
    ]);
    expect(valueOf(after, "Service", "RefreshOnReload")).toBe("credentials");
    const unit = [...unitOf(lines), ...parseUnitFile(dropIn, "sealaunch.conf")];
    expect(listOf(unit, "Service", "ExecReload")).toEqual(listOf(after, "Service", "ExecReload"));
  });

  it("is sent the signal by the wrapper", () => {
    const { after } = reloaded("ExecStart=/bin/a", "signal=USR2");
    expect(listOf(after, "Service", "ExecReload")).toEqual([own("signal=USR2")]);
  });

  it("keeps its ExecReload= as it is where it is only restarted", () => {
    const lines = "ExecStart=/bin/a\nExecReload=/bin/kill -HUP $MAINPID";
    const { dropIn, after } = reloaded(lines, "restart");
    expect(dropIn).not.toContain("Reload");
    expect(listOf(after, "Service", "ExecReload")).toEqual(["/bin/kill -HUP $MAINPID"]);
  });

  it("is refused where systemd would tell it before anything is checked", async () => {
    expect(await refusal(() => reloaded("Type=notify-reload\nExecStart=/bin/a"))).toBe(
      "unit/setting",
    );
  });

  it("may use credentials in ExecReload=, which finds them from systemd 260 on", () => {
    const unit = unitOf("ExecReload=/bin/a ${CREDENTIALS_DIRECTORY}/KEY");
    expect(checkLimits("a.service", unit, { ...guard, onChange: "reload" })).toEqual([]);
  });
});

describe("what a unit leaves to its guard", () => {
  const limits = (unit: Unit): string[] => checkLimits("a.service", unit, guard);

  it.for([
    ["a credential of the name", "SetCredential=KEY:x"],
    ["a file of the name", "LoadCredential=KEY:/etc/key"],
    ["an encrypted one of the name", "LoadCredentialEncrypted=KEY"],
    ["one called as the manifest", "SetCredential=sealaunch:x"],
    ["a line for the agent", "LoadCredential=X:/run/sealaunch/agent.sock"],
    ["credentials used on reload", "ExecReload=/bin/a ${CREDENTIALS_DIRECTORY}"],
    ["one used at stop", "ExecStop=/bin/a %d/KEY"],
    ["one used after start", "ExecStartPost=/bin/sh -c 'cat $${CREDENTIALS_DIRECTORY}/KEY'"],
    ["one used by its path", "ExecReload=/bin/a /run/credentials/a.service/KEY"],
    ["one process", "TasksMax=1"],
    ["one process of its user", "LimitNPROC=1:1"],
    ["no new processes", "SystemCallFilter=~@process"],
    ["no new processes after all", "SystemCallFilter=@system-service\nSystemCallFilter=~@process"],
    ["too short a list of calls", "SystemCallFilter=@basic-io @process"],
    ["another root", "RootDirectory=/srv/x"],
    ["another image", "RootImage=/srv/x.raw"],
    ["a hidden store", "InaccessiblePaths=/nix"],
    ["a store of its own", "TemporaryFileSystem=/nix:ro"],
    ["no programs but its own", "NoExecPaths=/\nExecPaths=/opt"],
  ])("is too little with %s", ([, lines = ""]) => {
    let thrown: unknown;
    try {
      limits(unitOf(lines));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({ code: "unit/setting" });
    expect(String(thrown)).toContain("a.service ");
  });

  it("is too little early in boot", async () => {
    const early = unitOf("DefaultDependencies=no", "Unit");
    expect(await refusal(() => limits(early))).toBe("unit/setting");
    const late = unitOf("DefaultDependencies=no\nAfter=a.target basic.target", "Unit");
    expect(limits(late)).toEqual([]);
  });

  it.for([
    ["other credentials", "LoadCredential=X:/etc/x\nSetCredential=Y:y"],
    ["other credentials used late", "ExecStop=/bin/a %d/X ${CREDENTIALS_DIRECTORY}/Y"],
    ["what looks like one", "ExecStop=/bin/date +%%d/KEY"],
    [
      "a usual list of calls",
      "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources",
    ],
    ["calls that are taken back", "SystemCallFilter=~@process\nSystemCallFilter=@process"],
    ["a filter that was reset", "SystemCallFilter=~@process\nSystemCallFilter="],
    ["many processes", "TasksMax=10\nLimitNPROC=64"],
    ["the machine's root", "RootDirectory=/"],
    ["an own root that is shown the store", "RootDirectory=/srv/x\nBindReadOnlyPaths=/nix/store"],
    ["a store that is shown", "TemporaryFileSystem=/nix\nBindReadOnlyPaths=-/nix/store:/nix/store"],
    ["own programs and the machine's", "NoExecPaths=/\nExecPaths=/nix/store /usr"],
    ["a directory of the store's machinery hidden", "InaccessiblePaths=/nix/var"],
  ])("is enough with %s", ([, lines = ""]) => {
    expect(limits(unitOf(lines)).filter((line) => !line.includes("/srv/x"))).toEqual([]);
  });

  it("is doubtful where the machine's programs are hidden", () => {
    expect(limits(unitOf("NoExecPaths=/\nExecPaths=/nix/store"))).toEqual([
      "NoExecPaths=/ must leave /bin/sh and sha256sum as they are",
    ]);
    expect(limits(unitOf("RootDirectory=/srv/x\nBindReadOnlyPaths=/nix/store"))).toEqual([
      "/srv/x must have /bin/sh and sha256sum",
    ]);
  });
});
