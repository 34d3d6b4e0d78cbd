import { createHash } from "node:crypto";
import { withNulls } from "./json.ts";
import type { Finding, ScanReport } from "./report.ts";

/** `file:///nix/store/…`, also of a path with a question mark. */
export function fileUrl(path: string): string {
  return `file://${path.split("/").map(encodeURIComponent).join("/")}`;
}

/**
 * A report's own id, `urn:uuid:…`: the same for the same report. A UUID of version 8, which is made
 * from what its maker likes (RFC 9562 §5.8): here a SHA-256.
 */
export function reportId(report: ScanReport): string {
  const digest = createHash("sha256")
    .update(JSON.stringify(withNulls(report)))
    .digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString("hex", 0, 16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ];
  return `urn:uuid:${parts.join("-")}`;
}

/** What to do about a finding, for whoever reads one sentence. */
export function remedyOf({ fixedIn }: Finding): string {
  return fixedIn === undefined
    ? "no version is known to mend it"
    : `update to ${fixedIn} or later, and restart what uses it`;
}
