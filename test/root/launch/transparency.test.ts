import { openSync, closeSync } from "node:fs";
import { getPriority } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestNode, type StartOptions } from "../../fixtures/node.ts";

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.create();
});
afterAll(() => node[Symbol.asyncDispose]());

const asRoot = ["--user", "root"];

/** What a command prints without Sealaunch, and launched by it. */
async function both(
  command: readonly string[],
  how: StartOptions = {},
  options: readonly string[] = asRoot,
  around: readonly string[] = [],
): Promise<[bare: string, launched: string]> {
  const { sealaunchPath } = await import("../../fixtures/program.ts");
  const run = [sealaunchPath, "run", "--in-place", ...options, "--", ...command];
  const wrapped = async (words: readonly string[]): Promise<string> => {
    const [program = "", ...args] = [...around, ...words];
    return node.ok(program, args, how);
  };
  return [await wrapped(command), await wrapped(run)];
}

/** An environment as the service has it, without what was asked for. */
function withoutAsked(environ: string): string[] {
  const asked = /^(?:CREDENTIALS_DIRECTORY|HOME|USER|LOGNAME|SHELL)=/u;
  return environ
    .split("\0")
    .filter((line) => line !== "" && !asked.test(line))
    .toSorted();
}

const cat = (...paths: string[]): string[] => [`${node.busybox}/bin/cat`, ...paths];

