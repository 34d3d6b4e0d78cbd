import { Failure } from "../failure.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { requireReadStatement, type Cluster, type ReadStatement } from "./cluster.ts";

/** A bundle's newest generation, or why it can't be judged. */
export type Newest = (bundle: string) => Promise<ReadStatement | Failure>;

/** Judges each bundle once, however often it is asked about. */
export function createNewest(cluster: Cluster, roster: VerifiedRoster): Newest {
  const known = new Map<string, Promise<ReadStatement | Failure>>();
  return (bundle) => {
    const reading =
      known.get(bundle) ??
      requireReadStatement(cluster, roster, bundle).catch((error: unknown) => {
        if (error instanceof Failure) return error;
        throw error;
      });
    known.set(bundle, reading);
    return reading;
  };
}
