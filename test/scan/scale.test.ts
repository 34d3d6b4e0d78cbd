import { describe, expect, it } from "vitest";
import { AdvisoryIndex } from "../../src/scan/advisories/advisory-index.ts";
import { readAdvisories } from "../../src/scan/advisories/reading.ts";
import { judge } from "../../src/scan/verdict.ts";
import { count } from "../soak.ts";
import { component, now } from "./judging.ts";

const products = 60_000;

/** A record as long as NVD's are, some 3 KB; of every hundredth two hundred versions are listed. */
function record(at: number): string {
  const text = "A vulnerability in a product was found, which lets an attacker do something. ";
  return JSON.stringify({
    cve: {
      id: `CVE-${String(2000 + (at % 26))}-${String(10_000 + at)}`,
      lastModified: "2026-06-01T00:00:00.000",
      vulnStatus: "Analyzed",
      descriptions: ["en", "es"].map((lang) => ({ lang, value: text.repeat(5) })),
      metrics: { cvssMetricV31: [{ type: "Primary", cvssData: { baseScore: 9.8 } }] },
      references: Array.from({ length: 5 }, (_, number) => ({
        url: `https://example.org/advisories/${String(at)}/${String(number)}`,
      })),
      configurations: [
        {
          nodes: [
            {
              operator: "OR",
              negate: false,
              cpeMatch: Array.from({ length: at % 100 === 0 ? 200 : 4 }, (_, number) => ({
                vulnerable: true,
                criteria: `cpe:2.3:a:vendor:product${String((at * 7 + (number >> 2)) % products)}:*:*:*:*:*:*:*:*`,
                versionStartIncluding: `${String(number)}.0.0`,
                versionEndExcluding: `${String(number)}.2.${String(at % 50)}`,
              })),
            },
          ],
        },
      ],
    },
  });
}

async function* feed(records: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield Uint8Array.from(Buffer.from('{"vulnerabilities":['));
  for (let at = 0; at < records; at += 100) {
    const some = Array.from({ length: Math.min(100, records - at) }, (_, more) =>
      record(at + more),
    );
    yield await Promise.resolve(Uint8Array.from(Buffer.from((at > 0 ? "," : "") + some.join(","))));
  }
  yield Uint8Array.from(Buffer.from("]}"));
}

describe("many advisories", () => {
  const records = count(300_000);

  it("300,000 for 3,000 packages are read and judged within a processor's minute, in a few hundred megabytes", async () => {
    const packages = Array.from({ length: 3_000 }, (_, at) =>
      component(`product${String(at * 3)}-${String(at % 4)}.1.3`),
    );
    const before = process.memoryUsage.rss();
    const began = process.cpuUsage();
    const index = new AdvisoryIndex(now, packages);
    await readAdvisories(index, "feed.json", feed(records));
    const found = packages.flatMap((one) => judge(one, index, [], now));
    const { user, system } = process.cpuUsage(began);
    expect(index.count.advisories).toBe(records);
    expect(found.length).toBeGreaterThan(records / 100);
    // Of a processor's time: others may use it too. A tenth has a tenth of a minute, and a start.
    expect((user + system) / 1e6).toBeLessThan((60 * records) / 300_000 + 10);
    expect((process.memoryUsage.rss() - before) / 1e6).toBeLessThan(500);
  });
});
