import { nameKinds } from "../formats/names.ts";

/** What a connection to the agent says of itself: it may be anybody who says so. */
export interface Claim {
  readonly unit: string;
  readonly credential: string;
}

/** Is in every name that is a claim. */
export const claimMark = "/unit/";

/**
 * What systemd puts into the abstract name of the socket that it connects from,
 * `RANDOM/unit/UNIT/CREDENTIAL` (systemd.exec(5), LoadCredential=); undefined for any other name.
 */
export function parseClaim(name: string): Claim | undefined {
  const [, unit = "", credential = ""] =
    /^[0-9a-f]{1,16}\/unit\/([^/]{1,83})\/([^/]{1,83})$/u.exec(name) ?? [];
  const isService = unit.endsWith(".service") && nameKinds.unit.is(unit);
  return isService && nameKinds.credential.is(credential) ? { unit, credential } : undefined;
}
