// Filling a binary cache in a directory, beside `nix copy` with zstd and with xz: a closure of 300 small paths, and
// of large ones that come to 100 MB and to 1 GB, so that memory that grows with a closure would show; wall clock,
// processor, the most memory of one process, bytes; then once more with nothing to do. And the small paths, of which
// none needs another but the last, which needs all, once more into a server that is 20 ms away:
//
//   npm run bench:publish [MEGABYTES…]
//
// Needs GNU time (/usr/bin/time) and Nix.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createCacheKey, filesOf, TestStore, type Planned } from "../test/fixtures/store.ts";
import { cleanEnvironment, sealaunchPath } from "../test/fixtures/program.ts";
import { median, reportMachine } from "./measure.ts";

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [100, 1000];
const rounds = 5;
/** A large path is as large at most, in MB. */
const largest = 62.5;

/** Bytes of which about a third are new, as zstd sees programs. */
function content(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed * 2654435761 + 1;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[at] = at % 3 === 0 ? state >>> 24 : at >>> 8;
  }
  return bytes;
}

function plan(count: number, size: number): Planned[] {
  return Array.from({ length: count }, (_, number) => ({
    name: `path-${String(number)}`,
    references: number === 0 ? [] : [`path-${String(number - 1)}`, `path-${String(number >> 1)}`],
    files: { program: content(size, number) },
  }));
}

/** Paths of which none needs another but the last, which needs all. */
function flat(count: number, size: number): Planned[] {
  const names = Array.from({ length: count - 1 }, (_, number) => `path-${String(number)}`);
  const leaves = names.map((name, number) => ({ name, files: { program: content(size, number) } }));
  return [...leaves, { name: "all", references: names }];
}

interface Run {
  readonly seconds: number;
  readonly processor: number;
  readonly mebibytes: number;
}

function timed(command: readonly string[], cwd: string): Run {
  const { status, stderr } = spawnSync("/usr/bin/time", ["-f", "%e %U %S %M", ...command], {
    cwd,
    env: { ...cleanEnvironment, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: cwd },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  const [seconds = 0, user = 0, system = 0, kibibytes = 0] = (
    stderr.trim().split("\n").at(-1) ?? ""
  )
    .split(" ")
    .map(Number);
  return { seconds, processor: user + system, mebibytes: kibibytes / 1024 };
}

/** Where closures go. */
interface Target {
  readonly url: string;
  /** Bytes that are there now; undefined where nobody counts them. */
  readonly size: () => number | undefined;
  readonly empty: () => Promise<void> | void;
}

interface Case {
  readonly title: string;
  readonly planned: readonly Planned[];
  readonly target: Target;
  /** How `nix copy` packs for comparison. */
  readonly packings: readonly string[];
}

const work = mkdtempSync(join(tmpdir(), "sealaunch-bench-"));
const key = createCacheKey(work, "bench-1");
const directory = join(work, "cache");
const local: Target = {
  url: `file://${directory}`,
  size: () =>
    filesOf(directory).reduce((sum, file) => sum + statSync(join(directory, file)).size, 0),
  empty: () => {
    rmSync(directory, { recursive: true });
  },
};

const distance = 20;
const server = new Worker(new URL("distant-cache.ts", import.meta.url), { workerData: distance });
const [port] = (await once(server, "message")) as [number];
const distant: Target = {
  url: `http://127.0.0.1:${String(port)}`,
  size: () => undefined,
  empty: async () => {
    server.postMessage("forget");
    await once(server, "message");
  },
};

async function timeAll({ title, planned, target, packings }: Case): Promise<void> {
  using store = new TestStore();
  const top = [...store.add(planned).values()].at(-1) ?? "";
  const publish = [
    ...[sealaunchPath, "publish", top, "--store", store.root],
    ...["--to", target.url, "--cache-key", key.secret],
  ];
  const copies = packings.map((packing): [string, string[]] => [
    `nix copy, ${packing}`,
    [
      ...["nix", "--extra-experimental-features", "nix-command", "--store", store.root, "copy"],
      ...["--option", "substituters", ""],
      ...["--to", `${target.url}?secret-key=${key.secret}&compression=${packing}`, top],
    ],
  ]);
  await report(title, [["sealaunch publish", publish], ...copies], target);
}

async function report(
  title: string,
  variants: readonly (readonly [string, readonly string[]])[],
  target: Target,
): Promise<void> {
  console.log(`\n${title}\n`);
  console.log("| what | seconds | processor, s | memory, MiB | bytes, MB | again, seconds |");
  console.log("|---|---:|---:|---:|---:|---:|");
  const first = new Map<string, Run[]>(variants.map(([name]) => [name, []]));
  const again = new Map<string, Run[]>(variants.map(([name]) => [name, []]));
  const bytes = new Map<string, number | undefined>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of round % 2 === 0 ? variants : variants.toReversed()) {
      // Nix remembers there what caches had.
      const home = mkdtempSync(join(work, "home-"));
      first.get(name)?.push(timed(command, home));
      again.get(name)?.push(timed(command, home));
      bytes.set(name, target.size());
      await target.empty();
    }
  }
  for (const [name] of variants) {
    const of = (runs: Map<string, Run[]>, what: keyof Run): string =>
      median((runs.get(name) ?? []).map((run) => run[what])).toFixed(2);
    const row = [of(first, "seconds"), of(first, "processor"), of(first, "mebibytes")];
    const counted = bytes.get(name);
    const sent = counted === undefined ? "" : (counted / 1e6).toFixed(1);
    console.log(`| ${[name, ...row, sent, of(again, "seconds")].join(" | ")} |`);
  }
}

reportMachine(rounds);
await timeAll({
  title: "300 paths, 15 MB",
  planned: plan(300, 50_000),
  target: local,
  packings: ["zstd", "xz"],
});
await timeAll({
  title: `300 paths, 15 MB, into a server that is ${String(distance)} ms away`,
  planned: flat(300, 50_000),
  target: distant,
  packings: ["zstd"],
});
for (const megabytes of sizes) {
  const count = Math.max(16, Math.ceil(megabytes / largest));
  await timeAll({
    title: `${String(count)} paths, ${String(megabytes)} MB`,
    planned: plan(count, Math.ceil((megabytes * 1e6) / count)),
    target: local,
    packings: ["zstd"],
  });
}
await server.terminate();
rmSync(work, { recursive: true });
