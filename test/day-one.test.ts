import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { matchesShown, workedExample, Workplace } from "./fixtures/worked-example.ts";

const workplace = new Workplace();
afterAll(() => {
  workplace[Symbol.dispose]();
});

describe("the README's worked example", () => {
  const steps = workedExample.filter(({ asRoot }) => !asRoot);
  const printed = new Map<string, string>();

  it("has the commands of a first day, in their order", () => {
    const commands = steps.filter(({ command }) => command.startsWith("sealaunch "));
    expect(commands.map(({ command }) => command.split(" ").slice(1, 3).join(" "))).toEqual([
      "identity create",
      "init --operator",
      "identity create",
      "roster add-pool",
      "roster add-node",
      "roster add-signer",
      "seal dns",
      "verify",
      "identity create",
      "roster add-node",
      "rewrap --identity",
      "roster add-signer",
      "seal dns",
      "verify",
      "open dns",
    ]);
  });

  // Each step needs those before it, so that they stand in one file and run in one order.
  it.for(steps)("works: $command", ({ command, shown }) => {
    const { status, stdout, stderr } = workplace.run(command);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    if (shown.length > 0) expect(stdout).toSatisfy((output: string) => matchesShown(output, shown));
    printed.set(command, stdout);
  });

  it("shows the next step after every command that makes something", () => {
    const makers = [...printed.keys()].filter((command) =>
      /^sealaunch (?:identity create|init|roster|seal|rewrap)/u.test(command),
    );
    expect(makers).toHaveLength(12);
    for (const maker of makers) expect(printed.get(maker)).toMatch(/\nnext: sealaunch [a-z]/u);
  });

  it("lets both nodes and the operator open both credentials", () => {
    for (const identity of ["n1/identity", "n2/identity", "operator.identity"]) {
      const { stdout } = workplace.run(`sealaunch open dns CF_TOKEN --identity ${identity}`);
      expect(stdout).toBe("correct horse battery staple");
      const made = workplace.run(`sealaunch open dns SESSION_KEY --identity ${identity}`);
      expect(made.stdout).toMatch(/^[A-Za-z0-9+/]{43}$/u);
      expect(workplace.run(`sealaunch verify --identity ${identity}`).status).toBe(0);
    }
  });

  it("lets the second developer open nothing, though she sealed beside it", () => {
    workplace.run("sealaunch identity create bea.identity");
    const { status, stdout } = workplace.run("sealaunch open dns CF_TOKEN --identity bea.identity");
    expect(status).toBe(77);
    expect(stdout).toBe("");
  });

  it("leaves nothing of the value in what would be committed", () => {
    const found = workplace.run("grep -rl 'correct horse' keys secrets sealaunch.json n1 n2");
    expect(found.stdout).toBe("");
    const second = "secrets/bundles/dns/0.2/statement.json";
    expect(existsSync(join(workplace.directory, second))).toBe(true);
  });
});
