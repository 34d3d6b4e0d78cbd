import type { SealOptions } from "./choice.ts";

/** What `seal` is asked where it is only given values. */
export const nothingElse = {
  ...{ credentials: [], fromEnv: [], fromEnvFile: undefined, generate: [], forEnvironment: [] },
  ...{ fromAgenix: [], ageIdentities: [], fromSops: [], fromCredstore: [], trim: false },
  allowEmpty: false,
  ...{ pools: [], units: [], removeUnits: [], inPlace: undefined, remove: [], expires: undefined },
  ...{ fromGeneration: undefined, fromCluster: undefined, merge: undefined },
} satisfies Omit<SealOptions, "signer">;
