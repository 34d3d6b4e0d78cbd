import * as z from "zod/mini";
import { utf8 } from "../crypto/bytes.ts";
import { decodeConfiguration } from "./canonical.ts";

const text = z.string().check(z.maxLength(4096));

/** What `scan --update` remembers of the advisories that it has fetched. */
const FetchedAdvisories = z.strictObject({
  version: z.literal(1),
  /** All that there should be. */
  files: z.array(
    z.strictObject({
      name: z.string().check(z.regex(/^[A-Za-z0-9][\w.-]{0,100}$/u, "is no file name")),
      url: text,
      /** What the server said of it; null of a file that was never fetched. */
      have: z.nullable(
        z.strictObject({
          size: z.int().check(z.minimum(0)),
          etag: z.nullable(text),
          lastModified: z.nullable(text),
        }),
      ),
    }),
  ),
});
export type FetchedAdvisories = z.infer<typeof FetchedAdvisories>;
export type FetchedFile = FetchedAdvisories["files"][number];

export function encodeFetchedAdvisories(fetched: FetchedAdvisories): Uint8Array {
  return utf8(`${JSON.stringify(fetched, null, 2)}\n`);
}

/** @throws Failure `advisories/invalid`, naming the field */
export function decodeFetchedAdvisories(bytes: Uint8Array, what: string): FetchedAdvisories {
  return decodeConfiguration(bytes, FetchedAdvisories, what, "advisories/invalid");
}
