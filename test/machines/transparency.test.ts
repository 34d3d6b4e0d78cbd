import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { addProbe } from "./probe.ts";

// The same service twice: bare, with its credential from a file, and through the wrapper and the agent.
// What a process is given, and what systemd says of the unit, may differ in nothing but that.

const secret = "correct horse battery staple";

let node: Machine;
let probe = "";
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret, units: ["probeb.service", "probeb@"] });
  probe = `${await addProbe(node)}/bin/probe`;
  await node.write("/run/bare/CF_TOKEN", secret, 0o600);
  // The agent's own credentials are a mount that every process of the machine sees.
  await node.sh(
    "mkdir -p /run/probe; chmod 777 /run/probe; systemctl start sealaunch-agent.service",
  );
});
afterAll(() => node[Symbol.asyncDispose]());

const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";

/** What a unit of either kind has in common with the other. */
interface Service {
  /** Lines of [Service], but for credentials and commands. */
  readonly lines: string;
  /** Commands by the line that they stand in, as words; the first is the program's. */
  readonly commands?: Readonly<Record<string, string>>;
  readonly unit?: string;
}

/** A unit with its credential from a file, and one through the wrapper and the agent. */
const kinds = { bare: "probea", sealed: "probeb" } as const;
type Kind = keyof typeof kinds;

function textOf(kind: Kind, { lines, commands, unit }: Service): string {
  const from = kind === "bare" ? "/run/bare/CF_TOKEN" : "/run/sealaunch/agent.sock";
  const guard = kind === "bare" ? "" : `${wrapper} run --bundle dns -- `;
  const all = Object.entries(commands ?? { ExecStart: `${probe} /run/probe/KIND :` });
  const guarded = all.map(([name, words]) =>
    name.startsWith("ExecStart") ? `${name}=${guard}${words}` : `${name}=${words}`,
  );
  return `[Unit]
StartLimitIntervalSec=0
${unit ?? ""}
[Service]
LoadCredential=CF_TOKEN:${from}
${kind === "bare" ? "LoadCredential=sealaunch:/run/bare/CF_TOKEN" : `LoadCredential=sealaunch:${from}`}
${lines}
${guarded.join("\n")}
`.replaceAll("KIND", kinds[kind]);
}

/** What two texts say in the same words, where they mean their own unit. */
const normal = (kind: Kind, text: string): string => text.replaceAll(kinds[kind], "KIND");

/** What a probe has written, once it has. */
const readProbe = (name: string): Promise<string> =>
  node.sh(
    `for i in $(seq 100); do [ -e /run/probe/${name} ] && break; sleep 0.05; done; cat /run/probe/${name}`,
  );

/** What a service was given, after it was started as both kinds. */
async function given(service: Service, start = "KIND.service"): Promise<Record<Kind, string>> {
  const found: Partial<Record<Kind, string>> = {};
  for (const kind of ["bare", "sealed"] as const) {
    await node.sh("rm -f /run/probe/*");
    const unit = start.replaceAll("KIND", kinds[kind]);
    await node.unit(`${kinds[kind]}.service`, textOf(kind, service));
    await node.ok("systemctl", ["start", unit]);
    found[kind] = normal(kind, await readProbe(kinds[kind]));
    await node.run("systemctl", ["stop", unit]);
  }
  return found as Record<Kind, string>;
}

