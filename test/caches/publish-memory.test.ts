import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";
import { Publisher } from "../fixtures/published.ts";

const mebibyte = 1024 * 1024;

/** The most memory that publishing a path of so many MiB held at once, in MiB, as the kernel counted it (proc(5), VmHWM). */
async function mostMemory(size: number): Promise<number> {
  using publisher = new Publisher(size * mebibyte);
  const to = `file://${join(publisher.store.root, "cache")}`;
  const child = spawn(sealaunchPath, publisher.command(to), {
    cwd: publisher.store.root,
    env: cleanEnvironment,
    stdio: "ignore",
  });
  const ended = once(child, "close");
  let most = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, "utf8");
      most = Number(/^VmHWM:\s+(\d+) kB$/mu.exec(status)?.[1] ?? most * 1024) / 1024;
    } catch {
      // It has ended.
    }
  }, 20);
  const [status] = (await ended) as [number | null];
  clearInterval(timer);
  expect(status).toBe(0);
  expect(most).toBeGreaterThan(30);
  return most;
}

it("publishing takes no more memory for a large closure than for a small one", async () => {
  // Half of the difference in size: what the runtime hasn't freed yet is less, and doesn't grow with it.
  const [small, large] = [await mostMemory(20), await mostMemory(220)];
  expect(large - small).toBeLessThan(100);
});
