import { afterAll, describe, expect, it } from "vitest";
import { expectRefused } from "../fixtures/ended.ts";
import { Workplace } from "../fixtures/worked-example.ts";

// Every write to /dev/full fails as on a full disk (full(4)).
const place = Workplace.followed();
afterAll(() => {
  place[Symbol.dispose]();
});

describe("standard output on a disk that is full", () => {
  it.for([
    "sealaunch",
    "sealaunch --help",
    "sealaunch completion bash",
    "sealaunch verify",
    "sealaunch roster show --json",
    "sealaunch scan --here --package openssl --json",
    "sealaunch open dns CF_TOKEN --identity operator.identity",
  ])("%s ends with what is wrong, and without a stack trace", (command) => {
    const ended = place.run(`${command} >/dev/full`);
    if (command.includes("--json")) {
      expect(JSON.parse(ended.stderr)).toMatchObject({ code: "write/refused" });
      expect(ended.status).toBe(71);
    } else expectRefused(ended, "write/refused");
    expect(ended.stderr).toContain("standard output can't be written: ENOSPC");
  });
});

describe("standard error on a disk that is full", () => {
  it("takes nothing from what was asked for", () => {
    const { status, stdout } = place.run("sealaunch verify 2>/dev/full");
    expect([status, stdout]).toEqual([0, place.run("sealaunch verify").stdout]);
  });

  it("leaves a refusal its status", () => {
    expect(place.run("sealaunch verify absent 2>/dev/full").status).toBe(66);
  });
});