const settings: Readonly<Record<string, string>> = {
  "nothing set": "Type=oneshot",
  "a user with groups, limits and capabilities": [
    "Type=oneshot",
    "User=nobody",
    "SupplementaryGroups=adm audio",
    "AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_RAW",
    "UMask=0027",
    "Nice=5",
    "LimitNOFILE=100:200",
    "OOMScoreAdjust=100",
    "TimerSlackNSec=77us",
    "CPUAffinity=1",
    "CPUSchedulingPolicy=batch",
    "CoredumpFilter=0x1",
  ].join("\n"),
  "a dynamic user in a sandbox": [
    "Type=oneshot",
    "DynamicUser=yes",
    "ProtectSystem=strict",
    "ReadWritePaths=/run/probe",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateNetwork=yes",
    "NoNewPrivileges=yes",
    "StateDirectory=kind",
    "WorkingDirectory=/tmp",
    "IgnoreSIGPIPE=no",
    "SystemCallFilter=@system-service",
  ].join("\n"),
  "a numeric user and group": "Type=oneshot\nUser=65534\nGroup=65534\nPrivateUsers=yes",
  "variables that shells change": String.raw`Type=oneshot
Environment=PWD=/odd OLDPWD=/z SHLVL=3 _=u IFS=x PS1=p PS2=q PS4=r OPTIND=7 OPTARG=o PPID=1 LINENO=9
Environment=ENV=/root/evil BASH_ENV=/e EMPTY= "MANY=a\nb" "QUOTE='" NODE_OPTIONS=--bad sealaunch_word=x
Environment=LD_LIBRARY_PATH=/nowhere`,
};

describe("a process through the wrapper is given what it is given without", () => {
  it.for(Object.entries(settings))("with %s", async ([, lines]) => {
    const { bare, sealed } = await given({ lines });
    // A dynamic user's number follows from the unit's name.
    const same = (text: string): string =>
      lines.includes("DynamicUser") ? text.replace(/\b6[1-5]\d{3}\b/gu, "UID") : text;
    expect(same(sealed)).toBe(same(bare));
  });

  it("with arguments of every kind", async () => {
    const words = String.raw`'x y' "" a%%b $$HOME ${"${FOO}"} $WORDS é "\\" "new\nline" -- --bundle other`;
    const { bare, sealed } = await given({
      lines: 'Type=oneshot\nEnvironment=FOO=bar "WORDS=one two"',
      commands: { ExecStart: `${probe} /run/probe/KIND : ${words}` },
    });
    expect(sealed).toBe(bare);
    expect(sealed).toContain(
      "x y\n\na%b\n$HOME\nbar\none\ntwo\né\n\\\nnew\nline\n--\n--bundle\nother",
    );
  });

  it("in each of several commands, before and at the start", async () => {
    const commands = {
      ExecStartPre: `${probe} /run/probe/KIND-before :`,
      ExecStart: `${probe} /run/probe/KIND :`,
    };
    const { bare, sealed } = await given({ lines: "Type=oneshot", commands });
    expect(sealed).toBe(bare);
    expect(await node.sh("grep ^credential: /run/probe/probeb-before")).toContain("  -");
  });

  it("as an instance of a template", async () => {
    for (const kind of ["bare", "sealed"] as const) {
      const service = {
        lines: "Type=oneshot",
        commands: { ExecStart: `${probe} /run/probe/%p : %i %I` },
      };
      await node.unit(`${kinds[kind]}@.service`, textOf(kind, service));
      await node.ok("systemctl", ["start", String.raw`${kinds[kind]}@a\x2db.service`]);
    }
    const bare = normal("bare", await readProbe(kinds.bare));
    expect(normal("sealed", await readProbe(kinds.sealed))).toBe(bare);
    expect(bare).toContain("a\\x2db\na-b\n");
  });

  it("with several sockets that systemd has opened, by name", async () => {
    for (const kind of Object.values(kinds)) {
      for (const name of ["one", "two"]) {
        await node.unit(
          `${kind}-${name}.socket`,
          `[Socket]\nListenStream=/run/${kind}-${name}\nFileDescriptorName=${name}\nService=${kind}.service\n`,
        );
      }
    }
    const { bare, sealed } = await given({
      lines: "Type=exec\nSockets=KIND-one.socket KIND-two.socket",
      unit: "Wants=KIND-one.socket KIND-two.socket\nAfter=KIND-one.socket KIND-two.socket",
      commands: { ExecStart: `${probe} /run/probe/KIND "exec sleep 60"` },
    });
    // systemd hands them over in any order.
    const ordered = (text: string): string => text.replace("=two:one", "=one:two");
    expect(ordered(sealed)).toBe(ordered(bare));
    expect(ordered(sealed)).toContain("LISTEN_FDNAMES=one:two\nLISTEN_FDS=2\n");
    await node.sh(
      "systemctl stop probea-one.socket probea-two.socket probeb-one.socket probeb-two.socket",
    );
  });
});

