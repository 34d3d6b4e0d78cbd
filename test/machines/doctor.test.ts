import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

const secret = "correct horse battery staple";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";
const longName = `${"n".repeat(67)}.service`;

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret, units: ["dns.service", "other.service"] });
});
afterAll(() => node[Symbol.asyncDispose]());

interface Told {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}
interface Report {
  readonly node: readonly Told[];
  readonly units: readonly {
    readonly unit: string;
    readonly findings: readonly Told[];
    readonly lastRefusal?: { readonly code: string; readonly message: string };
  }[];
  readonly clock?: { readonly isSynchronised: boolean | null };
}

/** What doctor says of a unit, or of all that failed, and how it ends. */
async function doctor(...words: readonly string[]): Promise<Report & { status: number | null }> {
  const { status, stdout } = await node.run("sealaunch", ["doctor", "--json", ...words]);
  return { ...(JSON.parse(stdout.toString()) as Report), status };
}

const codesOf = (told: readonly Told[]): string[] =>
  told.map(({ severity, code }) => `${severity} ${code}`);

/** What is found of a unit's own, as `error CODE`. */
async function findings(unit: string): Promise<string[]> {
  const { node: ofNode, units } = await doctor(unit);
  expect(ofNode).toEqual([]);
  return codesOf(units.flatMap((one) => one.findings));
}

interface Change {
  readonly lines?: readonly string[];
  readonly options?: string;
  readonly program?: string;
  readonly credentials?: readonly string[];
  readonly type?: string;
  readonly dependencies?: readonly string[];
}

/** A unit that would start, with a change. */
function unitText({
  lines = [],
  options = "--bundle dns",
  program = "/bin/sleep 1000",
  credentials = ["CF_TOKEN", "sealaunch"],
  type = "exec",
  dependencies = [],
}: Change = {}): string {
  return `[Unit]
StartLimitIntervalSec=0
${dependencies.join("\n")}
[Service]
Type=${type}
TimeoutStartSec=5
${credentials.map((name) => `LoadCredential=${name}:/run/sealaunch/agent.sock`).join("\n")}
ExecStart=${wrapper} run ${options} -- ${program}
${lines.join("\n")}
`;
}

async function starts(unit: string): Promise<boolean> {
  const { status } = await node.run("systemctl", ["start", unit]);
  // The wrapper still runs while Type=exec already counts as started.
  await node.sh(`
    while systemctl --quiet is-active ${unit} && pid=$(systemctl show -P MainPID ${unit}) &&
      [ "$(cat /proc/$pid/comm 2>/dev/null)" = sealaunch ]
    do sleep 0.05; done`);
  const isActive = (await node.show(unit, "ActiveState")) === "active";
  await node.run("systemctl", ["stop", unit]);
  await node.run("systemctl", ["reset-failed", unit]);
  return status === 0 && isActive;
}