describe("a service launched in place", () => {
  it("has the limits, umask, nice value, directory and signals it would have without", async () => {
    const around = [
      "/bin/sh",
      "-c",
      'umask 027; ulimit -S -n 500; ulimit -S -c 1000; trap "" USR1 PIPE; exec nice -n 5 "$@"',
      "sh",
    ];
    const fields =
      /^(?:Umask|SigQ|SigBlk|SigIgn|SigCgt|Seccomp|NoNewPrivs|CapBnd|Cpus_allowed_list):/u;
    const [bareStatus, status] = await both(cat("/proc/self/status"), {}, asRoot, around);
    const pick = (text: string): string[] =>
      text.split("\n").filter((line) => fields.test(line) && !line.startsWith("SigQ"));
    expect(pick(status)).toEqual(pick(bareStatus));
    expect(pick(status).length).toBe(8);
    const [bareLimits, limits] = await both(cat("/proc/self/limits"), {}, asRoot, around);
    expect(limits).toBe(bareLimits);
    const [bareFilter, filter] = await both(cat("/proc/self/coredump_filter"), {}, asRoot, around);
    expect(filter).toBe(bareFilter);
    const nice = (text: string): string | undefined => text.split(") ")[1]?.split(" ")[16];
    const [bareStat, stat] = await both(cat("/proc/self/stat"), {}, asRoot, around);
    expect(nice(stat)).toBe(nice(bareStat));
    expect(nice(stat)).toBe(String(Math.min(19, getPriority() + 5)));
    const [bareDirectory, directory] = await both([`${node.busybox}/bin/busybox`, "pwd", "-P"], {
      cwd: "/usr/share",
    });
    expect(directory).toBe(bareDirectory);
  });

  it("has every descriptor that it was given, and no other", async () => {
    const file = openSync("/etc/hostname", "r");
    try {
      const list = [`${node.busybox}/bin/busybox`, "ls", "/proc/self/fd"];
      const [bare, launched] = await both(list, { descriptors: Array(6).fill(file) as number[] });
      expect(launched).toBe(bare);
      // With 3 to 9 all taken, dash doesn't close the script that it reads on exec: the service
      // has 0 to 20 and the others as they were, and this public file above them.
      const many = { descriptors: Array(58).fill(file) as number[] };
      const [bareMany, launchedMany] = await both(list, many);
      const numbers = (text: string): number[] => text.trim().split("\n").map(Number);
      expect(numbers(launchedMany)).toEqual(expect.arrayContaining(numbers(bareMany)));
      const links = [`${node.busybox}/bin/busybox`, "ls", "-l", "/proc/self/fd"];
      const [, linked] = await both(links, many);
      const others = linked
        .split("\n")
        .filter(
          (line) => line.includes(" -> ") && !/hostname|pipe:|\/dev\/null|socket:/u.test(line),
        );
      expect(others.filter((line) => !line.endsWith("/bin/sealaunch"))).toEqual([]);
    } finally {
      closeSync(file);
    }
  });

  it("is given its arguments byte for byte", async () => {
    const script =
      'exec "$@" -- "" "two words" "multi\nline" "$(printf "\\377\\200")" "\'quoted\'" \'$HOME `id` \\\' -x --in-place --';
    const show = [`${node.busybox}/bin/sh`, "-c", "cat /proc/$$/cmdline; true"];
    const [bare, launched] = await both(show, {}, asRoot, ["/bin/sh", "-c", script, "sh"]);
    expect(launched).toBe(bare);
    expect(launched.split("\0").slice(-9, -1)).toContain("multi\nline");
  });

  it("has its environment byte for byte, but for what was asked", async () => {
    const environment = {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      MULTI: "one\ntwo\n",
      EMPTY: "",
      QUOTES: `it's "quoted" $HOME \`id\` \\`,
      "with.dot": "a",
      "with-dash": "b c",
      "9digit": "c",
      OPTIND: "3",
      IFS: "x",
      PS1: "$ ",
      OLDPWD: "/somewhere",
      SHLVL: "7",
      sealaunch_plan: "mine",
      sealaunch_found: "mine too",
      NODE_OPTIONS: "--require=/nonexistent",
      ENV: "/nonexistent",
      BASH_ENV: "/nonexistent",
    };
    const [bare, launched] = await both(cat("/proc/self/environ"), { environment });
    expect(withoutAsked(launched)).toEqual(withoutAsked(bare));
    expect(withoutAsked(launched)).toContain("with.dot=a");
  });

  it("has values that are no UTF-8, and a PWD only if there was one", async () => {
    const binary = [
      "/usr/bin/env",
      "-i",
      "/bin/sh",
      "-c",
      'unset PWD; BIN="$(printf "\\001\\377\\200\\303")"; export BIN; exec "$@"',
      "sh",
    ];
    const [bare, launched] = await both(cat("/proc/self/environ"), {}, asRoot, binary);
    expect(withoutAsked(launched)).toEqual(withoutAsked(bare));
    expect(withoutAsked(launched).join()).not.toContain("PWD=");
    const wrong = { PWD: "/not/where/we/are" };
    const [bareWrong, launchedWrong] = await both(cat("/proc/self/environ"), {
      environment: wrong,
      cwd: "/usr",
    });
    expect(withoutAsked(launchedWrong)).toEqual(withoutAsked(bareWrong));
  });

  it("is the process that was started, and has no other beside it", async () => {
    const started = node.startInPlace(asRoot, [
      `${node.busybox}/bin/sh`,
      "-c",
      "echo $$; echo $PPID; ls /proc",
    ]);
    const { stdout } = await started.ended;
    const [pid] = stdout.toString().split("\n").map(Number);
    expect(pid).toBe(started.process.pid);
  });

  it("has exactly the user, group, groups and capabilities asked for", async () => {
    const status = async (...options: string[]): Promise<Record<string, string>> => {
      const { stdout, stderr } = await node.inPlace(options, cat("/proc/self/status"));
      expect(stderr).toBe("");
      return Object.fromEntries(
        stdout
          .toString()
          .split("\n")
          .map((line) => line.split(/:\s*/u, 2) as [string, string]),
      );
    };
    const plain = await status("--user", "nobody");
    expect(plain["Uid"]).toBe("65534\t65534\t65534\t65534");
    expect(plain["Gid"]).toBe("65534\t65534\t65534\t65534");
    expect(plain["CapEff"]).toBe("0000000000000000");
    expect(plain["CapPrm"]).toBe("0000000000000000");
    expect(plain["NoNewPrivs"]).toBe("0");
    const asked = await status(
      ...[
        "--user",
        "daemon",
        "--group",
        "mail",
        "--supplementary-group",
        "adm",
        "--supplementary-group",
        "4242",
      ],
      ...["--ambient-capability", "CAP_NET_BIND_SERVICE", "--no-new-privileges"],
    );
    expect(asked["Uid"]).toBe("1\t1\t1\t1");
    expect(asked["Gid"]).toBe("8\t8\t8\t8");
    expect(asked["Groups"]?.trim()).toBe("4 4242");
    expect(asked["CapAmb"]).toBe("0000000000000400");
    expect(asked["CapEff"]).toBe("0000000000000400");
    expect(asked["NoNewPrivs"]).toBe("1");
    const numeric = await status("--user", "4711");
    expect(numeric["Uid"]).toBe("4711\t4711\t4711\t4711");
    expect(numeric["Groups"]?.trim()).toBe("");
  });

  it("leaves O_NONBLOCK on nothing that it shares", async () => {
    const probe = [
      `${node.busybox}/bin/sh`,
      "-c",
      "cat /proc/self/fdinfo/1 /proc/self/fdinfo/2 | grep flags",
    ];
    const [bare, launched] = await both(probe);
    expect(launched).toBe(bare);
  });
});
