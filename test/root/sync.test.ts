import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Checkout } from "../fixtures/checkout.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { done, refused } = checkout;

const nobody = 65534;
const sync = "sealaunch sync --config n1/node.json";

it("a mirror that belongs to sync's user is filled by him alone, and by root not even once", () => {
  const mirror = checkout.at("n1/mirror");
  mkdirSync(mirror);
  chownSync(mirror, nobody, nobody);
  chmodSync(checkout.place.top, 0o755);
  const file = checkout.at("n1/node.json");
  const before = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...before, mirror }));
  done("sealaunch sync --to stick && chmod -R a+rX stick n1");
  for (const command of [sync, `${sync} --from stick`, `${sync} --from - <n1/node.json`]) {
    const { stderr } = refused(command, "mirror/root");
    expect(stderr).toContain(`belongs to user ${String(nobody)}, and this is root`);
  }
  expect(readdirSync(mirror)).toEqual([]);
  const asHim = `setpriv --reuid=${String(nobody)} --regid=${String(nobody)} --clear-groups`;
  expect(done(`${asHim} ${sync} --from stick`)).toContain("has what n1 needs");
  const owners = readdirSync(mirror).map((name) => statSync(join(mirror, name)).uid);
  expect(new Set(owners)).toEqual(new Set([nobody]));
});
