import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { guidanceOf } from "../../src/cli/guidance.ts";
import { TestNode } from "../fixtures/node.ts";
import { sealaunchPath, type Ended } from "../fixtures/program.ts";
import { workedExample, Workplace } from "../fixtures/worked-example.ts";

const workplace = new Workplace();
let node: TestNode;
beforeAll(async () => {
  node = await TestNode.create();
  // What nix-build would have left: a link to a store path with the service in it.
  const tree = join(workplace.top, "service-1");
  await mkdir(join(tree, "bin"), { recursive: true });
  const script = `#!${node.busybox}/bin/sh\nprintf '%s as %s' "$(cat "$CREDENTIALS_DIRECTORY/CF_TOKEN")" "$(${node.busybox}/bin/id -un)"\n`;
  await writeFile(join(tree, "bin/service"), script);
  await chmod(join(tree, "bin/service"), 0o755);
  const storePath = (await node.ok("nix-store", ["--add", tree])).trim();
  await symlink(storePath, join(workplace.directory, "result"));
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  workplace[Symbol.dispose]();
});

/** Runs a command line on the node, as root, in the example's directory. */
function onNode(command: string, user: readonly string[] = []): Promise<Ended> {
  const [program, ...args] = [...user, "sh", "-c", command];
  return node.run(program, args, {
    cwd: workplace.directory,
    environment: { PATH: `${dirname(sealaunchPath)}:/usr/sbin:/usr/bin:/sbin:/bin` },
  });
}

/** Somebody who isn't root, but gets into the tests' own directory, whoever made the ones above. */
const nobody = [
  ...["setpriv", "--reuid", "65534", "--clear-groups"],
  ...["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"],
];

describe("the first day", () => {
  it("ends with the service that has its secret, by the README's own commands", async () => {
    const launches = workedExample.filter(({ asRoot }) => asRoot);
    expect(launches).toHaveLength(1);
    for (const { command, asRoot } of workedExample) {
      const ended = asRoot ? await onNode(command) : workplace.run(command);
      expect(ended.stderr, command).toBe("");
      expect(ended.status, command).toBe(0);
      if (asRoot) expect(ended.stdout.toString()).toBe("correct horse battery staple as nobody");
    }
  });

  it("has examples in the help of run that work as they stand", async () => {
    const run = createProgram().commands.find((command) => command.name() === "run");
    const guidance = run === undefined ? undefined : guidanceOf(run);
    const [inPlace = "", plain = "", ...others] = guidance?.examples ?? [];
    expect(others).toEqual([]);
    const launched = await onNode(inPlace);
    expect(launched.stdout.toString()).toBe("correct horse battery staple as nobody");
    await mkdir(join(workplace.directory, "secrets.local"));
    await writeFile(join(workplace.directory, "secrets.local/CF_TOKEN"), "local token");
    await writeFile(
      join(workplace.directory, "service"),
      '#!/bin/sh\nprintf "%s %s" "$1" "$CF_TOKEN"\n',
    );
    await chmod(join(workplace.directory, "service"), 0o755);
    const local = await onNode(plain, nobody);
    expect(local.stderr).toMatch(
      /^warning: credentials come from [^\n]*secrets\.local, sealed by nobody/u,
    );
    expect(local.stdout.toString()).toBe("--once local token");
    expect((await onNode(plain)).status).toBe(77);
  });
});
