import { maxHeaderSize, parseDetachedHeader } from "../../formats/age/profile.ts";
import { bundleFolder, headerPath, headersFolder, payloadPath } from "../../formats/paths.ts";
import { checkPayloadHash, maxPayloadSize } from "../../formats/payload.ts";
import type { StatementCredential } from "../../formats/records/statement.ts";
import { describeCredential } from "../payloads.ts";
import { objectSteps, type Step, type Way } from "./objects.ts";

/** What brings the payloads there that `from` has. */
export async function payloadSteps(
  way: Way,
  bundle: string,
  credentials: readonly StatementCredential[],
): Promise<Step[]> {
  const folder = `${bundleFolder(bundle)}/values`;
  const have = await way.from.list(folder);
  const objects = unique(credentials)
    .filter(({ payload }) => have.includes(payload))
    .map((credential) => ({
      path: payloadPath(bundle, credential.payload),
      maxBytes: maxPayloadSize,
      judge: (bytes: Uint8Array) => {
        checkPayloadHash(bytes, credential.payload, describeCredential(bundle, credential));
      },
    }));
  return objectSteps(way, objects);
}

/** What brings the headers for an epoch there that `from` has. */
export async function headerSteps(
  way: Way,
  bundle: string,
  pool: string,
  epoch: number,
  credentials: readonly StatementCredential[],
): Promise<Step[]> {
  const folder = `${headersFolder(pool, epoch)}/${bundle}`;
  const have = await way.from.list(folder);
  const objects = unique(credentials)
    .filter(({ payload }) => have.includes(payload))
    .map(({ payload }) => ({
      path: headerPath(pool, epoch, bundle, payload),
      maxBytes: maxHeaderSize + 1,
      judge: parseDetachedHeader,
    }));
  return objectSteps(way, objects);
}

function unique(credentials: readonly StatementCredential[]): StatementCredential[] {
  return [...new Map(credentials.map((one) => [one.payload, one])).values()];
}
