import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";
import { chance, count } from "../soak.ts";

const rotate = "sealaunch identity rotate --config n1/node.json --host-key n1_host_key";
const sign = "sealaunch roster add-node keys/nodes/n1 --pool web --replace --yes";
const pass = "sealaunch rewrap --config n1/node.json";
const remove = "sealaunch roster remove-node n2 --yes";
const rewrap = "sealaunch rewrap --identity operator.identity";

/** A command that changes trust, and what was done before it. */
interface Change {
  readonly title: string;
  readonly before: readonly string[];
  readonly command: string;
  /** What is so once the command has run to its end. */
  readonly end: (here: string) => void;
}

const newestPool = (here: string): Record<string, { epoch: number } | null> => {
  const folder = join(here, "keys/pools/web");
  const newest = Math.max(
    ...readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .map(Number),
  );
  const text = readFileSync(join(folder, String(newest), "pool.json"), "utf8");
  return JSON.parse(text) as Record<string, { epoch: number } | null>;
};

const changes: readonly Change[] = [
  {
    title: "a node is shut out",
    before: [],
    command: remove,
    end: (here) => {
      expect(newestPool(here)["leaving"]?.epoch).toBe(1);
    },
  },
  {
    title: "headers are written for a new epoch",
    before: [remove],
    command: rewrap,
    end: (here) => {
      expect(readdirSync(join(here, "secrets/headers/web"))).toHaveLength(2);
    },
  },
  {
    title: "an epoch is left for good",
    before: [remove, rewrap],
    command: remove,
    end: (here) => {
      expect(newestPool(here)["leaving"]).toBeNull();
      expect(readdirSync(join(here, "secrets/headers/web"))).toHaveLength(1);
      expect(readdirSync(join(here, "keys/entries/web"))).toHaveLength(1);
    },
  },
  {
    title: "a node makes its next identity",
    before: [],
    command: rotate,
    end: (here) => {
      expect(existsSync(join(here, "n1/identity.next"))).toBe(true);
    },
  },
  {
    title: "a manager signs for the next identity",
    before: [rotate],
    command: sign,
    end: (here) => {
      expect(newestPool(here)["current"]?.epoch).toBe(1);
    },
  },
  {
    title: "the next identity takes its place",
    before: [rotate, sign],
    command: pass,
    end: (here) => {
      expect(existsSync(join(here, "n1/identity.next"))).toBe(false);
      const entries = readdirSync(join(here, "keys/entries/web/1"));
      expect(entries.filter((name) => !name.startsWith("."))).toHaveLength(3);
    },
  },
  {
    title: "pool files and the roster are renewed",
    before: [],
    command: "sealaunch roster sign --renew --yes",
    end: (here) => {
      expect(readdirSync(join(here, "keys/pools/web")).length).toBeGreaterThan(2);
    },
  },
  {
    title: "a value is sealed",
    before: [],
    command: "sealaunch seal dns CF_TOKEN=token",
    end: (here) => {
      expect(readdirSync(join(here, "secrets/bundles/dns")).length).toBeGreaterThan(2);
    },
  },
  {
    title: "all is copied to another source",
    before: [],
    command: "sealaunch copy --from dir:. --to dir:there --yes",
    end: (here) => {
      expect(filesOf(join(here, "there"))).toEqual(
        ["keys", "secrets"].flatMap((room) => filesOf(here, room)),
      );
    },
  },
  {
    title: "what nodes need is put on a stick",
    before: ["sealaunch sync --to whole"],
    command: "sealaunch sync --to stick",
    end: (here) => {
      expect(filesOf(join(here, "stick"))).toEqual(filesOf(join(here, "whole")));
    },
  },
];

