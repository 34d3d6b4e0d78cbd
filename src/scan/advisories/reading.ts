import { Failure } from "../../failure.ts";
import { type AdvisoryIndex } from "./advisory-index.ts";
import { fields } from "./json.ts";
import { readNvd } from "./nvd.ts";
import { readOsv } from "./osv.ts";
import { type Read } from "./read.ts";
import { RecordSplitter } from "./records.ts";
import { PackedWrongly, unpack } from "./unpacking.ts";

const stamp = /"timestamp"\s*:\s*"([0-9T:.Z+-]{10,40})"/;

/**
 * Reads advisories into `index`: a feed of NVD's CVE API 2.0, a page of the API, a record or a
 * list of records of OSV; plain, in gzip, or as files of a zip archive. One record that can't be
 * read is passed over and counted. Records are held one at a time.
 *
 * @param file - what a failure calls it
 * @throws Failure `advisories/invalid` if it holds no record at all, or ends within one
 */
export async function readAdvisories(
  index: AdvisoryIndex,
  file: string,
  bytes: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  let sound = 0;
  let why: string | undefined;
  const skipped = (reason: string): void => {
    why ??= reason;
    index.add("", { skipped: reason });
  };
  const sink = {
    found: (bytes: Uint8Array): void => {
      const [database, read] = readRecord(bytes);
      if ("skipped" in read && read.isSound !== true) why ??= read.skipped;
      else sound++;
      index.add(database, read);
    },
    skipped,
    preamble: (bytes: Uint8Array): void => {
      // OSV has no feeds.
      index.date("NVD", stamp.exec(Buffer.from(bytes).toString("latin1"))?.[1] ?? "");
    },
  };
  try {
    await unpack(bytes, (entry) => {
      const splitter = new RecordSplitter(sink);
      return (chunk) => {
        if (chunk !== undefined) {
          splitter.push(chunk);
          return;
        }
        const wrong = splitter.end();
        if (wrong === undefined) return;
        if (entry === "") throw new PackedWrongly(wrong);
        skipped("a file of an archive that is no JSON, or not whole");
      };
    });
  } catch (error) {
    if (error instanceof PackedWrongly) throw invalid(file, error.message);
    throw error;
  }
  if (sound === 0) throw invalid(file, why ?? "it holds no records in JSON");
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** A record, and whose it is. */
function readRecord(bytes: Uint8Array): readonly ["NVD" | "OSV" | "", Read] {
  let record: unknown;
  try {
    record = JSON.parse(decoder.decode(bytes));
  } catch {
    return ["", { skipped: "a record that is no JSON in UTF-8" }];
  }
  const { cve, vulnStatus, sourceIdentifier } = fields(record);
  return cve === undefined && vulnStatus === undefined && sourceIdentifier === undefined
    ? ["OSV", readOsv(record)]
    : ["NVD", readNvd(record)];
}

function invalid(file: string, why: string): Failure {
  return new Failure("advisories/invalid", `advisories ${JSON.stringify(file)}: ${why}`);
}
