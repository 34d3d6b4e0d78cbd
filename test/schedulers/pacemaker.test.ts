import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../src/crypto/bytes.ts";
import { decodePacemakerStanding } from "../../src/formats/schedulers/pacemaker.ts";
import { changePart, type RunOnNode } from "../../src/schedulers/pacemaker/configuring.ts";
import {
  submitToPacemaker,
  type PacemakerNodes,
  type PacemakerService,
} from "../../src/schedulers/pacemaker/pacemaker.ts";
import { pacemakerCib } from "../../src/service/scheduled/pacemaker-cib.ts";
import { failureOf, refusal } from "../fixtures/refusal.ts";
import { service } from "../fixtures/service.ts";

// Pacemaker's own tools over a configuration in a file, in which nothing ever runs. What runs is in
// test/machines/pacemaker.test.ts.

const atOnce = { deadlineMs: 0, settleMs: 0 };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sealaunch-pacemaker-"));
  file = join(folder, "cib.xml");
  const empty = spawnSync("cibadmin", ["--empty"], { encoding: "utf8" }).stdout;
  const other = `<resources><primitive id="web" class="systemd" type="web.service"/></resources>`;
  const theirs = `<constraints><rsc_location id="location.web" rsc="web" score="1" node="n1"/></constraints>`;
  writeFileSync(file, empty.replace("<resources/>", other).replace("<constraints/>", theirs));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const run: RunOnNode = (program, args, input = new Uint8Array()) => {
  const options = { input, env: { ...process.env, CIB_file: file } };
  const { status, stdout, stderr } = spawnSync(program, args, options);
  return Promise.resolve({ exitCode: status ?? undefined, stdout, stderr: stderr.toString() });
};

/** What the configuration has once it was changed to that of a service. */
async function submit(change: object, through = run): Promise<string> {
  await changePart(through, "dns", utf8(pacemakerCib(service(change), "")));
  return readFileSync(file, "utf8");
}

/** Submits a service to a cluster in which nothing ever runs, of which all nodes have the unit. */
function submitting(change: object, through = run): Promise<unknown> {
  const { name, instances } = service(change);
  const configuration = utf8(pacemakerCib(service(change), "text"));
  const what: PacemakerService = { name, instances, configuration };
  return submitToPacemaker(nodesOver(through), what).submit(atOnce);
}

function nodesOver(through: RunOnNode): PacemakerNodes {
  return {
    run: through,
    invocationOn: () => Promise.resolve(""),
    placeUnits: () => Promise.resolve(true),
    putUnitsBack: () => Promise.resolve(),
  };
}

/** What is configured, without the numbers that each change has. */
const canonical = (text: string): string =>
  (/<configuration>[^]*<\/configuration>/u.exec(text)?.[0] ?? "").replaceAll(/>\s+</gu, "><");

const count = (text: string, what: string): number => text.split(what).length - 1;

describe("a service in Pacemaker's configuration", () => {
  it("is replaced whole, and what is others' stays as it was", async () => {
    const where = { role: "dns", zone: "eu" };
    const first = await submit({ placement: { where, apartFrom: ["web"] } });
    expect(count(first, "<expression ")).toBe(2);
    expect(count(first, "<rsc_colocation ")).toBe(1);
    const second = await submit({ placement: { where: { role: "dns" } } });
    expect(count(second, "<expression ")).toBe(1);
    expect(count(second, "<rsc_colocation ")).toBe(0);
    const third = await submit({});
    expect(count(third, 'rsc="dns"')).toBe(0);
    for (const text of [first, second, third]) {
      expect(count(text, '<primitive id="dns"')).toBe(1);
      expect(count(text, '<primitive id="web"')).toBe(1);
      expect(count(text, 'id="location.web"')).toBe(1);
    }
  });

  it("becomes one of several and one alone again", async () => {
    expect(await submit({ instances: "every node" })).toContain('<clone id="every.dns">');
    expect(await submit({ instances: 3 })).toContain('name="clone-max" value="3"');
    expect(await submit({})).not.toContain("clone");
    await changePart(run, "dns", undefined);
    expect(readFileSync(file, "utf8")).not.toContain("dns");
    await changePart(run, "dns", undefined);
  });

  it("is written over what others change meanwhile, but not over a change of its own", async () => {
    /** Another's change, just before each of ours. */
    const submitAfter = (meanwhile: () => Promise<unknown>): Promise<unknown> =>
      submit({ instances: 2 }, async (program, args, input) => {
        if (args[0] === "--replace") await meanwhile();
        return run(program, args, input);
      });
    await submit({});
    let isRemoved = false;
    const removeOnce = async (): Promise<void> => {
      if (!isRemoved) await changePart(run, "web", undefined);
      isRemoved = true;
    };
    await submitAfter(removeOnce);
    expect(readFileSync(file, "utf8")).not.toContain("web");
    expect(readFileSync(file, "utf8")).toContain('<clone id="every.dns">');
    let timeout = 10;
    const change = (): Promise<string> => submit({ startTimeout: ++timeout });
    expect(await refusal(() => submitAfter(change))).toBe("scheduler/conflict");
    expect(readFileSync(file, "utf8")).not.toContain("clone");
  });

  it("is put back as it was, in all its forms, where another one doesn't run", async () => {
    const where = { role: "dns" };
    for (const change of [{}, { instances: 3, placement: { where, apartFrom: ["web"] } }]) {
      await changePart(run, "dns", undefined);
      const empty = await failureOf(() => submitting(change));
      expect(empty?.code).toBe("scheduler/not-running");
      expect(readFileSync(file, "utf8")).not.toContain('id="dns"');
      const before = canonical(await submit(change));
      const replaced = await failureOf(() => submitting({ instances: "every node" }));
      expect(replaced?.code).toBe("scheduler/not-running");
      expect(canonical(readFileSync(file, "utf8"))).toBe(before);
    }
  });

  it("is told from another one, and from the same", async () => {
    for (const change of [{}, { instances: 3, placement: { where: { role: "dns" } } }]) {
      await submit(change);
      const differenceTo = async (other: object): Promise<boolean> => {
        const { name, instances } = service(other);
        const configuration = utf8(pacemakerCib(service(other), ""));
        const what = { name, instances, configuration };
        const { before, after } = await submitToPacemaker(nodesOver(run), what).difference();
        return before !== after;
      };
      expect(await differenceTo(change)).toBe(false);
      expect(await differenceTo({ ...change, startTimeout: 7 })).toBe(true);
    }
  });

  it("is refused with Pacemaker's own words, and nothing is changed", async () => {
    const before = readFileSync(file, "utf8");
    const failure = await failureOf(() => submitting({ placement: { apartFrom: ["mail"] } }));
    expect(failure?.code).toBe("scheduler/refused");
    expect(failure?.message).toContain("Update does not conform to the configured schema");
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  it("can't be asked about where there is no Pacemaker", async () => {
    rmSync(file);
    expect(await refusal(() => submitting({}))).toBe("scheduler/unavailable");
  });

  it("is not taken for XML what is none, or another's", async () => {
    for (const text of ["", "<a>", "<cib/>", "no XML", "<pacemaker-result><resource></a>"]) {
      expect(await refusal(() => decodePacemakerStanding(utf8(text), ["dns"]))).toBe(
        "scheduler/malformed",
      );
    }
  });
});
