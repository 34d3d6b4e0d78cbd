import { expect, it } from "vitest";
import { secret, type Engine } from "./engine.ts";

/**
 * Tries a service from its first deployment to one that fails.
 *
 * @param says - what all of it has printed
 * @param why - what the error says of one that ends at once with the status 3
 */
export function live(engine: () => Engine, says: () => Promise<string>, why: RegExp): void {
  it("is only shown with --dry-run", async () => {
    const { exit, stdout, stderr, states } = await engine().deploy("one", "--dry-run");
    expect([exit, stderr, states]).toEqual([0, "", ["would change"]]);
    expect(stdout).toMatch(/\+.*one/u);
    expect(await engine().running()).toEqual([]);
  });

  it("runs with its secret as its own user, and is left alone where it runs as it is to", async () => {
    const { exit, stderr, states } = await engine().deploy("one");
    expect([exit, stderr, states]).toEqual([0, "", ["runs"]]);
    expect(await says()).toBe(`one ${secret}\n`);
    const before = await engine().running();
    expect(before).toMatchObject([["one", expect.any(Number)]]);
    const owner = await engine().node.sh(`ps -o user= -p ${String(before[0]?.[1])}`);
    expect(owner.trim()).toBe("nobody");
    const again = await engine().deploy("one");
    expect([again.exit, again.stderr, again.states]).toEqual([0, "", ["ran already"]]);
    expect(await engine().running()).toEqual(before);
  });

  it("is shown as a difference from what runs", async () => {
    const before = await engine().running();
    const { exit, stdout, states } = await engine().deploy("two", "--dry-run");
    expect([exit, states]).toEqual([0, ["would change"]]);
    expect(stdout).toMatch(/-[^"]*one/u);
    expect(stdout).toMatch(/\+[^"]*two/u);
    expect(await engine().running()).toEqual(before);
  });

  it("runs on, the same process, where its successor ends at once, and one line says why", async () => {
    const before = await engine().running();
    const failed = await engine().deploy("crash");
    expect([failed.exit, failed.states]).toEqual([69, ["left as it was"]]);
    expect(JSON.parse(failed.stderr)).toMatchObject({ code: "scheduler/not-running" });
    expect(failed.stderr).toMatch(why);
    expect(failed.stderr).toMatch(/before runs on \S+"/u);
    expect(await engine().running()).toEqual(before);
    const again = await engine().deploy("one");
    expect(again.states).toEqual(["ran already"]);
  });

  it("is replaced by one that runs, and ends only once that does", async () => {
    const seen = await engine().seenUntil("two", async () => {
      const { exit, stderr, states } = await engine().deploy("two");
      expect([exit, stderr, states]).toEqual([0, "", ["runs"]]);
    });
    expect(seen).toEqual(["one", "one two", "two"]);
  });

  it("is stopped first where the two may not overlap, and runs again where its successor doesn't", async () => {
    const back = await engine().seenUntil("two", async () => {
      const { exit, stderr } = await engine().deploy("crash", "", { overlap: false });
      expect(exit).toBe(69);
      expect(stderr).toMatch(/before runs on \S+"/u);
    });
    expect(back).toEqual(["two", "", "two"]);
    const forth = await engine().seenUntil("three", async () => {
      const { exit, stderr, states } = await engine().deploy("three", "", { overlap: false });
      expect([exit, stderr, states]).toEqual([0, "", ["runs"]]);
    });
    expect(forth).toEqual(["two", "", "three"]);
  });
}
