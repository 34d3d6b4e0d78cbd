import { basename, resolve } from "node:path";
import { Failure } from "../../failure.ts";
import { maxTextSize } from "../../formats/records/inventory.ts";
import type { Uses } from "../../formats/uses.ts";
import { collectHere, collectingScript } from "../../host/collecting.ts";
import { readRegularFile } from "../../host/files.ts";
import { machineName } from "../../host/machine.ts";
import { runOverSsh } from "../../host/ssh/remote.ts";
import { usesOf } from "../../scan/store/collected-inventory.ts";
import { readCollected } from "../../scan/store/collected.ts";
import type { Context } from "../context.ts";
import type { BroughtStore, Origin } from "./stores.ts";

/** This machine, as it is now. */
export function hereOrigin(context: Context): Origin {
  const bring = async (): Promise<BroughtStore> =>
    collectedStore(await collectHere(), "this machine", context.now.toISOString());
  return { node: machineName(), isHere: true, bring };
}

/** A machine that has nothing of ours but a shell, as it is now. @param host - as ssh(1) takes it */
export function sshOrigin(context: Context, host: string): Origin {
  const script = new TextEncoder().encode(collectingScript);
  const bring = async (): Promise<BroughtStore> => {
    const bytes = await runOverSsh(
      { host, options: ["-C"] },
      "exec /bin/sh -s",
      script,
      context.environment,
    );
    return collectedStore(bytes, host, context.now.toISOString());
  };
  return { node: host, bring };
}

/** What a file says: of `sealaunch inventory --save`, or of `nix-store --dump-db`. */
export function fileOrigin(context: Context, file: string): Origin {
  const bring = async (): Promise<BroughtStore> => {
    const path = resolve(context.directory, file);
    const bytes = await readRegularFile(path, maxTextSize);
    if (bytes === undefined) throw new Failure("file/absent", `there is no ${path}`);
    if (Buffer.from(bytes.subarray(0, 3)).toString() === "== ")
      return collectedStore(bytes, file, undefined);
    const graph = (): string =>
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    return { form: "dump", graph, uses: () => nothingSeen, taken: undefined };
  };
  return { node: basename(file).replace(/\.[a-z]+$/u, ""), isHere: true, bring };
}

/** Of a list of paths alone nobody can tell who uses them. */
const nothingSeen: Uses = {
  version: 1,
  roots: [],
  units: [],
  processes: [],
  missing: ["processes", "roots", "units"],
};

function collectedStore(bytes: Uint8Array, what: string, taken: string | undefined): BroughtStore {
  const collected = readCollected(Buffer.from(bytes).toString("latin1"), what);
  const uses = usesOf(collected);
  return { form: "dump", graph: () => collected.dump, uses: () => uses, taken };
}
