import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { requestSync } from "../../src/host/sync-socket.ts";
import { openMirror } from "../../src/sources/mirror.ts";
import { expectDone } from "../fixtures/ended.ts";
import { sealaunchPath } from "../fixtures/program.ts";
import { Workplace } from "../fixtures/worked-example.ts";
import { count } from "../soak.ts";
import { textOfFile } from "../source.ts";

// As systemd does: the listening socket is the third descriptor, and the process is told that it is for it.
const handOver = `
  $^F = 3;
  socket(S, PF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un(shift)) && listen(S, 128) or die;
  die unless fileno(S) == 3;
  @ENV{"LISTEN_FDS", "LISTEN_PID"} = (1, $$);
  exec @ARGV;`;
const options = /^Environment=NODE_OPTIONS=(.+)$/mu.exec(
  textOfFile("systemd/sealaunch-sync.service"),
)?.[1];
const command = ["sync", "--watch", "--config", "n1/node.json"];

let place: Workplace;
let here: string;
let sync: ChildProcess;
let said = "";
beforeAll(() => {
  place = Workplace.followed();
});
afterAll(() => {
  place[Symbol.dispose]();
});
beforeEach(async () => {
  here = place.copy();
  const path = join(here, "n1/node.json");
  const before = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const mirror = join(here, "n1/mirror");
  writeFileSync(path, JSON.stringify({ ...before, source: `dir:${here}`, mirror }));
  sync = spawn("perl", ["-MSocket", "-e", handOver, join(here, "s"), sealaunchPath, ...command], {
    cwd: here,
    env: { ...process.env, NODE_OPTIONS: options },
  });
  said = "";
  sync.stderr?.on("data", (bytes: Buffer) => (said += bytes.toString()));
  await once(sync.stdout ?? sync, "data");
});
afterEach(async () => {
  const ended = once(sync, "close");
  sync.kill("SIGTERM");
  const [status] = (await ended) as [number | null];
  expect(status).toBe(0);
});

const ask = (...bundles: string[]): Promise<boolean> =>
  requestSync(join(here, "s"), bundles, 20_000);

/** What it holds in memory now, in bytes. */
const resident = (): number =>
  1024 *
  Number(/^VmRSS:\s+(\d+)/mu.exec(readFileSync(`/proc/${String(sync.pid)}/status`, "utf8"))?.[1]);

describe("sync --watch", () => {
  it("answers who asks once it has read the source since, and says once what is wrong", async () => {
    expectDone(place.run("printf new > token && sealaunch seal dns CF_TOKEN=token", here));
    expect(await ask("dns")).toBe(true);
    expect(await openMirror(join(here, "n1/mirror")).list("bundles/dns")).toContain("0.3");
    renameSync(join(here, "keys"), join(here, "away"));
    expect(await ask("dns")).toBe(false);
    expect(await ask()).toBe(false);
    expect(said.match(/roster\/absent/gu)).toHaveLength(1);
    renameSync(join(here, "away"), join(here, "keys"));
    expect(await ask("dns")).toBe(true);
    expect(await ask("nowhere")).toBe(false);
    expect(said).toContain("bundle/absent");
  });

  it("tries again within seconds what it couldn't take of one bundle, though nobody tells it to", async () => {
    const statement = join(here, "secrets/bundles/dns/0.2/statement.json");
    renameSync(statement, join(here, "away"));
    expect(await ask()).toBe(false);
    const told = once(sync.stdout ?? sync, "data", { signal: AbortSignal.timeout(30_000) });
    renameSync(join(here, "away"), statement);
    const [bytes] = (await told) as [Buffer];
    expect(bytes.toString()).toBe("the mirror is up to date again\n");
  });

  it("takes no line that is no name, and nobody's endless ones", async () => {
    expect(await ask("../../etc/shadow")).toBe(false);
    expect(await ask("x".repeat(100_000))).toBe(false);
    expect(await ask("dns")).toBe(true);
  });

  it("runs with the limit that its unit gives it", () => {
    const environment = readFileSync(`/proc/${String(sync.pid)}/environ`, "utf8").split("\0");
    expect(options).toMatch(/^--max-old-space-size=\d+$/u);
    expect(environment).toContain(`NODE_OPTIONS=${String(options)}`);
  });

  it("needs no more memory after many changes than after few", async () => {
    const folder = join(here, "secrets/headers/web/1/dns");
    const headers = readdirSync(folder).map((name) => join(folder, name));
    const [first = "", second = ""] = headers;
    const swap = (): void => {
      cpSync(first, join(here, "kept"));
      cpSync(second, first);
      cpSync(join(here, "kept"), second);
    };
    const sizes: number[] = [];
    for (let round = 0; round < count(2_000); round++) {
      swap();
      expect(await ask("dns")).toBe(true);
      sizes.push(resident());
    }
    const half = sizes.length / 2;
    const most = (some: readonly number[]): number => Math.max(...some);
    expect(most(sizes.slice(half)) - most(sizes.slice(0, half))).toBeLessThan(16 * 2 ** 20);
    expect(most(sizes)).toBeLessThan(128 * 2 ** 20);
  });
});
