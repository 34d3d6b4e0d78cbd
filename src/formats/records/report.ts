import * as z from "zod/mini";
import { decodeRecord, encodeRecord } from "../canonical.ts";
import {
  clusterField,
  clusterField as invocationField,
  countField,
  hashField,
  nameField,
  sortedList,
  timeField,
} from "../fields.ts";

const text = (pattern: RegExp, message: string): z.ZodMiniType<string, string> =>
  z.string().check(z.regex(pattern, message));

/** A bundle that a service has started with. */
const ReportedBundle = z.strictObject({
  name: nameField("bundle"),
  series: countField(0),
  generation: countField(1),
  /** Of the statement's bytes. */
  statement: hashField,
  /** Those that the service has of it. */
  credentials: sortedList(nameField("credential"), (name) => name),
});
export type ReportedBundle = z.infer<typeof ReportedBundle>;

const ReportedService = z.strictObject({
  unit: nameField("unit"),
  /** The start, as systemd numbers it; null of a unit that never started. */
  invocation: z.nullable(invocationField),
  /** As systemd has it: `active`, `failed`, … */
  activeState: text(/^[a-z-]{1,32}$/u, "is no state of a unit"),
  /** When its start was decided; null if it runs on nothing that was. */
  since: z.nullable(timeField),
  /** The bundles that its commands ask for. */
  wants: sortedList(nameField("bundle"), (name) => name),
  bundles: sortedList(ReportedBundle, ({ name }) => name),
  /** Why a start, or a restart for what is newer, was refused last; null if none was since it started. */
  refusal: z.nullable(
    z.strictObject({
      code: text(/^[a-z0-9-]{1,64}\/[a-z0-9-]{1,64}$/u, "is no code"),
      message: text(/^[ !#-[\]-~]{1,400}$/u, "is no plain line of at most 400 characters"),
      at: timeField,
    }),
  ),
});
export type ReportedService = z.infer<typeof ReportedService>;

/** What a node's services run on, signed by the node's SSH host key (docs/bundle-format.md §7.6). */
const Report = z.strictObject({
  type: z.literal("report"),
  version: z.literal(1),
  cluster: clusterField,
  node: nameField("node"),
  issued: timeField,
  services: sortedList(ReportedService, ({ unit }) => unit),
});
export type Report = z.infer<typeof Report>;

/** A report is at most this many bytes: half of what etcd takes at once. */
export const maxReportSize = 512 * 1024;

/** The bytes that the host key signs. */
export function encodeReport(report: Report): Uint8Array {
  return encodeRecord(report);
}

/** @throws Failure `inventory/malformed` */
export function decodeReport(bytes: Uint8Array): Report {
  return decodeRecord(bytes, Report, "inventory/malformed", "report", maxReportSize);
}
