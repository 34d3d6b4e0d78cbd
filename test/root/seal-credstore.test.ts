import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusalLines } from "../fixtures/program.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

const workplace = Workplace.followed();
beforeAll(() => {
  for (const machine of ["one", "two"]) mkdirSync(join(workplace.top, machine));
  onMachine("one", "printf %s secret | systemd-creds encrypt --with-key=host --name=token - token");
  onMachine("one", "cp token token.cred; cp token renamed; printf plain >plain");
});
afterAll(() => {
  workplace[Symbol.dispose]();
});

/** Runs a command line on a machine whose host key for credentials is its own. */
function onMachine(machine: string, command: string): Outcome {
  const own = join(workplace.top, machine);
  return workplace.run(
    `unshare --mount --propagation private sh -ec 'mount --bind ${own} /var/lib/systemd; ${command}'`,
  );
}

const open = (credential: string): Outcome =>
  workplace.run(`sealaunch open dns ${credential} --identity operator.identity`);

describe("seal --from-credstore", () => {
  it("seals what systemd-creds decrypts, under the file's name or the one that is given", () => {
    const { status, stderr } = onMachine("one", "sealaunch seal dns --from-credstore token");
    expect(stderr).not.toContain("error");
    expect(status).toBe(0);
    expect(open("token").stdout).toBe("secret");
    onMachine("one", "sealaunch seal dns --remove token --from-credstore OTHER=token.cred");
    expect(open("OTHER").stdout).toBe("secret");
  });

  it("takes the name in the unit for the one that it was encrypted under", () => {
    const refused = onMachine("one", "sealaunch seal dns --from-credstore renamed");
    expect(refused.status).toBe(71);
    expect(onMachine("one", "sealaunch seal dns --from-credstore token=renamed").status).toBe(0);
    expect(open("token").stdout).toBe("secret");
  });

  it("seals nothing of another machine's, and nothing that isn't encrypted", () => {
    for (const [machine, file] of [
      ["two", "token"],
      ["one", "plain"],
    ] as const) {
      const before = workplace.run("sealaunch inspect dns").stdout;
      const { status, stderr } = onMachine(machine, `sealaunch seal dns --from-credstore ${file}`);
      expect(stderr).toMatch(refusalLines);
      expect(stderr).toContain(`systemd-creds doesn't decrypt ${file}`);
      expect(status).toBe(71);
      expect(workplace.run("sealaunch inspect dns").stdout).toBe(before);
    }
  });
});
