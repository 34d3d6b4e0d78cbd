/**
 * Bundles src/ into dist/: one small entry each for the program and the in-place launcher, and a
 * chunk for every command, loaded when it runs. docs/decisions/0001 says why.
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { scanPage } from "./script/scan-page.ts";

const root = import.meta.dirname;
const entries = ["src/main.ts", "src/launcher.ts"];

/** What writes CycloneDX could do it as XML too, by a package that isn't there. */
const withoutXml: Plugin = {
  name: "without-xml",
  setup: (bundling) => {
    bundling.onResolve({ filter: /^xmlbuilder2$/ }, ({ path }) => ({ path, namespace: "absent" }));
    bundling.onLoad({ filter: /^/, namespace: "absent" }, () => ({
      contents: "module.exports = {};",
    }));
  },
};

// Each entry by itself: what the two have in common would otherwise be cut into a chunk for every
// set of users, and a start would open twenty files instead of five.
const results = await Promise.all(
  entries.map((entry) =>
    build({
      absWorkingDir: root,
      entryPoints: [entry],
      outdir: "dist",
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node24",
      // It reads its .proto files by path when it is imported, so it stays a package.
      external: ["etcd3"],
      plugins: [withoutXml],
      chunkNames: `${basename(entry, ".ts")}-[name]-[hash]`,
      legalComments: "linked",
      // Some packages are CommonJS and require Node's own modules; nothing else can be required so.
      banner: { js: "const require = process.getBuiltinModule;" },
      metafile: true,
      write: false,
      logLevel: "warning",
    }),
  ),
);
// What isn't a program, but goes where they go.
const page = Buffer.from(await scanPage());
const outputFiles = [
  ...results.flatMap((result) => result.outputFiles),
  { path: "dist/scan-page.html", contents: page },
];
const metafile = {
  inputs: Object.assign({}, ...results.map((result) => result.metafile.inputs)) as object,
  outputs: Object.assign(
    { "dist/scan-page.html": { bytes: page.length, inputs: {}, imports: [] } },
    ...results.map((result) => result.metafile.outputs),
  ) as object,
};

// Chunks carry the hash of what they hold, so writing them beside the old ones changes nothing for
// a program, or another build, that runs meanwhile. The entries come last; what nothing has named
// for a minute goes.
const isEntry = (path: string): boolean =>
  entries.some((entry) => basename(path) === basename(entry).replace(/\.ts$/, ".js"));
const files = [
  ...outputFiles.map(({ path, contents }) => ({
    name: basename(path),
    contents,
    isLast: isEntry(path),
  })),
  { name: "meta.json", contents: `${JSON.stringify(metafile, undefined, 2)}\n`, isLast: true },
].sort((a, b) => Number(a.isLast) - Number(b.isLast));

const dist = join(root, "dist");
await mkdir(dist, { recursive: true });
const stage = await mkdtemp(join(dist, ".stage-"));
for (const { name, contents } of files) await writeFile(join(stage, name), contents);
for (const { name } of files) await rename(join(stage, name), join(dist, name));
await rm(stage, { recursive: true });
const minuteAgo = Date.now() - 60_000;
for (const name of await readdir(dist)) {
  if (files.some((file) => file.name === name)) continue;
  const found = await stat(join(dist, name)).catch(() => undefined);
  if (found !== undefined && found.mtimeMs < minuteAgo)
    await rm(join(dist, name), { recursive: true, force: true });
}