/** What systemd says of a unit, but for what is of one start, or is what this is about. */
async function shown(kind: Kind): Promise<string> {
  const all = await node.ok("systemctl", ["show", `${kinds[kind]}.service`]);
  const own =
    /^(?:Exec(?:Start|StartPre|Main|Condition|Reload|Stop)|LoadCredential|Memory|CPUUsage|Tasks|IO|IP|InvocationID|MainPID|ControlPID|.*Timestamp|.*USec=\d|Statu|Inactive|Active(?:Enter|Exit)|StateChange|NFile|GID|UID|WatchdogUSec|ControlGroupId)/u;
  return normal(
    kind,
    all
      .split("\n")
      .filter((line) => !own.test(line))
      // systemd lists sets in any order.
      .map((line) => line.split(/[= ]/u).toSorted().join(" "))
      .join("\n"),
  );
}

const types: Readonly<Record<string, Service>> = {
  exec: {
    lines: "Type=exec\nExecReload=/bin/sh -c 'echo reloaded >>/run/probe/log'\nExecStop=/bin/true",
    commands: { ExecStart: "PROBE /run/probe/KIND 'exec $b sleep 600'" },
  },
  "notify with a watchdog": {
    lines: "Type=notify\nNotifyAccess=all\nWatchdogSec=600",
    commands: { ExecStart: "PROBE /run/probe/KIND 'systemd-notify --ready; exec $b sleep 600'" },
  },
  "forking with a PID file": {
    lines: "Type=forking\nPIDFile=/run/probe/pid",
    commands: {
      ExecStart: "PROBE /run/probe/KIND '$b sleep 600 & echo $! >/run/probe/pid'".replaceAll(
        "$",
        "$$$$",
      ),
    },
  },
  "oneshot that stays": { lines: "Type=oneshot\nRemainAfterExit=yes\nDelegate=yes" },
  idle: {
    lines: "Type=idle",
    commands: { ExecStart: "PROBE /run/probe/KIND 'exec $b sleep 600'" },
  },
};

describe("systemd says of a unit through the wrapper what it says of it without", () => {
  it.for(Object.entries(types))("of type %s", async ([, service]) => {
    const commands = Object.fromEntries(
      Object.entries(service.commands ?? { ExecStart: "PROBE /run/probe/KIND :" }).map(
        ([name, words]) => [name, words.replaceAll("PROBE", probe).replaceAll("$b", "$$b")],
      ),
    );
    const seen: Record<string, string[]> = {};
    for (const kind of ["bare", "sealed"] as const) {
      await node.sh("rm -f /run/probe/*");
      await node.unit(`${kinds[kind]}.service`, textOf(kind, { ...service, commands }));
      const unit = `${kinds[kind]}.service`;
      await node.ok("systemctl", ["start", unit]);
      await readProbe(kinds[kind]);
      const main = await node.show(unit, "MainPID");
      const program = await node.run("readlink", [`/proc/${main}/exe`]);
      const reloaded = await node.run("systemctl", ["reload", unit]);
      seen[kind] = [await shown(kind), program.stdout.toString(), String(reloaded.status)];
      await node.ok("systemctl", ["stop", unit]);
      seen[kind].push(await node.show(unit, "Result"));
    }
    expect(seen["sealed"]).toEqual(seen["bare"]);
  });
});

