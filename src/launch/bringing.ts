import type { Located } from "../cluster/configuration.ts";
import { Failure, type FailureCode } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { requestSync } from "../host/sync-socket.ts";
import { syncSocket } from "../service/delivery.ts";
import type { BundleRequest } from "./wanted-statement.ts";

/** So long at most a start waits for what sync brings, before it goes on with what the mirror has. */
const longestMs = 20_000;

/** What a mirror may lack and a source have. */
const isBrought: ReadonlySet<FailureCode> = new Set([
  "bundle/absent",
  "bundle/below-floor",
  "header/absent",
  "entry/absent",
  "pool/absent",
  "roster/absent",
]);

/** What of a start concerns the mirror. */
export interface MirrorRequest {
  readonly bundles: readonly BundleRequest[];
  /** Whether it insists on what the source has now. */
  readonly fresh: boolean;
}

/**
 * What `open` gives. Where the node keeps a mirror, sync is asked first if the start insists on it, or else
 * once if the mirror lacks something, and then `open` is tried again.
 *
 * @throws Failure what `open` throws; `mirror/not-fresh`
 */
export async function openBringing<T>(
  { bundles, fresh }: MirrorRequest,
  { configuration: { mirror } }: Located<NodeConfiguration>,
  timeoutMs: number,
  open: () => Promise<T>,
): Promise<T> {
  if (mirror === undefined || bundles.length === 0) return open();
  const names = bundles.map(({ bundle }) => bundle);
  const bring = (): Promise<boolean> =>
    requestSync(syncSocket, names, Math.min(timeoutMs, longestMs));
  if (fresh && !(await bring())) {
    throw new Failure(
      "mirror/not-fresh",
      `${names.join(", ")}: --fresh insists on the source, and sync didn't say that it has read it`,
    );
  }
  try {
    return await open();
  } catch (error) {
    if (fresh || !(error instanceof Failure) || !isBrought.has(error.code)) throw error;
    await bring();
    return open();
  }
}
