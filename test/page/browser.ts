import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

/** Debian's Chromium, if there is one. */
export const chromiumPath = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "chromium"))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A page that is open, and all that a reader would not want of it. */
export interface OpenPage {
  readonly page: Page;
  /** Addresses that were asked for, the page's own first. */
  readonly requests: readonly string[];
  /** Errors of scripts, what the policy refused, and dialogs. */
  readonly complaints: readonly string[];
  /** The page's own address. */
  readonly address: string;
}

/** A browser without a window, and the files that it opens. */
export class HeadlessBrowser implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sealaunch-browser-"));
  readonly #browser: Browser;
  #pages = 0;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** A browser that was just started. Its sandbox is for pages of others, and needs more than a container has. */
  static async start(): Promise<HeadlessBrowser> {
    if (chromiumPath === undefined) throw new Error("chromium not on PATH");
    const browser = await chromium.launch({ executablePath: chromiumPath, chromiumSandbox: false });
    return new HeadlessBrowser(browser);
  }

  /** `html`, opened from a file, as whoever was sent the page opens it. */
  async open(html: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const path = join(this.#folder, `${String(++this.#pages)}.html`);
    writeFileSync(path, html);
    const page = await this.#browser.newPage(options);
    const [requests, complaints]: [string[], string[]] = [[], []];
    page.on("request", (request) => requests.push(request.url()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => complaints.push(message.text()));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    const address = pathToFileURL(path).href;
    await page.goto(address);
    return { page, requests, complaints, address };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