describe("a service for each connection", () => {
  it("speaks on it, and has its secret", async () => {
    await node.unit("probeb.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n");
    const words = `${probe} /run/probe/each 'echo "hello $$(cat $$CREDENTIALS_DIRECTORY/CF_TOKEN)"'`;
    const service = { lines: "StandardInput=socket", commands: { ExecStart: words } };
    await node.unit("probeb@.service", textOf("sealed", service));
    await node.ok("systemctl", ["start", "probeb.socket"]);
    const said = await node.ok("bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/7001; cat <&3"]);
    expect(said).toBe(`hello ${secret}\n`);
    await node.ok("systemctl", ["stop", "probeb.socket"]);
  });
});

describe("descriptors that a service has stored", () => {
  it("come back to it when it is started again", async () => {
    const keep = `import os, socket, time
print(os.environ.get("LISTEN_FDNAMES", "none"), flush=True)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
socket.send_fds(notify, [b"FDSTORE=1\\nFDNAME=kept\\nREADY=1"], [os.open("/etc/hostname", os.O_RDONLY)])
time.sleep(600)
`;
    await node.write("/run/keep.py", keep);
    const service = {
      lines: "Type=notify\nFileDescriptorStoreMax=1\nStandardOutput=append:/run/probe/kept",
      commands: { ExecStart: "/usr/bin/python3 /run/keep.py" },
    };
    await node.unit("probeb.service", textOf("sealed", service));
    await node.ok("systemctl", ["start", "probeb.service"]);
    await node.ok("systemctl", ["restart", "probeb.service"]);
    expect(await node.sh("cat /run/probe/kept")).toBe("none\nkept\n");
    await node.ok("systemctl", ["stop", "probeb.service"]);
  });
});

describe("a service that is started when its name is on the bus", () => {
  it("is that with its secret, and its main process is its own", async () => {
    // As much of D-Bus as taking a name needs: EXTERNAL, Hello, RequestName.
    const owner = String.raw`import os, socket, struct, time
assert open(os.environ["CREDENTIALS_DIRECTORY"] + "/CF_TOKEN").read() == "${secret}"
bus = socket.socket(socket.AF_UNIX)
bus.connect("/run/dbus/system_bus_socket")
bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
assert bus.recv(4096).startswith(b"OK ")
bus.sendall(b"BEGIN\r\n")
pad = lambda data, to: data + b"\0" * (-len(data) % to)
text = lambda value: struct.pack("<I", len(value)) + value.encode() + b"\0"
def call(serial, member, body=b"", signature=""):
    fields = b""
    for code, kind, value in ((1, "o", "/org/freedesktop/DBus"), (2, "s", "org.freedesktop.DBus"), (3, "s", member), (6, "s", "org.freedesktop.DBus")):
        fields = pad(fields, 8) + bytes([code, 1, ord(kind), 0]) + text(value)
    if signature:
        fields = pad(fields, 8) + bytes([8, 1, ord("g"), 0, len(signature)]) + signature.encode() + b"\0"
    bus.sendall(pad(struct.pack("<BBBBIII", 108, 1, 0, 1, len(body), serial, len(fields)) + fields, 8) + body)
call(1, "Hello")
call(2, "RequestName", pad(text("org.example.Probe"), 4) + struct.pack("<I", 0), "su")
time.sleep(600)
`;
    await node.write("/run/owner.py", owner);
    await node.write(
      "/etc/dbus-1/system.d/probe.conf",
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><policy context="default"><allow own="org.example.Probe"/></policy></busconfig>
`,
    );
    await node.ok("systemctl", ["reload", "dbus.service"]);
    await node.unit(
      "probeb.service",
      textOf("sealed", {
        lines: "Type=dbus\nBusName=org.example.Probe\nTimeoutStartSec=10",
        commands: { ExecStart: "/usr/bin/python3 /run/owner.py" },
      }),
    );
    await node.ok("systemctl", ["start", "probeb.service"]);
    const main = await node.show("probeb.service", "MainPID");
    expect(await node.sh("busctl status org.example.Probe | grep ^PID=")).toBe(`PID=${main}\n`);
    await node.ok("systemctl", ["stop", "probeb.service"]);
  });
});
