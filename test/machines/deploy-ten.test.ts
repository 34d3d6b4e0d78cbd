import { afterAll, beforeAll, expect, it } from "vitest";
import { Deploying } from "./deploying.ts";
import { addDnsProgram } from "./dns-program.ts";

const names = Array.from({ length: 10 }, (_, at) => `n${String(at + 11)}`);
const away = "n15";

let cluster: Deploying;
let program = "";
beforeAll(async () => {
  cluster = await Deploying.create(names);
  program = await addDnsProgram(cluster.laptop);
}, 400_000);
afterAll(() => cluster[Symbol.asyncDispose]());

const options = ["--copy-closure", "--at-once 4", ...names.map((name) => `--node ${name}`)];

it("of ten nodes nine are done where one isn't reached, which is named, and running it again does the one", async () => {
  const missing = cluster.nodes.find(({ name }) => name === away);
  await missing?.setConnected(false);
  const first = await cluster.deploy({ program, arguments: ["one"] }, options.join(" "));
  const expected = names.map((name) => [name, name === away ? "not reached" : "runs"]);
  expect(first.states, first.stderr).toEqual(Object.fromEntries(expected));
  expect(JSON.parse(first.stderr)).toMatchObject({ code: "ssh/failed" });
  expect(first.stderr).toContain(`dns.json on ${away}: `);
  expect(first.exit).toBe(69);
  const said = names.map((name) => (name === away ? "" : "one correct horse\n"));
  expect(await cluster.says()).toEqual(said);

  await missing?.setConnected(true);
  const before = await cluster.pids();
  const again = await cluster.deploy({ program, arguments: ["one"] }, options.join(" "));
  const then = names.map((name) => [name, name === away ? "runs" : "ran already"]);
  expect(again.states, again.stderr).toEqual(Object.fromEntries(then));
  expect(again.exit).toBe(0);
  expect(await cluster.says()).toEqual(names.map(() => "one correct horse\n"));
  // The nine weren't touched.
  const after = await cluster.pids();
  expect(after.filter((pid, at) => pid !== before[at])).toHaveLength(1);
}, 400_000);
