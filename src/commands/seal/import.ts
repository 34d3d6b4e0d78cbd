import { basename, resolve } from "node:path";
import { Failure } from "../../failure.ts";
import { nameKinds } from "../../formats/names.ts";
import { readRegularFile } from "../../host/files.ts";
import { isReadable, outputOf } from "../../host/other-tools.ts";
import { decryptCredential } from "../../host/systemd/creds.ts";
import type { Context } from "../context.ts";
import { chooseFromSops, type Imported } from "./sops.ts";

/** Secrets that people have in other tools: each `FILE`, or `CREDENTIAL=FILE`. */
export interface ImportOptions {
  /** Files encrypted by agenix, or by age itself. */
  readonly fromAgenix: readonly string[];
  /** The private keys for those; agenix's own if there are none. */
  readonly ageIdentities: readonly string[];
  /** With `#KEY` or `#KEY/KEY` after the file, one value of it, or one group of values. */
  readonly fromSops: readonly string[];
  /** Credentials as systemd-creds encrypts them. */
  readonly fromCredstore: readonly string[];
}

/**
 * What these tools decrypt, in the order asked for. The caller wipes it.
 *
 * @throws Failure `credential/unreadable`, `credential/undecryptable`, `credential/missing`,
 *   `program/missing`, `usage/bad-name`, `usage/invalid`
 */
export async function* readImports(
  context: Context,
  options: ImportOptions,
): AsyncGenerator<Imported> {
  for (const argument of options.fromAgenix) {
    yield await fromAgenix(context, argument, options.ageIdentities);
  }
  for (const argument of options.fromSops) yield* await fromSops(context, argument);
  for (const argument of options.fromCredstore) yield await fromCredstore(context, argument);
}

async function fromAgenix(
  context: Context,
  argument: string,
  given: readonly string[],
): Promise<Imported> {
  const { name, file } = split(argument);
  const path = await requireFile(context, file);
  const identities =
    given.length > 0
      ? given.map((identity) => resolve(context.directory, identity))
      : await usualIdentities(context);
  const words = ["--decrypt", ...identities.flatMap((identity) => ["-i", identity]), path];
  return [
    name ?? nameAfter(file, ".age"),
    await outputOf(["age", "rage"], words, context.environment),
  ];
}

/** Those that agenix itself takes: the person's keys, and on a machine its host keys. */
async function usualIdentities({ environment }: Context): Promise<string[]> {
  const home = environment["HOME"] ?? "/nonexistent";
  const usual = [
    ...["id_ed25519", "id_rsa"].map((key) => `${home}/.ssh/${key}`),
    ...["ed25519", "rsa"].map((type) => `/etc/ssh/ssh_host_${type}_key`),
  ];
  const found: string[] = [];
  for (const key of usual) if (await isReadable(key)) found.push(key);
  if (found.length > 0) return found;
  throw new Failure(
    "usage/invalid",
    `there is no key to decrypt with: you can read none of ${usual.join(", ")}`,
    "name it with --age-identity FILE",
  );
}

async function fromSops(context: Context, argument: string): Promise<readonly Imported[]> {
  const { name, file, key } = splitSops(argument);
  const path = await requireFile(context, file);
  // By the names that sops itself goes by; it takes everything else for one value.
  if (!/\.(?:ya?ml|json|env|ini)$/u.test(file)) {
    if (key !== undefined) {
      throw new Failure("usage/invalid", `${file} is one value to sops, without key ${key}`);
    }
    const value = await outputOf(["sops"], ["--decrypt", path], context.environment);
    return [[name ?? nameAfter(file, ".sops"), value]];
  }
  const words = ["--decrypt", "--output-type", "json", path];
  const json = await outputOf(["sops"], words, context.environment);
  return chooseFromSops(json, { file, key, name });
}

async function fromCredstore(context: Context, argument: string): Promise<Imported> {
  const { name, file } = split(argument);
  const path = await requireFile(context, file);
  const bytes = await readRegularFile(path, maxCredentialFile);
  // The name that it was encrypted under is the one in the unit, or the file's.
  const names = new Set([
    name ?? nameAfter(file, ".cred"),
    nameAfter(file, ".cred"),
    basename(file),
  ]);
  for (const candidate of names) {
    const value = bytes === undefined ? undefined : await decryptCredential(candidate, bytes);
    if (value !== undefined) return [name ?? candidate, value];
  }
  throw new Failure(
    "credential/undecryptable",
    `systemd-creds doesn't decrypt ${file} as ${[...names].join(" or ")}`,
    `on the machine whose it is, as root, see why: systemd-creds decrypt --name=${[...names].join("|")} ${file} - >/dev/null; a file that isn't encrypted is sealed as CREDENTIAL=FILE`,
  );
}

/** A value of 1 MiB, encrypted and in base64. */
const maxCredentialFile = 2 * 1024 * 1024;

function splitSops(argument: string): ReturnType<typeof split> & { key: string | undefined } {
  const { name, file } = split(argument);
  const hash = file.lastIndexOf("#");
  if (hash < 0) return { name, file, key: undefined };
  return { name, file: file.slice(0, hash), key: file.slice(hash + 1) };
}

/** The file of which an argument of `--from-sops`, or of the other two, takes values. */
export function fileOf(tool: "sops" | "agenix" | "credstore", argument: string): string {
  return tool === "sops" ? splitSops(argument).file : split(argument).file;
}

/** What stands before the first `=`, if it can be a credential's name, and the file. */
function split(argument: string): { name: string | undefined; file: string } {
  const [name = ""] = argument.split("=", 1);
  return name !== argument && nameKinds.credential.is(name)
    ? { name, file: argument.slice(name.length + 1) }
    : { name: undefined, file: argument };
}

function nameAfter(file: string, ending: string): string {
  const name = basename(file, ending);
  if (nameKinds.credential.is(name)) return name;
  throw new Failure(
    "usage/bad-name",
    `no credential can be called ${name}, after ${file}`,
    `name it: CREDENTIAL=${file}`,
  );
}

async function requireFile(context: Context, file: string): Promise<string> {
  const path = resolve(context.directory, file);
  if (await isReadable(path)) return path;
  throw new Failure("credential/unreadable", `${file} isn't there, or can't be read`);
}
