import type { ScanReport } from "./report.ts";
import { counted } from "./summary.ts";

/** What nobody may overlook of publishers' records: caches that didn't answer, and each record that counts as none. */
export function publisherDoubts({ publishers: { caches, refused } }: ScanReport): string[] {
  return [
    ...caches.flatMap(({ name, state, reason }) =>
      state === "known"
        ? []
        : [`unknown: what publishers say in ${name}: ${reason ?? "no reason is known"}`],
    ),
    ...(refused.length > 0
      ? [`refused: ${counted(refused.length, "publisher's record")}, judged as if there were none`]
      : []),
    ...refused.map(({ path, reason }) => `  ${path}: ${reason}`),
  ];
}

/** "12 of 40 paths have a publisher's record; 1 didn't verify"; nothing where no cache was asked. */
export function publisherLine({ publishers }: ScanReport): readonly string[] {
  const { caches, asked, recorded, refused } = publishers;
  if (caches.length === 0) return [];
  const have = asked === 1 ? "has" : "have";
  const verified = refused.length === 0 ? "" : `; ${String(refused.length)} didn't verify`;
  return [
    `${String(recorded)} of ${counted(asked, "path")} ${have} a publisher's record${verified}`,
  ];
}
