import type { Machine } from "./machine.ts";

/** What a store path of a service has; all by name. */
export interface ServiceFiles {
  /**
   * Debian's programs, copied: their shared libraries are those of the machine's root. A program that
   * looks for its files beside itself, as PostgreSQL's does, is better started by a script.
   */
  readonly programs?: Readonly<Record<string, string>>;
  /** Scripts, such as one that executes a program of the machine's root. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Further files, such as a configuration, by their paths in it. */
  readonly files?: Readonly<Record<string, string>>;
}

/** After it, the store of a machine has a path `HASH-NAME` with programs and scripts in its `bin/`. @returns it */
export async function addService(
  node: Machine,
  name: string,
  { programs = {}, scripts = {}, files = {} }: ServiceFiles,
): Promise<string> {
  const built = `/run/built/${name}`;
  await node.sh(`rm -rf ${built}; mkdir -p ${built}/bin`);
  for (const [program, path] of Object.entries(programs)) {
    await node.ok("cp", ["-L", "--", path, `${built}/bin/${program}`]);
  }
  for (const [script, text] of Object.entries(scripts)) {
    await node.write(`${built}/bin/${script}`, text, 0o755);
  }
  for (const [path, text] of Object.entries(files)) await node.write(`${built}/${path}`, text);
  return (await node.sh(`nix-store --add ${built}`)).trim();
}
