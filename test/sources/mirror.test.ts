import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mirrorFile, openMirror } from "../../src/sources/mirror.ts";
import { beginPass } from "../../src/sources/mirror-writing.ts";
import { refusal } from "../fixtures/refusal.ts";
import { count } from "../soak.ts";

const object = "bundles/dns/0.1/statement.json";
const isRoot = process.getuid?.() === 0;

let directory: string;
let file: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "sealaunch-mirror-")), "mirror");
  mkdirSync(directory, { mode: 0o755 });
  file = join(directory, mirrorFile(object));
});
afterEach(() => {
  rmSync(join(directory, ".."), { recursive: true });
});

const read = (): Promise<string> => refusal(() => openMirror(directory).read(object, 100));

describe("a mirror that is written to", () => {
  it("is read as it was or as it is, whenever a file is replaced", async () => {
    const swap = `cd "$0"; while :; do for text in old new; do printf $text >next; mv next "$1"; done; done`;
    writeFileSync(file, "old");
    const writer = spawn("sh", ["-c", swap, directory, file]);
    const found = new Set<string>();
    const mirror = openMirror(directory);
    for (let round = 0; round < count(50_000); round++) {
      found.add(new TextDecoder().decode(await mirror.read(object, 100)));
    }
    const ended = once(writer, "close");
    writer.kill();
    await ended;
    expect([...found].toSorted()).toEqual(["new", "old"]);
  });
});

describe("a hostile mirror", () => {
  const outside = (): string => {
    const path = join(directory, "../outside");
    writeFileSync(path, "not sync's");
    return path;
  };

  it("has a symbolic link followed nowhere, to a file or as the mirror itself", async () => {
    symlinkSync(outside(), file);
    expect(await read()).toBe("source/hostile");
    rmSync(directory, { recursive: true });
    symlinkSync(join(directory, ".."), directory);
    expect(await read()).toBe("source/hostile");
  });

  it("has a FIFO, a directory and a socket refused, none of them waited for", async () => {
    spawnSync("mkfifo", [file]);
    expect(await read()).toBe("source/hostile");
    rmSync(file);
    mkdirSync(file);
    expect(await read()).toBe("source/hostile");
    rmSync(file, { recursive: true });
    // A socket's path is short.
    const listening = createServer().listen(join(directory, "../s"));
    await once(listening, "listening");
    renameSync(join(directory, "../s"), file);
    expect(await read()).toBe("source/hostile");
    listening.close();
  });

  it("has a file of several links refused: it may be somebody else's", async () => {
    linkSync(outside(), file);
    expect(await read()).toBe("source/hostile");
  });

  it("has a file over the object's limit refused, of which no more is read", async () => {
    writeFileSync(file, "");
    truncateSync(file, 2 ** 40);
    const before = process.memoryUsage().rss;
    expect(await read()).toBe("source/hostile");
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20);
  });

  it.runIf(isRoot)("has another user's file refused", async () => {
    writeFileSync(file, "statement");
    chownSync(directory, 65534, 65534);
    expect(await read()).toBe("source/hostile");
    chownSync(file, 65534, 65534);
    expect(await read()).toBe("none");
  });

  it("is refused whole where others may write to it", async () => {
    writeFileSync(file, "statement");
    expect(await read()).toBe("none");
    chmodSync(directory, 0o777);
    expect(await read()).toBe("source/hostile");
  });

  it("gives one of the whole contents it ever had, or a refusal, whatever is swapped meanwhile", async () => {
    // A link, a FIFO, two good files and, where it can be made one, another user's file take turns.
    const other = outside();
    if (isRoot) chownSync(other, 65534, 65534);
    const script = `
      outside=$1 file=$2 n=0
      while [ -e "$3" ]; do
        printf %s "good one" >new && mv -T new "$file"
        ln -sfn "$outside" new && mv -T new "$file"
        mkfifo new && mv -T new "$file"
        [ -O "$outside" ] || { ln "$outside" new && mv -T new "$file"; }
        printf %s "good two" >new && mv -T new "$file"
      done`;
    const running = join(directory, "../running");
    writeFileSync(running, "");
    const swapping = spawn("sh", ["-c", script, "sh", other, file, running], {
      cwd: directory,
    });
    const seen = new Set<string>();
    for (let round = 0; round < count(5_000); round++) {
      const mirror = openMirror(directory);
      const outcome = await mirror
        .read(object, 100)
        .then((bytes) => (bytes === undefined ? "absent" : new TextDecoder().decode(bytes)))
        .catch((error: unknown) => (error as { code: string }).code);
      seen.add(outcome);
      if (round % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    rmSync(running);
    await new Promise((resolve) => swapping.once("close", resolve));
    expect(
      [...seen].filter((one) => !/^(?:good (?:one|two)|absent|source\/hostile)$/u.test(one)),
    ).toEqual([]);
    expect(seen.has("source/hostile")).toBe(true);
    expect([...seen].some((one) => one.startsWith("good"))).toBe(true);
  });

  it("can list no name that leads out of a folder, and no more than so many", async () => {
    const list = join(directory, mirrorFile("bundles/"));
    writeFileSync(list, "../..\n..\n.\n\ndns\n/etc\na/b\n");
    expect(await openMirror(directory).list("bundles")).toEqual(["dns"]);
    truncateSync(list, 2 ** 40);
    expect(await refusal(() => openMirror(directory).list("bundles"))).toBe("source/hostile");
  });
});

describe("a mirror", () => {
  const bytes = new TextEncoder().encode("statement");

  it("has after a pass what was put or kept, and lists exactly that", async () => {
    const pass = beginPass(directory);
    await pass.put(object, bytes);
    pass.keep("entries/web/1/00.age");
    await pass.finish();
    const mirror = openMirror(directory);
    expect(await mirror.read(object, 100)).toEqual(bytes);
    expect(await mirror.list("bundles")).toEqual(["dns"]);
    expect(await mirror.list("bundles/dns/0.1")).toEqual(["statement.json"]);
    expect(await mirror.list("entries/web/1")).toEqual(["00.age"]);
    expect(await mirror.read("entries/web/1/00.age", 100)).toBeUndefined();
  });

  it("has room for the entries of the largest pool", async () => {
    const pass = beginPass(directory);
    const names = Array.from(
      { length: 60_000 },
      (_, member) => `${member.toString(16).padStart(32, "0")}.age`,
    );
    for (const name of names) pass.keep(`entries/web/1/${name}`);
    await pass.finish();
    expect(await openMirror(directory).list("entries/web/1")).toEqual(names);
  });

  it("lists nothing of a pass that didn't end", async () => {
    await beginPass(directory).put(object, bytes);
    expect(await openMirror(directory).list("bundles")).toEqual([]);
  });

  it("keeps a folder as it was, where a pass says so", async () => {
    const first = beginPass(directory);
    await first.put(object, bytes);
    await first.put("bundles/web/0.1/statement.json", bytes);
    await first.finish();
    const second = beginPass(directory);
    await second.keepFolder("bundles/dns");
    await second.finish();
    expect(await openMirror(directory).list("bundles")).toEqual(["dns"]);
    expect(await openMirror(directory).read(object, 100)).toEqual(bytes);
  });

  it("is never written to by who reads it", async () => {
    const mirror = openMirror(directory);
    for (const write of [
      () => mirror.write(object, bytes),
      () => mirror.publish("bundles/dns", new Map()),
      () => mirror.remove(object),
    ]) {
      expect(await refusal(write)).toBe("write/refused");
    }
  });
});
