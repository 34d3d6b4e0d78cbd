import { Failure } from "../failure.ts";
import { nodeFolder, recordFile } from "../formats/paths.ts";
import { decodeReport, maxReportSize, type Report } from "../formats/records/report.ts";
import { maxSignatureSize } from "../formats/sshsig/signature.ts";
import type { Source } from "../sources/source.ts";
import type { InventoryPlace } from "../trust/inventory.ts";
import { judgeReport } from "../trust/report.ts";
import type { Marks } from "./marks.ts";

const pathsOf = (node: string): { readonly record: string; readonly signature: string } => ({
  record: `${nodeFolder(node)}/${recordFile.report}`,
  signature: `${nodeFolder(node)}/${recordFile.reportSignature}`,
});

/** After it, the report is in the source, in the place of the one before. @throws Failure `write/refused`, `source/…` */
export async function writeReport(
  source: Source,
  node: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  const paths = pathsOf(node);
  await source.write(paths.record, bytes);
  await source.write(paths.signature, signature);
}

/** What this node has last said of itself; undefined if it hasn't, or it can't be read any more. */
export async function readOwnReport(source: Source, node: string): Promise<Report | undefined> {
  try {
    const bytes = await source.read(pathsOf(node).record, maxReportSize);
    return bytes && decodeReport(bytes);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/**
 * A node's report in the source, judged.
 *
 * @throws Failure `inventory/absent`; all that `judgeReport` refuses; `mark/…` if it is older than what
 *   was seen, or another of the same time
 */
export async function readReport(
  source: Source,
  marks: Marks,
  place: InventoryPlace,
): Promise<Report> {
  const { record, signature } = pathsOf(place.node);
  const read = async (): Promise<readonly [Report, Uint8Array]> => {
    const [bytes, signed] = await Promise.all([
      source.read(record, maxReportSize),
      source.read(signature, maxSignatureSize),
    ]);
    if (bytes === undefined || signed === undefined) {
      throw new Failure(
        "inventory/absent",
        `${source.name} has no report of ${place.node}`,
        `on ${place.node}: systemctl status sealaunch-agent.service sealaunch-sync.service`,
      );
    }
    return [judgeReport(bytes, signed, place), bytes];
  };
  // The two are written one after the other, so the first look may be between them.
  const [report, bytes] = await read().catch(read);
  await seeIt(marks, report, bytes);
  return report;
}

/** Its time counts as its number. */
async function seeIt(marks: Marks, { node, issued }: Report, bytes: Uint8Array): Promise<void> {
  const place = { series: 0, generation: Date.parse(issued) / 1000 };
  try {
    await marks.see(`${nodeFolder(node)}/report`, place, bytes);
  } catch (error) {
    if (!(error instanceof Failure) || !error.code.startsWith("mark/")) throw error;
    const why = error.code === "mark/rolled-back" ? "an older one than" : "another than";
    throw new Failure(
      error.code,
      `the report of ${node} is of ${issued}, ${why} was seen here`,
      `on ${node}: systemctl restart sealaunch-agent.service, which makes it anew`,
    );
  }
}