describe("doctor UNIT", () => {
  it("finds nothing where nothing is wrong, and the unit then starts", async () => {
    await node.unit("dns.service", unitText());
    const { status, stdout } = await node.run("sealaunch", ["doctor", "dns"]);
    expect(stdout.toString()).toBe("dns.service: nothing of its own keeps it from starting\n");
    expect(status).toBe(0);
    expect(await starts("dns.service")).toBe(true);
  });

  it("finds nothing in a unit that is hardened as far as it goes, which starts", async () => {
    const lines = `DynamicUser=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=yes
PrivateUsers=yes
ProtectProc=invisible
ProcSubset=pid
CapabilityBoundingSet=
RestrictAddressFamilies=none
RestrictNamespaces=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
NoExecPaths=/
ExecPaths=/usr /opt/sealaunch/wrapper
InaccessiblePaths=/nix/var /srv
TemporaryFileSystem=/opt
BindReadOnlyPaths=/opt/sealaunch/wrapper
LimitNPROC=2
TasksMax=4
UMask=0077`.split("\n");
    await node.unit("dns.service", unitText({ lines }));
    expect(await findings("dns.service")).toEqual([]);
    expect(await starts("dns.service")).toBe(true);
  });

  const program = "/nix/store/00000000000000000000000000000000-gone/bin/gone";
  // What is changed in the unit, and what doctor says of it.
  const broken: readonly (readonly [what: string, change: Change, found: readonly string[]])[] = [
    [
      "nothing guards its command",
      { lines: ["ExecStart=", "ExecStart=/bin/sleep 1000"] },
      ["error unit/not-guarded"],
    ],
    ["it has no line for the manifest", { credentials: ["CF_TOKEN"] }, ["error unit/credentials"]],
    ["it has no line for a credential", { credentials: ["sealaunch"] }, ["error unit/credentials"]],
    [
      "it asks for a credential that the bundle hasn't",
      { credentials: ["CF_TOKEN", "NOPE", "sealaunch"] },
      ["error unit/credentials"],
    ],
    [
      "its options name a credential that the bundle hasn't",
      { options: "--bundle dns --credential NOPE", credentials: ["NOPE", "sealaunch"] },
      ["error credential/missing"],
    ],
    [
      "it asks for another generation",
      { options: "--bundle dns@99+" },
      ["error bundle/below-floor"],
    ],
    ["there is no such bundle", { options: "--bundle nope" }, ["error bundle/absent"]],
    ["an option is unknown to the wrapper", { options: "--bundel dns" }, ["error usage/invalid"]],
    ["its program is in no store and no cache", { program }, ["error closure/absent"]],
    ["its program isn't there", { program: "/opt/gone" }, ["error program/missing"]],
    ["its user isn't there", { lines: ["User=nobody-knows"] }, ["error user/unknown"]],
    [
      "nothing can start a process in it",
      { lines: ["SystemCallFilter=~@process"] },
      ["error unit/setting"],
    ],
    [
      "its user may have one process",
      { lines: ["User=nobody", "LimitNPROC=1"] },
      ["error unit/setting"],
    ],
    [
      "its root directory is empty",
      { lines: ["RootDirectory=/mnt"] },
      Array<string>(4).fill("error unit/setting"),
    ],
    [
      "its programs are hidden from it",
      { lines: ["TemporaryFileSystem=/usr/bin"] },
      Array<string>(3).fill("error unit/setting"),
    ],
    [
      "the agent has no time to answer",
      { lines: ["TimeoutStartSec=1"], options: "--bundle nope" },
      ["error bundle/absent", "error unit/setting"],
    ],
  ];

  it.for(broken)("says it where %s, and the unit then doesn't start", async ([, change, found]) => {
    await node.unit("dns.service", unitText(change));
    expect(await findings("dns.service")).toEqual(found);
    expect(await starts("dns.service")).toBe(false);
  });

  it("names all that is wrong at once, each with what mends it", async () => {
    const change = {
      options: "--bundle dns@99+ --bundle nope",
      credentials: ["CF_TOKEN"],
      lines: ["User=nobody-knows", "LimitNPROC=1"],
    };
    await node.unit("dns.service", unitText(change));
    const { units, status } = await doctor("dns.service");
    const told = units[0]?.findings ?? [];
    expect(codesOf(told)).toEqual([
      "error bundle/below-floor",
      "error bundle/absent",
      "error unit/credentials",
      "error unit/setting",
      "error user/unknown",
    ]);
    expect(told.filter(({ hint }) => hint.length < 5)).toEqual([]);
    // The first one's status, as if the start had been tried.
    expect(status).toBe(77);
    const { stdout, stderr } = await node.run("sealaunch", ["doctor", "dns"]);
    expect(stdout.toString()).toMatch(
      /^dns\.service: can't start, for 5 reasons\n(?:error: .+\nhint: .+\n){5}/u,
    );
    expect(stderr).toMatch(/^error: dns\.service can't start: 5 reasons stand above\nhint: .+\n$/u);
  });

  it("says it where the bundle doesn't name the unit", async () => {
    await node.unit("stranger.service", unitText());
    expect(await findings("stranger")).toEqual(["error bundle/wrong-unit"]);
    expect(await starts("stranger.service")).toBe(false);
  });

  it("says it where the names have 84 bytes, and nothing where they have 83", async () => {
    await node.unit(longName, unitText());
    // The longest of its credentials is the manifest.
    const wrong = "error bundle/wrong-unit";
    expect(await findings(longName)).toEqual([wrong, "error unit/credentials"]);
    expect(await starts(longName)).toBe(false);
    const shorter = longName.slice(1);
    await node.unit(shorter, unitText());
    expect(await findings(shorter)).toEqual([wrong]);
  });

  it("says it where a template asks for what the start hasn't", async () => {
    const template = (
      await node.sh("echo 'a @NOPE@' >/run/conf; nix-store --add /run/conf")
    ).trim();
    const credentials = ["CF_TOKEN", "conf", "sealaunch"];
    const options = `--bundle dns --render conf=${template}`;
    await node.unit("dns.service", unitText({ options, credentials }));
    expect(await findings("dns.service")).toEqual(["error credential/missing"]);
    expect(await starts("dns.service")).toBe(false);
  });

  it("says it where a command before the guarded one is not", async () => {
    await node.unit("dns.service", unitText({ lines: ["ExecStartPre=/bin/true"] }));
    expect(await findings("dns.service")).toEqual(["error unit/not-guarded"]);
    const check = `ExecStartPre=${wrapper} check --bundle dns`;
    await node.unit("dns.service", unitText({ lines: [check, "ExecStartPre=/bin/true"] }));
    expect(await findings("dns.service")).toEqual([]);
    expect(await starts("dns.service")).toBe(true);
  });

  it("warns of what lets it start, and not as it should", async () => {
    await node.unit("dns.service", unitText({ type: "simple" }));
    expect(await findings("dns.service")).toEqual(["warning unit/setting"]);
    await node.unit("dns.service", unitText({ lines: ["SetCredential=CF_TOKEN:other"] }));
    expect(await findings("dns.service")).toEqual(["warning unit/credentials"]);
    expect(await starts("dns.service")).toBe(true);
    await node.unit("dns.service", unitText({ dependencies: ["DefaultDependencies=no"] }));
    expect(await findings("dns.service")).toEqual(["warning unit/setting"]);
    await node.unit("dns.service", unitText());
    // One that doesn't run, systemd reads anew by itself.
    await node.sh("systemctl start dns.service; touch -d tomorrow /etc/systemd/system/dns.service");
    const { units, status } = await doctor("dns");
    expect(units[0]?.findings.map(({ hint }) => hint)).toEqual(["systemctl daemon-reload"]);
    expect(status).toBe(0);
    await node.sh("systemctl stop dns.service; systemctl daemon-reload");
  });

  it("says of a unit that isn't there, or is masked, only that", async () => {
    expect(await findings("nobody.service")).toEqual(["error unit/absent"]);
    await node.unit("other.service", unitText());
    await node.sh(
      "systemctl mask --runtime --quiet stranger.service; mv /etc/systemd/system/other.service /run/kept; systemctl mask --quiet other.service",
    );
    expect(await findings("other.service")).toEqual(["error unit/absent"]);
    await node.sh(
      "systemctl unmask --quiet other.service; mv /run/kept /etc/systemd/system/other.service; systemctl daemon-reload",
    );
    expect(await findings("other.service")).toEqual([]);
  });

  it("says when a bundle expired, and what the machine knows of its clock", async () => {
    await node.unit("dns.service", unitText());
    const soon = new Date(Date.now() + 3_000).toISOString().replace(/\.\d+Z$/u, "Z");
    const reseal = "cd /srv/cluster; echo new >/run/token; sealaunch seal dns CF_TOKEN=/run/token";
    await node.sh(`${reseal} --expires ${soon}; sleep 3`);
    const { units, clock } = await doctor("dns");
    expect(codesOf(units[0]?.findings ?? [])).toEqual(["error bundle/expired"]);
    expect(clock).toBeDefined();
    const { stdout } = await node.run("sealaunch", ["doctor", "dns"]);
    expect(stdout.toString()).toMatch(/^clock: .+synchronised/mu);
    expect(await starts("dns.service")).toBe(false);
    await node.sh(`${reseal} --expires never`);
    expect(await findings("dns.service")).toEqual([]);
  });

  it("ends where systemd can't be asked", async () => {
    const hide = "mount -t tmpfs tmpfs /run/systemd && exec sealaunch doctor dns --json";
    const { status, stderr } = await node.run("unshare", ["--mount", "sh", "-c", hide]);
    expect(stderr).toContain('"code":"systemd/unavailable"');
    expect(status).toBe(69);
  });

  it("is for root", async () => {
    const { status, stderr } = await node.run("setpriv", ["--reuid=65534", "sealaunch", "doctor"]);
    expect(stderr).toMatch(/^error: only root/u);
    expect(status).toBe(77);
  });
});

describe("doctor, of what a unit runs", () => {
  it("tells which cache has it, and whether by a key that the node trusts", async () => {
    const program = (await node.sh("ls -d /nix/store/*-demo-service-1")).trim();
    const conf = (lines: readonly string[]): Promise<void> =>
      node.write(
        "/etc/nix/nix.conf",
        ["sandbox = false", "build-users-group =", ...lines, ""].join("\n"),
      );
    const cached = ["substituters = file:///srv/cache"];
    await node.sh(`
      nix-store --generate-binary-cache-key cache-1 /run/key /run/key.pub
      nix --extra-experimental-features nix-command copy --to file:///srv/cache ${program}
      nix-store --delete --ignore-liveness ${program}`);
    await node.unit("dns.service", unitText({ program: `${program}/bin/demo-service 1` }));

    await conf(["substituters = http://127.0.0.1:9"]);
    expect(await findings("dns.service")).toEqual(["error closure/unavailable"]);
    await conf(cached);
    expect(await findings("dns.service")).toEqual(["error closure/untrusted"]);
    await node.sh(
      `nix --extra-experimental-features nix-command store sign --store file:///srv/cache --key-file /run/key --recursive ${program}`,
    );
    expect(await findings("dns.service")).toEqual(["error closure/untrusted"]);
    const key = await node.sh("cat /run/key.pub");
    await conf([...cached, `trusted-public-keys = ${key}`]);
    // It can be fetched, but five seconds may be too short for it.
    expect(await findings("dns.service")).toEqual(["warning unit/setting"]);
    await node.sh("systemctl restart nix-daemon.service");
    expect(await starts("dns.service")).toBe(true);
    expect(await findings("dns.service")).toEqual([]);
  });
});

describe("doctor, of the machine", () => {
  beforeAll(() => node.unit("dns.service", unitText()));

  /** Breaks the machine, and gives what doctor says of it and whether the unit starts. */
  async function whileBroken(
    breaking: string,
    mending: string,
  ): Promise<{ readonly codes: readonly string[]; readonly isStarted: boolean }> {
    await node.sh(breaking);
    try {
      const report = await doctor("dns");
      return { codes: codesOf(report.node), isStarted: await starts("dns.service") };
    } finally {
      await node.sh(mending);
      expect(codesOf((await doctor("dns")).node)).toEqual([]);
    }
  }

  const restart = "systemctl restart sealaunch-agent.socket sealaunch-agent.service";
  const faults: readonly (readonly [
    what: string,
    breaking: string,
    mending: string,
    code: string,
  ])[] = [
    [
      "the agent's socket is stopped",
      "systemctl stop sealaunch-agent.socket sealaunch-agent.service",
      restart,
      "agent/unavailable",
    ],
    [
      "somebody has removed the socket's file",
      "systemctl stop sealaunch-agent.service; rm /run/sealaunch/agent.sock",
      restart,
      "agent/unavailable",
    ],
    [
      "the agent is masked",
      "systemctl stop sealaunch-agent.service; mv /etc/systemd/system/sealaunch-agent.service /run/agent; systemctl mask --quiet sealaunch-agent.service",
      `systemctl unmask --quiet sealaunch-agent.service; mv /run/agent /etc/systemd/system/sealaunch-agent.service; systemctl daemon-reload; ${restart}`,
      "agent/unavailable",
    ],
    [
      "there is no node.json",
      "mv /etc/sealaunch/node.json /run/",
      "mv /run/node.json /etc/sealaunch/",
      "configuration/missing",
    ],
    [
      "node.json is malformed",
      "cp /etc/sealaunch/node.json /run/; echo '{}' >/etc/sealaunch/node.json",
      "mv /run/node.json /etc/sealaunch/",
      "configuration/invalid",
    ],
    [
      "the source isn't there",
      "mv /srv/cluster /srv/away",
      "mv /srv/away /srv/cluster",
      "roster/absent",
    ],
    [
      "the roster isn't signed any more",
      "cp -a /srv/cluster/keys /run/keys; rm -r /srv/cluster/keys/roster/*/signatures",
      "rm -r /srv/cluster/keys; mv /run/keys /srv/cluster/",
      "signature/unknown-signer",
    ],
    [
      "another user owns the source",
      "chown -R nobody /srv/cluster/secrets; chmod -R go-rwx /srv/cluster/secrets",
      "chown -R root /srv/cluster/secrets; chmod -R go+rX /srv/cluster/secrets",
      "source/unreadable",
    ],
    [
      "the source is in a home that the agent doesn't see",
      "mv /srv/cluster /root/cluster; sed -i s,/srv/cluster,/root/cluster, /etc/sealaunch/node.json",
      "mv /root/cluster /srv/cluster; sed -i s,/root/cluster,/srv/cluster, /etc/sealaunch/node.json",
      "source/unreadable",
    ],
    [
      "the identity is another machine's",
      "cp /etc/credstore.encrypted/sealaunch-identity /run/; cp /var/lib/systemd/credential.secret /run/; rm /var/lib/systemd/credential.secret; systemd-creds setup; systemctl stop sealaunch-agent.service",
      `cat /run/credential.secret >/var/lib/systemd/credential.secret; ${restart}`,
      "identity/undecryptable",
    ],
  ];

  it.for(faults)("says it where %s, and nothing starts", async ([, breaking, mending, code]) => {
    const { codes, isStarted } = await whileBroken(breaking, mending);
    expect(codes).toEqual([`error ${code}`]);
    expect(isStarted).toBe(false);
  });

  it("says it where others may ask the agent", async () => {
    const { codes } = await whileBroken(
      "chmod 0666 /run/sealaunch/agent.sock",
      "chmod 0600 /run/sealaunch/agent.sock",
    );
    expect(codes).toEqual(["error agent/unavailable"]);
  });

  it("says it where the identity isn't there", async () => {
    const { codes } = await whileBroken(
      "mv /etc/credstore.encrypted/sealaunch-identity /run/identity",
      "mv /run/identity /etc/credstore.encrypted/sealaunch-identity",
    );
    expect(codes).toEqual(["error identity/missing"]);
  });
});

describe("doctor without a unit", () => {
  it("takes all that failed, with what the agent has said when it refused them", async () => {
    await node.unit("dns.service", unitText());
    await node.unit("refused.service", unitText());
    await node.unit("plain.service", "[Service]\nExecStart=/bin/false\n");
    expect((await node.run("sealaunch", ["doctor"])).stdout.toString()).toBe(
      "no unit that uses Sealaunch has failed\n",
    );
    await node.run("systemctl", ["start", "refused.service"]);
    await node.run("systemctl", ["start", "plain.service"]);
    const { units } = await doctor();
    expect(units.map(({ unit }) => unit)).toEqual(["refused.service"]);
    expect(units[0]?.lastRefusal).toMatchObject({ code: "bundle/wrong-unit" });
    expect(units[0]?.lastRefusal?.message).toContain("refused.service");
    const { stdout } = await node.run("sealaunch", ["doctor"]);
    expect(stdout.toString()).toMatch(
      /^last refused .+, bundle\/wrong-unit: .+\n {2}its hint: .+$/mu,
    );
    await node.sh("systemctl reset-failed");
  });

  it("takes one that is tried again and again", async () => {
    await node.unit("refused.service", unitText({ lines: ["Restart=always", "RestartSec=300"] }));
    await node.run("systemctl", ["start", "refused.service"]);
    expect((await doctor()).units.map(({ unit }) => unit)).toEqual(["refused.service"]);
    await node.sh("systemctl stop refused.service; systemctl reset-failed");
  });
});
