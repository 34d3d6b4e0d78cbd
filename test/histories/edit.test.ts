import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

let place: Workplace;
let here: string;
let memory: string;
beforeAll(() => {
  place = Workplace.followed();
});
afterAll(() => {
  // It is empty.
  rmdirSync(memory);
  place[Symbol.dispose]();
});
// A directory of this test's own, in memory: what is left there is found.
beforeEach(() => {
  here = place.copy();
  memory = join("/dev/shm", `sealaunch-edits-${String(process.pid)}`);
  mkdirSync(memory, { recursive: true, mode: 0o700 });
});

/** An editor that is a script, with the file as its argument. */
function edit(script: string, words = "--identity operator.identity"): Outcome {
  const editor = join(here, "editor");
  writeFileSync(editor, `#!/bin/sh\nset -eu\n${script}\n`);
  chmodSync(editor, 0o755);
  const outcome = place.run(
    `XDG_RUNTIME_DIR=${memory} EDITOR='${editor}' sealaunch edit dns CF_TOKEN ${words}`,
    here,
  );
  expect(readdirSync(memory)).toEqual([]);
  return outcome;
}

const refused = (script: string, code: FailureCode): Outcome => {
  const outcome = expectRefused(edit(script), code);
  expect(newest()).toBe("0.2");
  return outcome;
};

const newest = (): string =>
  readdirSync(join(here, "secrets/bundles/dns"))
    .filter((name) => name.startsWith("0."))
    .toSorted()
    .at(-1) ?? "";

const value = (): string =>
  expectDone(place.run("sealaunch open dns CF_TOKEN --identity operator.identity", here));