/** What lies below a directory, but for what a killed command has left for nobody to look at. */
function filesOf(directory: string, room = ""): string[] {
  return readdirSync(join(directory, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => !path.split("/").some((name) => name.startsWith(".")))
    .sort();
}

/** Those that change what is on the disk; a write to a pipe that says so to another thread is no harm. */
const writing = "write,pwrite64,rename,link,unlink,rmdir,mkdir,fsync,fchmod";

/** Each takes some seconds, so that once has to do where not everything is repeated in full. */
const rounds = count(40) === 40 ? 40 : 1;

let place: Workplace;
beforeAll(() => {
  place = Workplace.followed();
});
afterAll(() => {
  place[Symbol.dispose]();
});

/** A copy of a repository and of what was seen of it, in which node n1 reads and has its identity. */
function copyOf(from: string, name: string): string {
  const here = join(place.top, name);
  for (const part of ["", ".state"]) {
    rmSync(`${here}${part}`, { recursive: true, force: true });
    cpSync(`${from}${part}`, `${here}${part}`, { recursive: true });
  }
  const file = join(here, "n1/node.json");
  const node = JSON.parse(readFileSync(file, "utf8")) as object;
  const own = {
    source: "dir:..",
    identity: join(here, "n1/identity"),
    state: join(here, "n1/state"),
  };
  writeFileSync(file, JSON.stringify({ ...node, ...own }));
  return here;
}

/** Runs a command under strace, with what it is told of the calls that write. */
function trace(command: string, here: string, log: string, ...inject: string[]): boolean {
  const words = ["-f", "-qqq", "-o", log, "-e", `trace=${writing}`, ...inject];
  const { signal, status } = spawnSync("strace", [...words, "sh", "-c", `exec ${command}`], {
    cwd: here,
    input: "",
    // One thread does what is to be counted.
    env: { UV_THREADPOOL_SIZE: "1", ...place.environment(here) },
  });
  return signal === null && status === 0;
}

/** Runs a command that is killed at its `number`th writing call; whether it was. */
function kill(command: string, here: string, number: number): boolean {
  const inject = `inject=${writing}:signal=KILL:when=${String(number)}`;
  return !trace(command, here, "/dev/null", "-e", inject);
}

/** How many writing calls a command makes in the thread that makes most: strace counts each by itself. */
function writingCalls(command: string, here: string): number {
  const log = join(place.top, "calls");
  expect(trace(command, here, log)).toBe(true);
  const counts = new Map<string, number>();
  for (const [thread] of readFileSync(log, "utf8").matchAll(/^\d+/gmu)) {
    counts.set(thread, (counts.get(thread) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}

/** What a start of n1 gets, with whichever of its identities opens. */
function started(here: string): string {
  const tried = ["n1/identity", "n1/identity.next"]
    .filter((name) => existsSync(join(here, name)))
    .map((name): Outcome => place.run(`sealaunch open dns CF_TOKEN --identity ${name}`, here));
  return tried.find(({ status }) => status === 0)?.stdout ?? JSON.stringify(tried);
}

describe("a command that is killed at any system call that writes", () => {
  it.for(changes)(
    "leaves what was or what is to be, and ends when it is run again: $title",
    { timeout: 300_000 },
    ({ title, before, command, end }) => {
      const first = copyOf(place.directory, "first");
      for (const step of before) expect(place.run(step, first).status).toBe(0);
      const value = started(first);
      const random = chance(title);
      let most = writingCalls(command, copyOf(first, "killed"));
      for (let round = 0; round < rounds; round++) {
        let here: string;
        let number: number;
        // Another run may make fewer: no number beyond the last kills anything.
        for (;;) {
          here = copyOf(first, "killed");
          number = 1 + Math.floor(random() * most);
          if (kill(command, here, number)) break;
          most = Math.max(1, number - 1);
        }
        expect(started(here), `killed at ${String(number)}`).toBe(value);
        const again = place.run(command, here);
        expect([number, again.status, again.stderr]).toEqual([number, 0, ""]);
        expect(started(here), `killed at ${String(number)}, and run again`).toBe(value);
        end(here);
      }
    },
  );
});
