import { chmod, chown, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../../src/failure.ts";
import { TestCluster } from "../../fixtures/cluster.ts";
import { TestNode, type StartOptions } from "../../fixtures/node.ts";
import { refusalLines, sealaunchPath, type Ended } from "../../fixtures/program.ts";

let node: TestNode;
let cluster: TestCluster;
beforeAll(async () => {
  node = await TestNode.create();
  cluster = await TestCluster.create();
  await cluster.withBundle(
    {},
    {
      BINARY: new Uint8Array([0xff, 0x80, 0x0a, 0x27, 0x0a]),
      CF_TOKEN: "canary",
      LARGE: "x".repeat(128 * 1024),
      NUL: "can\0ary",
    },
  );
  await node.join(cluster);
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});
// Whatever was put over programs of the machine, in the node's namespace alone.
let covered: string[] = [];
afterEach(async () => {
  for (const path of covered) await node.ok("/bin/umount", [path]);
  covered = [];
});

async function cover(path: string): Promise<void> {
  await writeFile(join(node.directory, "empty"), "", { mode: 0o644 });
  await node.ok("/bin/mount", ["--bind", join(node.directory, "empty"), path]);
  covered.push(path);
}

const asNobody = ["--user", "nobody"];
const id = (): string[] => [`${node.busybox}/bin/id`];

function expectRefused({ status, stdout, stderr }: Ended, code: FailureCode, text: RegExp): void {
  expect(stderr).toMatch(refusalLines);
  expect(stderr).toMatch(text);
  expect(stderr).not.toContain("canary");
  expect(status).toBe(exitStatus[failures[code][0]]);
  expect(stdout.toString()).toBe("");
}

/** A launch through other programs, such as one that takes capabilities away. */
const through = (
  words: readonly string[],
  options: readonly string[] = asNobody,
): Promise<Ended> => {
  const [program = "", ...rest] = words;
  const run = [sealaunchPath, "run", "--in-place", "--config", node.configuration];
  return node.run(program, [...rest, ...run, ...options, "--", ...id()]);
};

describe("a machine that doesn't let it", () => {
  it("is refused where mounting isn't allowed", async () => {
    const ended = await through(["/usr/bin/setpriv", "--bounding-set=-sys_admin", "--"]);
    expectRefused(ended, "mount/refused", /hint: .*--credentials-dir DIR/u);
  });

  it("is refused where privileges can't be dropped", async () => {
    const ended = await through(["/usr/bin/setpriv", "--bounding-set=-setuid", "--"]);
    expectRefused(ended, "privileges/refused", /privileges can't be dropped to user nobody/u);
  });

  it("is refused for a capability that can't be given, and for one that isn't", async () => {
    const taken = ["/usr/bin/setpriv", "--bounding-set=-net_raw", "--"];
    const ask = (name: string): string[] => [...asNobody, "--ambient-capability", name];
    expectRefused(await through(taken, ask("net_raw")), "privileges/refused", /dropped/u);
    expectRefused(await node.inPlace(ask("nonsense"), id()), "privileges/refused", /nonsense/u);
    expectRefused(await node.inPlace(ask("../x"), id()), "usage/invalid", /no capability/u);
  });

  it.each(["setpriv", "nix-store", "unshare", "mount", "env"])(
    "is refused where %s is missing",
    async (program) => {
      await cover(`/usr/bin/${program}`);
      const ended = await node.inPlace(asNobody, id());
      expectRefused(ended, "program/missing", new RegExp(`error: ${program} is in none of`, "u"));
    },
  );

  it("is refused without root", async () => {
    const drop = ["/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "--"];
    expectRefused(await through(drop), "privileges/needed", /hint: .*sudo/u);
  });

  it("uses ramfs where tmpfs would swap: in a user namespace", async () => {
    const run = [sealaunchPath, "run", "--in-place", "--config", node.configuration, ...asNobody];
    const cat = [`${node.busybox}/bin/cat`, "/proc/self/mountinfo"];
    const wait = [
      "/bin/sh",
      "-c",
      'echo ready; until [ -n "$(cat /proc/self/uid_map)" ]; do :; done; exec "$@"',
    ];
    const { process: child, ended } = node.start("/usr/bin/unshare", [
      ...["--user", "--mount", "--", ...wait, "sh", ...run, "--", ...cat],
    ]);
    child.stdout?.once("data", () => {
      const proc = `/proc/${String(child.pid)}`;
      writeFileSync(`${proc}/gid_map`, "0 0 65536");
      writeFileSync(`${proc}/uid_map`, "0 0 65536");
    });
    const { stdout, stderr } = await ended;
    expect(stderr).toBe("");
    expect(stdout.toString()).toMatch(/ \/run\/sealaunch\/service ro,\S* - ramfs /u);
  });

  it("is refused where others could have made the mount point", async () => {
    await node.ok("/bin/chmod", ["0777", "/run/sealaunch"]);
    const ended = await node.inPlace(asNobody, id());
    await node.ok("/bin/chmod", ["0755", "/run/sealaunch"]);
    expectRefused(ended, "mount/refused", /\/run\/sealaunch is not a directory that only root/u);
  });

  it("makes the mount point so that the service gets there, whatever the umask", async () => {
    await node.ok("/bin/rm", ["-rf", "/run/sealaunch/service"]);
    const command = [`${node.busybox}/bin/cat`, "/run/sealaunch/service/credentials/CF_TOKEN"];
    const run = [sealaunchPath, "run", "--in-place", "--config", node.configuration, ...asNobody];
    const sh = ["-c", 'umask 0777; exec "$@"', "sh"];
    const all = [...sh, ...run, "--bundle", "dns", "--", ...command];
    expect(await node.ok("/bin/sh", all)).toBe("canary");
  });

  it("is refused if it is told that it has a mount namespace of its own, and has none", async () => {
    await node.ok("/bin/mount", ["--make-rshared", "/"]);
    const args = ["--sealaunch-mounted", "run", "--in-place", ...asNobody, "--", ...id()];
    const ended = await node.run(sealaunchPath, args);
    await node.run("/bin/umount", ["/run/sealaunch/service"]);
    await node.ok("/bin/mount", ["--make-rprivate", "/"]);
    expectRefused(ended, "mount/refused", /shared with the rest of the machine/u);
  });

  it("is refused where Node is too old to know its options", async () => {
    const path = join(sealaunchPath, `../../node_modules/node-linux-${process.arch}/bin/node`);
    await writeFile(join(node.directory, "old-node"), "#!/bin/sh\nexit 9\n", { mode: 0o755 });
    await node.ok("/bin/mount", ["--bind", join(node.directory, "old-node"), path]);
    covered.push(path);
    expectRefused(await node.inPlace(asNobody, id()), "program/missing", /node is too old/u);
  });

  it("says so if the launcher dies without a word", async () => {
    const ended = await through(["/usr/bin/prlimit", "--as=300000000", "--"]);
    expect(ended.stderr).toMatch(refusalLines);
    expect(ended.stderr).toMatch(/the launcher ended with status \d+ and no plan/u);
    expect(ended.status).toBe(70);
  });
});

describe("an environment that steers what root runs", () => {
  const names = [
    ...[
      "LD_PRELOAD",
      "LD_LIBRARY_PATH",
      "LD_AUDIT",
      "LD_DEBUG_OUTPUT",
      "LD_PROFILE",
      "LD_WHATEVER",
    ],
    ...["GLIBC_TUNABLES", "GCONV_PATH", "GETCONF_DIR", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH"],
    ...["MALLOC_TRACE", "MALLOC_CHECK_", "MALLOC_PERTURB_", "NIS_PATH", "NLSPATH", "RES_OPTIONS"],
    ...["RESOLV_HOST_CONF", "BASH_FUNC_x%%"],
  ];
  it.each(names)("is refused: %s", async (name) => {
    const ended = await node.inPlace(asNobody, id(), { environment: { [name]: "value" } });
    // The loader itself may have complained first.
    const stderr = ended.stderr.replace(/^ERROR: ld\.so: [^\n]*\n/gmu, "");
    expectRefused({ ...ended, stderr }, "environment/unsafe", /hint: .*script in the Nix store/u);
  });

  it("is refused even if it is empty", async () => {
    const ended = await node.inPlace(asNobody, id(), { environment: { LD_PRELOAD: "" } });
    expectRefused(ended, "environment/unsafe", /LD_PRELOAD/u);
  });

  it("is no reason for those who aren't root and launch nothing", async () => {
    const ended = await node.run(sealaunchPath, ["--version"], {
      environment: { LOCPATH: "/nowhere" },
    });
    expect(ended.status).toBe(0);
  });

  it("has no program of its PATH run, and no file of its Node options read", async () => {
    const evil = join(node.directory, "evil");
    await mkdir(evil);
    await chmod(node.directory, 0o755);
    const log = join(node.directory, "evil.log");
    for (const name of [
      "node",
      "setpriv",
      "mount",
      "nix-store",
      "env",
      "id",
      "getent",
      "sed",
      "sh",
    ])
      await writeFile(join(evil, name), `#!/bin/sh\necho ${name} >>${log}\n`, { mode: 0o755 });
    await writeFile(join(evil, "x.cjs"), `require("fs").appendFileSync("${log}", "node\\n")`);
    const environment = {
      PATH: evil,
      NODE_OPTIONS: `--require=${evil}/x.cjs`,
      NODE_PATH: evil,
      NODE_EXTRA_CA_CERTS: `${evil}/x.cjs`,
      ENV: `${evil}/sh`,
      BASH_ENV: `${evil}/sh`,
      XDG_CONFIG_HOME: evil,
      NIX_CONF_DIR: evil,
      NIX_STORE_DIR: evil,
      HOME: evil,
    };
    const { status, stderr } = await node.inPlace(asNobody, id(), { environment });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(await readFile(log, "utf8").catch(() => "nothing ran")).toBe("nothing ran");
  });

  it("has no credentials of somebody else's hidden", async () => {
    const environment = { CREDENTIALS_DIRECTORY: "/run/credentials/x.service" };
    const ended = await node.inPlace([...asNobody, "--bundle", "dns"], id(), { environment });
    expectRefused(ended, "usage/invalid", /CREDENTIALS_DIRECTORY is set already/u);
  });
});

describe("what is asked for", () => {
  const ask = (options: readonly string[], how?: StartOptions): Promise<Ended> =>
    node.inPlace([...asNobody, "--bundle", "dns", ...options], id(), how);

  it.each([
    ["--user", "no-such-user"],
    ["--user", ""],
    ["--user", "4294967295"],
    ["--user", "-1"],
    ["--user", "+0"],
    ["--user", "00"],
    ["--user", " 0"],
  ])("is no user: %s %j", async (option, user) => {
    expectRefused(await node.inPlace([option, user], id()), "user/unknown", /no user/u);
  });

  it("is no group", async () => {
    const ended = await node.inPlace([...asNobody, "--group", "no-such-group"], id());
    expectRefused(ended, "user/unknown", /no group "no-such-group"/u);
  });

  it("is no user at all", async () => {
    expectRefused(await node.inPlace([], id()), "usage/invalid", /needs the user/u);
  });

  it("becomes a variable byte for byte", async () => {
    const cat = [`${node.busybox}/bin/cat`, "/proc/self/environ"];
    const options = [...asNobody, "--bundle", "dns", "--env", "B=BINARY", "--env", "CF_TOKEN"];
    const { stdout } = await node.inPlace(options, cat);
    const variables = stdout.toString("latin1").split("\0");
    expect(variables).toContain("B=\xff\x80\n'\n");
    expect(variables).toContain("CF_TOKEN=canary");
  });

  it.each(["NUL", "LARGE"])("can be no variable: %s", async (credential) => {
    const ended = await ask(["--env", `X=${credential}`]);
    expectRefused(ended, "credential/not-for-environment", new RegExp(credential, "u"));
  });

  it.each(
    ["LD_PRELOAD", "GCONV_PATH", "IFS", "PWD", "SHLVL", "_", "OPTIND", "BASHOPTS", "UID"].concat(
      ...["CREDENTIALS_DIRECTORY", "sealaunch_plan", "SHELLOPTS"],
    ),
  )("may not be the variable %s", async (variable) => {
    expectRefused(await ask(["--env", `${variable}=CF_TOKEN`]), "usage/bad-name", /variable/u);
  });

  it.each(["a.b=CF_TOKEN", "1=CF_TOKEN", "=CF_TOKEN", "A B=CF_TOKEN", "X="])(
    "is no variable: --env %s",
    async (text) => {
      expectRefused(await ask(["--env", text]), "usage/bad-name", /./u);
    },
  );

  it("is a credential that isn't delivered", async () => {
    expectRefused(await ask(["--env", "X=OTHER"]), "credential/missing", /OTHER/u);
    expectRefused(await ask(["--credential", "OTHER"]), "credential/missing", /OTHER/u);
    const left = ["--credential", "NUL", "--env", "CF_TOKEN"];
    expectRefused(await ask(left), "credential/missing", /CF_TOKEN/u);
  });

  it.each(["--unknown", "--user=nobody=x=y", "hunter2", "--bundle", "--in-place=yes", "-x"])(
    "is no option: %s",
    async (text) => {
      const { status, stderr } = await node.inPlace([text], id());
      expect(stderr).toMatch(refusalLines);
      expect(stderr).not.toContain("hunter2");
      expect([64, 78]).toContain(status);
    },
  );
});

describe("the credentials", () => {
  it("lie where only the user can read them, and nobody can change them", async () => {
    const script = `cd $CREDENTIALS_DIRECTORY; pwd; PATH=${node.busybox}/bin; busybox stat -c '%a %u %g %n' . ..  *; busybox touch new; busybox rm -f CF_TOKEN; busybox chmod 700 .`;
    const options = [...asNobody, "--bundle", "dns", "--credential", "CF_TOKEN"];
    const shell = [`${node.busybox}/bin/sh`, "-c", script];
    const { stdout, stderr } = await node.inPlace(options, shell);
    expect(stdout.toString()).toBe(
      "/run/sealaunch/service/credentials\n500 65534 65534 .\n755 0 0 ..\n400 65534 65534 CF_TOKEN\n",
    );
    expect(stderr.match(/Read-only file system/gu)?.length).toBe(3);
  });
});

describe("a directory for credentials", () => {
  const given = (): string => `/dev/shm/sealaunch-test-${String(process.pid)}`;
  afterEach(() => rm(given(), { recursive: true, force: true }));
  const start = (directory: string, command: readonly string[] = id()): Promise<Ended> => {
    const options = [...asNobody, "--bundle", "dns", "--credential", "CF_TOKEN"];
    return node.inPlace([...options, "--credentials-dir", directory], command);
  };
  const show = (): string[] => [
    `${node.busybox}/bin/sh`,
    "-c",
    `PATH=${node.busybox}/bin; cd $CREDENTIALS_DIRECTORY; pwd; busybox stat -c '%a %u %n' . *; busybox cat CF_TOKEN`,
  ];

  it("needs no mount, and is made anew by each start", async () => {
    await mkdir(given());
    const path = `${given()}/sealaunch/credentials`;
    for (let start_ = 0; start_ < 2; start_++) {
      const { stdout, stderr } = await start(given(), show());
      expect(stderr).toBe("");
      expect(stdout.toString()).toBe(`${path}\n500 65534 .\n400 65534 CF_TOKEN\ncanary`);
      await writeFile(`${path}/left`, "by somebody");
    }
    const pins = await node.ok("nix-store", ["--gc", "--print-roots"]);
    expect(pins).not.toContain("/proc/");
  });

  it("works where mounting is refused", async () => {
    await mkdir(given());
    const options = [...asNobody, "--credentials-dir", given()];
    const ended = await through(["/usr/bin/setpriv", "--bounding-set=-sys_admin", "--"], options);
    expect(ended.stderr).toBe("");
    expect(ended.status).toBe(0);
  });

  it("has to be in memory", async () => {
    const directory = "/var/sealaunch-test";
    await mkdir(directory);
    const ended = await start(directory);
    await rm(directory, { recursive: true });
    expectRefused(ended, "mount/not-memory", /not on tmpfs or ramfs/u);
    expectRefused(await start(given()), "mount/not-memory", /can't be looked at: ENOENT/u);
  });

  it("is refused if the service's user could put something else in its place", async () => {
    await mkdir(given());
    const within = join(given(), "within");
    await mkdir(within);
    const refused = /is not a directory that only root may write/u;
    await chown(within, 65534, 65534);
    expectRefused(await start(within), "write/refused", refused);
    await chown(within, 0, 0);
    await chmod(within, 0o777);
    expectRefused(await start(within), "write/refused", refused);
    await chmod(within, 0o755);
    await chown(given(), 65534, 65534);
    expectRefused(await start(within), "write/refused", refused);
    await chown(given(), 0, 0);
    await symlink(within, join(given(), "link"));
    expectRefused(await start(join(given(), "link")), "write/refused", refused);
    expect((await start(within)).status).toBe(0);
  });
});
