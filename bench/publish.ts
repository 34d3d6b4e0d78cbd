// Filling a binary cache in a directory, beside `nix copy` with zstd and with xz: a closure of 300 small paths, and
// of large ones that come to 100 MB and to 1 GB, so that memory that grows with a closure would show; wall clock,
// processor, the most memory of one process, bytes; then once more with nothing to do:
//
//   npm run bench:publish [MEGABYTES…]
//
// Needs GNU time (/usr/bin/time) and Nix.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

reportMachine(rounds);
const large = sizes.map((megabytes): [string, number, number] => {
  const count = Math.max(16, Math.ceil(megabytes / largest));
  const title = `${String(count)} paths, ${String(megabytes)} MB`;
  return [title, count, Math.ceil((megabytes * 1e6) / count)];
});
for (const [title, count, size] of [["300 paths, 15 MB", 300, 50_000] as const, ...large]) {
  using store = new TestStore();
  const top = [...store.add(plan(count, size)).values()].at(-1) ?? "";
  const work = mkdtempSync(join(tmpdir(), "sealaunch-bench-"));
  const key = createCacheKey(work, "bench-1");
  const copy = (packing: string) => (to: string) => [
    ...["nix", "--extra-experimental-features", "nix-command", "--store", store.root, "copy"],
    ...["--option", "substituters", ""],
    ...["--to", `file://${to}?secret-key=${key.secret}&compression=${packing}`, top],
  ];
  const variants: readonly [string, (to: string) => string[]][] = [
    [
      "sealaunch publish",
      (to) => [
        ...[sealaunchPath, "publish", top, "--store", store.root],
        ...["--to", `file://${to}`, "--cache-key", key.secret],
      ],
    ],
    ["nix copy, zstd", copy("zstd")],
    ...(size < 1e6 ? [["nix copy, xz", copy("xz")] as [string, (to: string) => string[]]] : []),
  ];
  console.log(`\n${title}\n`);
  console.log("| what | seconds | processor, s | memory, MiB | bytes, MB | again, seconds |");
  console.log("|---|---:|---:|---:|---:|---:|");
  const first = new Map<string, Run[]>(variants.map(([name]) => [name, []]));
  const again = new Map<string, Run[]>(variants.map(([name]) => [name, []]));
  const bytes = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of round % 2 === 0 ? variants : variants.toReversed()) {
      const to = join(work, "cache");
      first.get(name)?.push(timed(command(to), work));
      again.get(name)?.push(timed(command(to), work));
      const all = filesOf(to).reduce((sum, file) => sum + statSync(join(to, file)).size, 0);
      bytes.set(name, all);
      rmSync(to, { recursive: true });
    }
  }
  for (const [name] of variants) {
    const of = (runs: Map<string, Run[]>, what: keyof Run): string =>
      median((runs.get(name) ?? []).map((run) => run[what])).toFixed(2);
    const row = [of(first, "seconds"), of(first, "processor"), of(first, "mebibytes")];
    const sent = ((bytes.get(name) ?? 0) / 1e6).toFixed(1);
    console.log(`| ${[name, ...row, sent, of(again, "seconds")].join(" | ")} |`);
  }
  rmSync(work, { recursive: true });
}
