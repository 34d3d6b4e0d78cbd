// Looks for a secret everywhere an attacker could: in files, and in the command line and the
// environment of every process. Prints places, never values.
//
//   node script/search-plaintext.ts --secret FILE [--except PATH]… [--processes] DIRECTORY…
//
// Ends with 1 if it was found anywhere but in FILE and below --except.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { spellings } from "../src/host/needles.ts";
import { searchFiles, searchProcesses } from "../src/host/search.ts";

/** The places below `roots`, and of every process if asked, where `secret` stands. */
export async function searchPlaintext(
  secret: Buffer,
  roots: readonly string[],
  { except = [], processes = false }: { except?: readonly string[]; processes?: boolean } = {},
): Promise<string[]> {
  const sought = [{ name: "secret", needles: spellings(secret) }];
  const found: string[] = [];
  for await (const { place } of searchFiles(sought, roots, except)) found.push(place);
  if (!processes) return found;
  for await (const { place } of searchProcesses(sought, except)) found.push(place);
  return found;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      secret: { type: "string" },
      except: { type: "string", multiple: true, default: [] },
      processes: { type: "boolean", default: false },
    },
  });
  const file = resolve(values.secret ?? "");
  const found = await searchPlaintext(
    await readFile(file),
    positionals.map((path) => resolve(path)),
    {
      except: [file, ...values.except.map((path) => resolve(path))],
      processes: values.processes,
    },
  );
  for (const place of found) console.log(place);
  process.exitCode = found.length === 0 ? 0 : 1;
}
