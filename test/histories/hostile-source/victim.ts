import { createPublicKey, createPrivateKey } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openBundles } from "../../../src/launch/open.ts";
import type { Located } from "../../../src/cluster/configuration.ts";
import { rewrap } from "../../../src/commands/rewrap/rewrap.ts";
import { nothingElse } from "../../../src/commands/seal/nothing-else.ts";
import { seal } from "../../../src/commands/seal/seal.ts";
import { verify } from "../../../src/commands/verify/verify.ts";
import { createMemory } from "../../../src/cluster/memory.ts";
import type { Context } from "../../../src/commands/context.ts";
import { utf8, concatBytes, textOf } from "../../../src/crypto/bytes.ts";
import { encodeIdentity, type Identity } from "../../../src/crypto/identity.ts";
import type { NodeConfiguration } from "../../../src/formats/configuration.ts";
import { wireNumber, wireString } from "../../../src/formats/sshsig/wire.ts";
import { placeWithin } from "../../../src/sources/directory.ts";
import { ada, clusterId, root } from "./honest-history.ts";
import type { View } from "./ledger.ts";
import type { Seen } from "./intended.ts";

const trusted = { cluster: clusterId, source: "dir:.", roots: [root.key], threshold: 1 };

/** What ada seals. */
export const newValue = "a new value";

