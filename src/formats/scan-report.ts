import * as z from "zod/mini";
import { decodeConfiguration } from "./canonical.ts";

// What isn't known is null there, so that every field is always in its place for programs; here it
// is undefined, as everywhere.
const maybe = <T>(
  schema: z.ZodMiniType<T, T>,
): z.ZodMiniPipe<z.ZodMiniNullable<typeof schema>, z.ZodMiniTransform<T | undefined, T | null>> =>
  z.pipe(
    z.nullable(schema),
    z.transform((value: T | null) => value ?? undefined),
  );

const said = <T extends z.ZodMiniType>(field: T, meaning: string): T =>
  field.check(z.describe(meaning));

const text = z.string();
const count = z.int().check(z.minimum(0));
// Checked as far as it is used: that Date reads it.
const time = z
  .string()
  .check(
    z.regex(
      /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})$/u,
      "is no time such as 2026-11-28T14:00:00Z",
    ),
  );

const Use = z.strictObject({
  node: text,
  unit: said(maybe(text), "as systemd names it; null where no unit runs it, such as a profile"),
  service: said(maybe(text), "as its service file names it"),
  owner: said(maybe(text), "whom to ask, as the service file says"),
  root: said(text, "what keeps the path: a gc root, or what a process has open"),
  through: said(z.array(text), "store paths from the root's target to the path, the shortest way"),
  running: said(
    z.enum(["yes", "no", "restart owed", "deleted but mapped", "unknown"]),
    "restart owed: the unit names another closure already; deleted but mapped: it is gone from disk",
  ),
});

const Node = z.strictObject({
  name: text,
  state: z.enum(["known", "unknown"]),
  reason: said(maybe(text), "why it is unknown"),
  taken: said(maybe(time), "when its inventory was taken"),
  paths: said(count, "store paths of its inventory"),
});

const Finding = z.strictObject({
  advisory: said(text, "its id: the CVE's where it has one"),
  aliases: z.array(text),
  summary: text,
  severity: z.strictObject({
    score: said(maybe(z.number().check(z.minimum(0), z.maximum(10))), "after CVSS"),
    rating: z.enum(["none", "low", "medium", "high", "critical", "unknown"]),
  }),
  verdict: z.enum(["vulnerable", "patched", "possible", "ignored", "unknown"]),
  reason: said(text, "which range, which patch, which rule, why only possible"),
  fixedIn: said(maybe(text), "the first later version that the advisory says is mended"),
  disputed: said(z.boolean(), "somebody of weight denies that it is a vulnerability"),
  name: said(text, "upstream's package, as nixpkgs calls it"),
  version: maybe(text),
  from: said(z.enum(["publisher", "derivation", "path"]), "where name and version are known from"),
  paths: said(z.array(text), "every store path that is this package in this version"),
  uses: said(z.array(Use), "everybody who uses one of them"),
});

const Cache = z.strictObject({
  name: said(text, "its address"),
  state: z.enum(["known", "unknown"]),
  reason: said(maybe(text), "why what it has isn't known, or not all of it"),
});

const Refused = z.strictObject({
  path: text,
  reason: said(text, "altered, another path's, or signed by nobody who is trusted"),
});

/** What `scan --json` prints (docs/scanning.md). */
const ScanReportFile = z.strictObject({
  version: said(z.literal(1), "of the fields: 1"),
  made: time,
  advisories: z.strictObject({
    files: z.array(text),
    count: said(count, "advisories that were read"),
    newest: said(maybe(time), "when the newest of them was changed"),
    ageDays: said(maybe(z.number()), "of the newest"),
    stale: said(z.boolean(), "too old to say of anything that it is in order"),
    skipped: said(count, "records that couldn't be read"),
  }),
  publishers: z.strictObject({
    caches: said(z.array(Cache), "that were asked for publishers' records"),
    asked: said(count, "store paths whose record was asked for"),
    recorded: said(count, "of them, those that have one"),
    refused: said(z.array(Refused), "records that count as none"),
  }),
  nodes: z.array(Node),
  findings: z.array(Finding),
});
type ScanReportFile = z.infer<typeof ScanReportFile>;

/**
 * The report that `scan --json` wrote.
 *
 * @param what - names the file in the message
 * @throws Failure `scan/report-malformed`, naming the field, for any other file
 */
export function decodeScanReport(bytes: Uint8Array, what: string): ScanReportFile {
  return decodeConfiguration(bytes, ScanReportFile, what, "scan/report-malformed");
}

/** The schema of what `scan --json` prints, for programs that read it. */
export function scanReportSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(ScanReportFile, { io: "input" });
}
