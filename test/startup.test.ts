import * as z from "zod/mini";
import { describe, expect, it } from "vitest";
import { projectRoot, textOfFile } from "./source.ts";

const Meta = z.object({
  outputs: z.record(
    z.string(),
    z.object({
      bytes: z.number(),
      entryPoint: z.optional(z.string()),
      inputs: z.record(z.string(), z.unknown()),
      imports: z.array(z.object({ path: z.string(), kind: z.string() })),
    }),
  ),
});
const { outputs } = Meta.parse(JSON.parse(textOfFile("dist/meta.json")));

/** What is loaded at once when a source file's chunk is: its chunks, packages and bytes. */
function loadedWith(entryPoint: string): { readonly packages: string[]; readonly bytes: number } {
  const start = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === entryPoint);
  if (start === undefined) throw new Error(`internal: ${entryPoint} has no chunk of its own`);
  const chunks = new Set<string>();
  const external = new Set<string>();
  const visit = (path: string): void => {
    const output = outputs[path];
    if (output === undefined) {
      external.add(path);
      return;
    }
    if (chunks.has(path)) return;
    chunks.add(path);
    for (const next of output.imports) if (next.kind === "import-statement") visit(next.path);
  };
  visit(start);
  const inputs = [...chunks].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
  const bundled = inputs.flatMap((path) => packageOf(path) ?? []);
  return {
    packages: [...new Set([...bundled, ...external])].filter((name) => !name.startsWith("node:")),
    bytes: [...chunks].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0),
  };
}

function packageOf(input: string): string | undefined {
  return /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/u.exec(input)?.[1];
}

/** The files that have a chunk of their own: entries, and what is loaded by `import()`. */
const entryPoints = Object.values(outputs).flatMap((output) => output.entryPoint ?? []);

const prompts = /^@inquirer\/|^cli-table3$/u;
const kilobyte = 1000;

describe("what is loaded at start", () => {
  it("of the program is commander alone, and little of ours", () => {
    const { packages, bytes } = loadedWith("src/main.ts");
    expect(packages).toEqual(["commander"]);
    expect(bytes).toBeLessThan(240 * kilobyte);
  });

  it("of the launcher has no commander, no prompt and no etcd3", () => {
    const { packages, bytes } = loadedWith("src/launcher.ts");
    expect(packages).not.toContain("etcd3");
    expect(packages).not.toContain("commander");
    expect(packages.filter((name) => prompts.test(name))).toEqual([]);
    expect(bytes).toBeLessThan(400 * kilobyte);
  });

  it.for(entryPoints.filter((path) => path.startsWith("src/commands/")))(
    "of %s has no etcd3, no prompt and no table",
    (entryPoint) => {
      const { packages, bytes } = loadedWith(entryPoint);
      expect(packages).not.toContain("etcd3");
      expect(packages.filter((name) => prompts.test(name))).toEqual([]);
      // libsodium's WebAssembly is most of it; execa and the dependencies' parts the rest.
      expect(bytes).toBeLessThan(1000 * kilobyte);
    },
  );

  it("of publish has no libsodium, of which it needs nothing", () => {
    const { packages } = loadedWith("src/commands/publish/publish.ts");
    expect(packages.filter((name) => name.startsWith("libsodium"))).toEqual([]);
  });
});

describe("the bundle", () => {
  it.for(["src/commands/seal/seal.ts", "src/commands/run.ts"])(
    "%s is a chunk of its own",
    (file) => {
      expect(entryPoints).toContain(file);
    },
  );

  it("puts no command into another's chunk", () => {
    const commands = entryPoints.filter((path) => path.startsWith("src/commands/"));
    for (const output of Object.values(outputs)) {
      const inside = commands.filter((command) => command in output.inputs);
      // A file that two commands share may lie beside one of them, never both in one chunk.
      expect(inside.length).toBeLessThanOrEqual(1);
    }
  });

  it("names no path of the machine that built it", () => {
    for (const path of Object.keys(outputs)) expect(textOfFile(path)).not.toContain(projectRoot);
  });
});
