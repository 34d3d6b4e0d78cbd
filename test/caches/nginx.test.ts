import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { missingIn, Publisher } from "../fixtures/published.ts";
import { freePort, TestStore } from "../fixtures/store.ts";

let publisher: Publisher;
let nginx: ChildProcess;
let url: string;
let served: string;

beforeAll(async () => {
  publisher = new Publisher(3_000_000);
  const top = join(publisher.store.root, "nginx");
  served = join(top, "cache");
  for (const name of ["", "cache", "temporary"]) mkdirSync(join(top, name));
  const port = await freePort();
  url = `http://127.0.0.1:${String(port)}`;
  // As docs/publishing.md has it, but for what makes it run without being installed.
  const configuration = `
daemon off; pid ${top}/pid; error_log stderr crit; ${process.getuid?.() === 0 ? "user root;" : ""}
events {}
http {
  access_log off;
  client_body_temp_path ${top}/temporary;
  server {
    listen 127.0.0.1:${String(port)};
    root ${served};
    client_max_body_size 0;
    location / {
      dav_methods PUT;
      create_full_put_path on;
      auth_basic cache;
      auth_basic_user_file ${top}/users;
    }
  }
}
`;
  writeFileSync(join(top, "nginx.conf"), configuration);
  writeFileSync(join(top, "users"), "ci:{PLAIN}s3cret\n");
  writeFileSync(join(top, "netrc"), "machine 127.0.0.1 login ci password s3cret\n");
  nginx = spawn("/usr/sbin/nginx", ["-c", join(top, "nginx.conf"), "-e", "stderr"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (let tries = 0; tries < 100; tries++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return;
    await pause(50);
  }
  throw new Error("nginx doesn't answer");
});
afterAll(async () => {
  nginx.kill("SIGTERM");
  await once(nginx, "close");
  publisher[Symbol.dispose]();
});

it("nginx is filled, and another machine's Nix fetches all of it, signatures required", async () => {
  expectRefused(await publisher.publish(url), "cache/forbidden");
  const netrc = join(publisher.store.root, "nginx/netrc");
  expectDone(await publisher.publish(url, ["--netrc", netrc]));
  expect(missingIn(served)).toEqual([]);
  using other = new TestStore();
  const reading = url.replace("//", "//ci:s3cret@");
  const said = await other.fetch(publisher.top, reading, [publisher.key.open]);
  expect(said).not.toMatch(/error|modified|disappeared/u);
  const again = expectDone(await publisher.publish(url, ["--netrc", netrc])).toString();
  expect(again).toBe(`nothing to do: ${url} has 4 store paths\n`);
});