describe("sealaunch edit", () => {
  it("seals what the editor leaves, whether it writes or replaces the file", () => {
    expect(expectDone(edit('printf %s zebra >"$1"'))).toContain("sealed dns 3 for web");
    expect(value()).toBe("zebra");
    expectDone(edit('sed -i s/zebra/lion/ "$1"'));
    expect(value()).toBe("lion");
    expectDone(place.run("sealaunch verify", here));
  });

  it("shows the editor the value under the credential's name, in memory, to nobody else", () => {
    const told = join(here, "told");
    expectDone(
      edit(
        `{ echo "$1"; stat -fc %T "$1" "$TMPDIR"; stat -c %a "$1" "$(dirname "$1")"; cat "$1"; } >${told}`,
      ),
    );
    const [file = "", ...rest] = readFileSync(told, "utf8").split("\n");
    expect(file).toMatch(new RegExp(`^${memory}/sealaunch-edit-[^/]+/CF_TOKEN$`, "u"));
    expect(rest).toEqual(["tmpfs", "tmpfs", "600", "700", "correct horse battery staple"]);
  });

  it("takes words with the editor's name, as git does", () => {
    const command = "sealaunch edit dns CF_TOKEN --identity operator.identity";
    const environment = `XDG_RUNTIME_DIR=${memory} EDITOR="sed -i 's/horse/big zebra/'"`;
    expectDone(place.run(`${environment} ${command}`, here));
    expect(value()).toBe("correct big zebra battery staple");
  });

  it("seals nothing where nothing was changed, also by an editor that ends files with a newline", () => {
    expect(expectDone(edit(":"))).toContain("as it was");
    expect(expectDone(edit('echo >>"$1"'))).toContain("as it was");
    expect(newest()).toBe("0.2");
  });

  it("adds no newline to a value that had none, and keeps one that was there", () => {
    expectDone(edit('echo zebra >"$1"'));
    expect(value()).toBe("zebra");
    place.run("printf 'two\\nlines\\n' | sealaunch seal dns CF_TOKEN=-", here);
    edit('sed -i s/two/three/ "$1"');
    expect(value()).toBe("three\nlines\n");
  });

  it("seals nothing where the editor fails, empties the file, takes it away or makes it no file", () => {
    expect(refused("exit 3", "editor/failed").stderr).toContain("ended with 3");
    refused(': >"$1"', "editor/failed");
    refused('rm "$1"', "editor/failed");
    refused('ln -sf /etc/hostname "$1"', "credential/too-large");
    refused('head -c 1100000 /dev/zero >"$1"', "credential/too-large");
    expect(value()).toBe("correct horse battery staple");
  });

  it("opens no editor for whom may not sign", () => {
    const told = join(here, "told");
    expectDone(place.run("sealaunch roster remove-signer ann --yes", here));
    expectRefused(edit(`touch ${told}`), "signer/none");
    expect(readdirSync(here)).not.toContain("told");
  });

  it("opens no editor where the value would be on a disk", (context) => {
    if (place.run("unshare -rm true").status !== 0) context.skip("nothing can be mounted here");
    const told = join(here, "told");
    const command = `XDG_RUNTIME_DIR=${here} EDITOR="touch ${told}" sealaunch edit dns CF_TOKEN --identity operator.identity`;
    const isolated = `unshare -rm sh -c 'mount --bind ${here} /dev/shm; ${command}'`;
    expectRefused(place.run(isolated, here), "mount/not-memory");
    expect(readdirSync(here)).not.toContain("told");
  });

  it("overwrites nothing that somebody else has sealed meanwhile, and goes on with other changes", () => {
    const meanwhile = `cd ${here}; unset EDITOR; sealaunch seal dns --generate`;
    expectRefused(edit(`printf zebra >"$1"; ${meanwhile} CF_TOKEN`), "generation/conflict");
    expect(value()).toHaveLength(43);
    expectDone(edit(`printf zebra >"$1"; ${meanwhile} SESSION_KEY >/dev/null`));
    expect(value()).toBe("zebra");
    expect(newest()).toBe("0.5");
  });

  it("leaves nothing behind when it is killed while the editor runs, and lets ^C be the editor's", async () => {
    for (const [signal, ends] of [
      ["SIGKILL", true],
      ["SIGTERM", true],
      ["SIGHUP", true],
      ["SIGINT", false],
    ] as const) {
      const script = `printf zebra >"$1"; echo ready; while [ ! -e ${here}/go-${signal} ]; do sleep 0.05; done`;
      writeFileSync(join(here, "editor"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const words = ["edit", "dns", "CF_TOKEN", "--identity", "operator.identity"];
      const child = spawn(sealaunchPath, words, {
        cwd: here,
        env: {
          ...cleanEnvironment,
          PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}`,
          HOME: place.home,
          GIT_CONFIG_GLOBAL: join(place.home, ".gitconfig"),
          XDG_STATE_HOME: `${here}.state`,
          XDG_RUNTIME_DIR: memory,
          EDITOR: join(here, "editor"),
        },
      });
      await once(child.stdout, "data");
      expect(readdirSync(memory)).toHaveLength(1);
      child.kill(signal);
      if (!ends) writeFileSync(join(here, `go-${signal}`), "");
      const [status] = (await once(child, "exit")) as [number | null];
      expect([signal, status]).toEqual([signal, ends ? null : 0]);
      await expect.poll(() => readdirSync(memory)).toEqual([]);
      writeFileSync(join(here, `go-${signal}`), "");
    }
    expect(value()).toBe("zebra");
  });
});

describe("a person in a pool of people", () => {
  it("reads and edits what is sealed for it, with a card that the person's own key signs", () => {
    for (const command of [
      "ssh-keygen -q -t ed25519 -N '' -C carla -f carla_ssh",
      "sealaunch identity create --into carla --node carla --host-key carla_ssh",
      "sealaunch roster add-pool people --yes",
      'sealaunch roster add-node carla --pool people --fingerprint "$(ssh-keygen -lf carla_ssh.pub | cut -d " " -f 2)" --yes',
      "sealaunch roster add-signer carla carla_ssh.pub --name dns --yes",
    ]) {
      const { status, stderr } = place.run(command, here);
      expect([command, status, stderr]).toEqual([command, 0, ""]);
    }
    const mine = "--identity carla/identity --signer carla_ssh.pub";
    expectRefused(edit('printf zebra >"$1"', mine), "bundle/not-for-node");
    expectDone(
      place.run(
        "sealaunch seal dns CF_TOKEN=token --generate SESSION_KEY --pool web --pool people",
        here,
      ),
    );
    expect(expectDone(edit('printf zebra >"$1"', mine))).toContain("sealed dns 4 for people, web");
    expect(value()).toBe("zebra");
    expectDone(place.run("sealaunch open dns CF_TOKEN --identity n1/identity", here));
    expectDone(place.run("sealaunch verify", here));
  });
});