/** Ada's key as ssh-keygen keeps one: PROTOCOL.key, without a passphrase. */
function keyFile(seed: Buffer): string {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const half = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32);
  const own = new Uint8Array(half);
  const type = wireString("ssh-ed25519");
  const check = [wireNumber(7), wireNumber(7)];
  const both = wireString(concatBytes(seed, own));
  const inner = concatBytes(...check, type, wireString(own), both, wireString("ada"));
  const padding = Uint8Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, at) => at + 1);
  const head = [utf8("openssh-key-v1\0"), wireString("none"), wireString("none"), wireString("")];
  const blob = concatBytes(...head, wireNumber(1), wireString(concatBytes(type, wireString(own))));
  const body = Buffer.from(concatBytes(blob, wireString(concatBytes(inner, padding))));
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString("base64").replace(/.{1,70}/gu, "$&\n")}-----END OPENSSH PRIVATE KEY-----\n`;
}

/** A directory with a source that somebody hostile writes, a node, and an operator's and signer's laptop. */
export class Victim {
  readonly directory: string;
  readonly source: string;
  readonly node: Located<NodeConfiguration>;
  readonly #identity: Identity;
  /** An agent's, which goes on: what it has judged it doesn't judge again. */
  readonly #memory = createMemory(100);

  constructor(directory: string, identity: Identity, operator: Identity) {
    this.directory = directory;
    this.source = join(directory, "source");
    this.#identity = identity;
    mkdirSync(this.source, { recursive: true });
    const place = (name: string): string => join(directory, name);
    writeFileSync(place("identity"), encodeIdentity(identity), { mode: 0o400 });
    writeFileSync(place("operator"), encodeIdentity(operator), { mode: 0o400 });
    writeFileSync(place("ada"), keyFile(Buffer.alloc(32, 3)), { mode: 0o400 });
    writeFileSync(place("ada.pub"), `${ada.key}\n`);
    writeFileSync(place("value"), newValue);
    const own = { node: "n1", identity: place("identity"), state: place("state") };
    const source = `dir:${this.source}`;
    writeFileSync(place("node.json"), JSON.stringify({ ...trusted, source, ...own }));
    writeFileSync(place("sealaunch.json"), JSON.stringify({ ...trusted, source }));
    const configuration = { ...trusted, source, ...own, keepClosures: 7, refuseStale: false };
    this.node = { configuration, path: place("node.json"), directory };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** After it, the source shows exactly that. */
  show(view: View): void {
    rmSync(this.source, { recursive: true, force: true });
    for (const [path, bytes] of view) {
      const place = join(this.source, placeWithin(path));
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, bytes);
    }
  }

  /** What the source holds now. */
  shown(): View {
    const view: View = new Map();
    for (const top of ["keys", "secrets"]) {
      const folder = join(this.source, top);
      if (!existsSync(folder)) continue;
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const place = join(entry.parentPath, entry.name);
        view.set(place.slice(folder.length + 1), new Uint8Array(readFileSync(place)));
      }
    }
    return view;
  }

  /** The marks of the node, or of who works on the laptop. */
  seen(whose: "node" | "laptop"): Seen {
    const state = whose === "node" ? "state/marks" : "laptop/sealaunch/marks";
    const folder = join(this.directory, state, clusterId);
    const seen = new Map<string, { place: readonly [number, number]; hash: string }>();
    if (!existsSync(folder)) return seen;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const [, series = "", generation = ""] = /^([0-9]+)\.([0-9]+)$/u.exec(entry.name) ?? [];
      if (generation === "" || !entry.isFile()) continue;
      const place = [Number(series), Number(generation)] as const;
      const name = entry.parentPath.slice(folder.length + 1);
      const other = seen.get(name)?.place ?? [-1, 0];
      const hash = readFileSync(join(entry.parentPath, entry.name), "utf8").trim();
      if ((place[0] - other[0] || place[1] - other[1]) > 0) seen.set(name, { place, hash });
    }
    return seen;
  }

  /** What a start on the node gets. */
  async start(
    bundle: string,
    unit: string | undefined,
    floor: number,
    now: Date,
  ): Promise<Map<string, string>> {
    const request = {
      bundles: [{ bundle, floor }],
      credentials: undefined,
      unit,
      inPlace: unit === undefined,
    };
    const identities = (): Promise<Identity[]> =>
      Promise.resolve([{ ...this.#identity, seed: this.#identity.seed.slice() }]);
    const { credentials } = await openBundles(request, this.node, identities, now, this.#memory);
    return new Map(credentials.map(({ name, value }) => [name, textOf(value) ?? "?"]));
  }

  /** The node's own pass. */
  pass(now: Date): Promise<void> {
    const options = { identity: undefined, dryRun: false, all: false };
    return rewrap(this.#context(now, join(this.directory, "node.json")), options);
  }

  /** An operator's. */
  rewrap(now: Date, all: boolean): Promise<void> {
    return rewrap(this.#context(now), { identity: "operator", dryRun: false, all });
  }

  verify(now: Date): Promise<void> {
    const dates = { source: undefined, since: undefined, within: undefined, olderThan: undefined };
    return verify(this.#context(now), [], {
      identity: undefined,
      strict: false,
      units: [],
      ...dates,
    });
  }

  /** Ada seals {@link newValue}. */
  seal(bundle: string, credential: string, now: Date): Promise<void> {
    return seal(this.#context(now), bundle, {
      ...nothingElse,
      credentials: [`${credential}=value`],
      signer: "ada.pub",
    });
  }

  #context(now: Date, configuration?: string): Context {
    const never = (): never => {
      throw new Error("nobody is asked");
    };
    return {
      directory: this.directory,
      environment: { PATH: process.env["PATH"], XDG_STATE_HOME: join(this.directory, "laptop") },
      now,
      configuration,
      json: false,
      isWatched: false,
      print: () => undefined,
      table: () => Promise.resolve(),
      progress: () => ({ at: () => undefined, [Symbol.dispose]: () => undefined }),
      each: async (_what, things, act) => {
        const found: Awaited<ReturnType<typeof act>>[] = [];
        for (const thing of things) found.push(await act(thing));
        return found;
      },
      result: () => undefined,
      largeResult: () => Promise.resolve(),
      output: () => Promise.resolve(),
      warn: () => undefined,
      confirm: () => Promise.resolve(),
      secret: never,
      input: never,
      handedSocket: never,
      told: never,
    };
  }
}
