import axe from "axe-core";
import * as z from "zod/mini";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { readScanPage } from "../../src/host/package.ts";
import { pageData } from "../../src/scan/report/page-data.ts";
import { reportPage } from "../../src/scan/report/page.ts";
import { chromiumPath, HeadlessBrowser, type OpenPage } from "./browser.ts";
import { largeReport } from "../fixtures/large-report.ts";
import { finding, hardReport, scanReport } from "../fixtures/scan-report.ts";

const template = await readScanPage();

describe("the page of a report", () => {
  const html = reportPage(hardReport(), template);
  const embedded = /<script type="application\/json" id="report">(.*?)<\/script>/su.exec(html)?.[1];

  it("carries the report as data in which no text can end its element", () => {
    expect(embedded).not.toMatch(/[<>&\u2028\u2029]/u);
    expect(JSON.parse(embedded ?? "")).toEqual(JSON.parse(JSON.stringify(pageData(hardReport()))));
  });

  it("shows what could steer a terminal or a line as an escape", () => {
    expect(JSON.stringify(pageData(hardReport()))).not.toMatch(/\p{Cf}|\u2028/u);
    const [, evil] = pageData(hardReport()).findings;
    expect(evil?.version).toBe("1\\u202e0");
  });

  it("allows its own script and style by their hashes, and nothing else", () => {
    expect(/Content-Security-Policy"\s+content="([^"]*)"/u.exec(html)?.[1]).toMatch(
      /^default-src 'none'; script-src 'sha256-[A-Za-z0-9+/]{43}='; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'$/u,
    );
  });

  it("names no other place", () => {
    const own = /http:\/\/www\.w3\.org\/2000\/svg/gu;
    expect(template.replace(own, "")).not.toMatch(/https?:|\bsrc=|\bhref="(?!#)|@import|url\(/u);
  });

  it("has what many findings share once", () => {
    const data = pageData(
      scanReport([
        finding(),
        finding({ advisory: "CVE-2023-0286" }),
        finding({ advisory: "CVE-3" }),
      ]),
    );
    expect(data.traces).toHaveLength(1);
    expect(data.texts).toHaveLength(2);
  });

  it("is at most 2 MB for 1,000 nodes and 500 findings with 175,000 uses", () => {
    const report = largeReport(1000, 500);
    expect(report.findings.flatMap(({ uses }) => uses).length).toBeGreaterThan(175_000);
    expect(reportPage(report, template).length).toBeLessThan(2_000_000);
  });
});

const Violations = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

/** Presses Tab until what has the focus reads so. */
async function tabTo(page: Page, text: RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    const focused: unknown = await page.evaluate(
      "document.activeElement?.getAttribute('placeholder') ?? document.activeElement?.textContent ?? ''",
    );
    if (text.test(String(focused))) return;
  }
  throw new Error(`no 60 presses of Tab reach ${text.source}`);
}

const firstCells = (page: Page): Promise<string[]> =>
  page.locator("#findings tbody tr:not([hidden]) > th").allTextContents();

describe.skipIf(chromiumPath === undefined)("in a browser, the page of a report", () => {
  let browser: HeadlessBrowser;
  beforeAll(async () => {
    browser = await HeadlessBrowser.start();
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
  });

  /** Nothing was asked of anybody, and no script or policy complained. */
  function expectQuiet({ requests, complaints, address }: OpenPage): void {
    expect(requests).toEqual([address]);
    expect(complaints).toEqual([]);
  }

  it("traces a package to its services and nodes by keyboard alone", async () => {
    const open = await browser.open(reportPage(hardReport(), template));
    const { page } = open;
    await tabTo(page, /^package, advisory/u);
    await page.keyboard.type("openssl");
    await page.locator("#shown", { hasText: "1 of 5 findings" }).waitFor();
    await tabTo(page, /^openssl 3\.0\.7$/u);
    await page.keyboard.press("Enter");
    await tabTo(page, /^web\s?web\.service, owner web, 1 node, rolled out but not restarted: 1$/u);
    await page.keyboard.press("Enter");
    const way = page.locator(".ways details[open] .way");
    expect(await way.locator("ol li").allTextContents()).toEqual([
      "python3-3.11.2",
      "dns-server-1.4",
      "openssl-3.0.7",
    ]);
    expect(await way.locator("dt").textContent()).toBe("rolled out but not restarted (1)");
    expect(await way.locator("dd li").allTextContents()).toEqual(["n2"]);
    expect(await page.locator(".picture .user .label").allTextContents()).toEqual(["dns", "web"]);
    expectQuiet(open);
    await page.close();
  });

  it("goes from the line of a package to its trace with one key", async () => {
    const { page } = await browser.open(reportPage(hardReport(), template));
    await tabTo(page, /^openssl 3\.0\.7$/u);
    await page.keyboard.press("Enter");
    expect(await firstCells(page)).toEqual(["openssl 3.0.7", "openssl 3.0.7"]);
    expect(await page.locator(".picture").count()).toBe(1);
    expect(await page.evaluate("document.activeElement.className")).toBe("unfold");
    await page.close();
  });

  it("sorts by keyboard, up and down, and says so", async () => {
    const open = await browser.open(reportPage(largeReport(40, 60), template));
    const { page } = open;
    const nodes = async (): Promise<number[]> => {
      const cells = page.locator("#findings tbody tr:not([hidden]) > td:nth-child(8)");
      return (await cells.allTextContents()).map(Number);
    };
    await tabTo(page, /^Nodes$/u);
    await page.keyboard.press("Enter");
    const down = await nodes();
    expect(down.length).toBeGreaterThan(20);
    expect(down).toEqual(down.toSorted((a, b) => b - a));
    const head = page.locator("#findings thead th", { hasText: "Nodes" });
    expect(await head.getAttribute("aria-sort")).toBe("descending");
    await page.keyboard.press("Enter");
    expect(await nodes()).toEqual(down.toSorted((a, b) => a - b));
    expect(await head.getAttribute("aria-sort")).toBe("ascending");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    expect(await page.locator("#findings thead [aria-sort]").allTextContents()).toEqual(["Owners"]);
    expectQuiet(open);
    await page.close();
  });

  it("filters by verdict, severity, owner and words, and shows all again", async () => {
    const { page } = await browser.open(reportPage(hardReport(), template));
    const shown = page.locator("#shown");
    expect(await shown.textContent()).toBe("3 of 5 findings");
    await page.getByRole("button", { name: "Show all" }).click();
    expect(await shown.textContent()).toBe("all 5 findings");
    await page.getByLabel("patched (1)").uncheck();
    expect(await shown.textContent()).toBe("4 of 5 findings");
    await page.getByLabel("Severity").selectOption("high");
    // What nobody has rated may be anything, and stays.
    expect(await firstCells(page)).toEqual(["openssl 3.0.7", "mujs"]);
    await page.getByLabel("Owner").selectOption("web");
    expect(await firstCells(page)).toEqual(["openssl 3.0.7"]);
    await page.getByLabel("Find", { exact: true }).fill("n3 DNS");
    expect(await firstCells(page)).toEqual(["openssl 3.0.7"]);
    await page.getByLabel("Find", { exact: true }).fill("n4");
    expect(await shown.textContent()).toBe("0 of 5 findings");
    await page.close();
  });

  it("names unknown nodes and caches before the findings", async () => {
    const { page } = await browser.open(reportPage(hardReport(), template));
    const sections = await page.locator("main > section:not([hidden])").allTextContents();
    expect(sections[0]).toContain("Nothing is known of 1 node:n4 has put no inventory there");
    expect(sections[0]).toContain(
      "unknown: what publishers say in https://cache.example.org: nobody listens there",
    );
    expect(sections[0]).toContain("<b>altered</b>\\u202e (signature/invalid)");
    await page.close();
  });

  it("shows a hostile name as text, and runs nothing of it", async () => {
    const open = await browser.open(reportPage(hardReport(), template));
    const { page } = open;
    await page.getByRole("button", { name: "Show all" }).click();
    for (const button of await page.locator(".unfold").all()) await button.press("Enter");
    const name = '</script><script>alert("\\u2028")</script><img src=x onerror=alert(1)> 1\\u202e0';
    expect(await firstCells(page)).toContain(name);
    expect(await page.locator("img, main script, b:text('owner')").count()).toBe(0);
    expectQuiet(open);
    await page.close();
  });

  it.for(["light", "dark"] as const)(
    "has no fault that axe finds, contrast included, where it is %s",
    async (colorScheme) => {
      const { page, complaints } = await browser.open(reportPage(hardReport(), template), {
        colorScheme,
      });
      await page.getByRole("button", { name: "Show all" }).click();
      for (const part of await page.locator(".unfold, .ways summary").all())
        await part.press("Enter");
      for (const part of await page.locator(".ways summary").all()) await part.press("Enter");
      await page.evaluate(axe.source);
      const violations = Violations.parse(
        await page.evaluate("axe.run(document).then((result) => result.violations)"),
      );
      expect(violations).toEqual([]);
      const contrast: unknown = await page.evaluate(
        "axe.run(document, { runOnly: ['color-contrast'] }).then((result) => result.passes[0].nodes.length)",
      );
      expect(contrast).toBeGreaterThan(50);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it("keeps a telephone's width: a trace is read in it, and a package's name stays beside what is scrolled", async () => {
    const viewport = { width: 400, height: 860 };
    const open = await browser.open(reportPage(largeReport(40, 60), template), { viewport });
    const { page } = open;
    const row = page.locator("#findings tbody tr:not([hidden])").first();
    await row.locator("button").press("Enter");
    const edges = async (selector: string): Promise<readonly [number, number]> => {
      const box = await page.locator(selector).first().boundingBox();
      return [box?.x ?? -1, (box?.x ?? 0) + (box?.width ?? 0)];
    };
    const seen = await edges(".wide");
    expect(seen[1]).toBeLessThanOrEqual(viewport.width);
    for (const scrolled of [0, 300]) {
      await page.evaluate(`document.querySelector(".wide").scrollLeft = ${String(scrolled)}`);
      expect(await page.evaluate('document.querySelector(".wide").scrollLeft')).toBe(scrolled);
      for (const selector of [".unfolded", "#findings tbody th"]) {
        const [left, right] = await edges(selector);
        expect([selector, left >= seen[0], right <= seen[1]]).toEqual([selector, true, true]);
      }
    }
    await page.evaluate(axe.source);
    const found = await page.evaluate("axe.run(document).then((result) => result.violations)");
    expect(Violations.parse(found)).toEqual([]);
    expectQuiet(open);
    await page.close();
  });

  it("moves nothing for whoever doesn't want that", async () => {
    const turning =
      "getComputedStyle(document.querySelector('.unfold'), '::before').transitionDuration";
    for (const [reducedMotion, duration] of [
      ["no-preference", "0.12s"],
      ["reduce", "0s"],
    ] as const) {
      const { page } = await browser.open(reportPage(scanReport(), template), { reducedMotion });
      expect(await page.evaluate(turning)).toBe(duration);
      await page.close();
    }
  });

  it("is there within 5 s with 1,000 nodes and 500 findings, and filters within one", async () => {
    const html = reportPage(largeReport(1000, 500), template);
    const begun = performance.now();
    const { page } = await browser.open(html);
    await page.locator("#shown", { hasText: "of 500 findings" }).waitFor();
    expect(performance.now() - begun).toBeLessThan(5000);
    const spent = await page.evaluate(`(() => {
      const begun = performance.now();
      const input = document.querySelector("#text");
      input.value = "node-77 openssl";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      document.body.getBoundingClientRect();
      return performance.now() - begun;
    })()`);
    expect(spent).toBeLessThan(1000);
    expect((await firstCells(page)).length).toBeGreaterThan(0);
    await page.close();
  });
});
