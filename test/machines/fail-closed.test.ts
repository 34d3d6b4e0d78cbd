import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Pool, until, wrapper } from "./pool.ts";
import { Steps } from "./steps.ts";

const agent = "sealaunch-agent.service";
const socket = "sealaunch-agent.socket";
const unit = "one.service";
const dependant = "dependant.service";

let pool: Pool;
/** The set that was sealed last. */
let current = 1;
beforeAll(async () => {
  pool = await Pool.create({ units: [unit, "two.service"] });
  // It is told to run after what it needs, and never may if that hasn't started.
  const text = `[Unit]
Requires=${unit}
After=${unit}
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo %n >>/run/probe/dependants'
`;
  await pool.node.unit(dependant, text);
  await pool.node.unit("two.service", pool.text());
});
afterAll(() => pool[Symbol.asyncDispose]());

beforeEach(async () => {
  await pool.node.unit(unit, pool.text());
  await pool.node.sh(`
    systemctl stop ${dependant} ${unit} two.service
    systemctl reset-failed
    systemctl start ${socket}
    rm -f /run/probe/dependants`);
});
afterEach(async () => {
  expect(await pool.bad()).toBe("");
});

/** Which sets the unit's program had while something was done, once for each time that it ran. */
async function runsDuring(act: () => Promise<unknown>): Promise<number[]> {
  const before = await pool.ran();
  await act();
  return (await pool.ran()).slice(before.length);
}

/** What systemctl status shows of the wrapper and the agent for a unit. */
const shown = async (of: string): Promise<string> =>
  (await pool.node.run("systemctl", ["status", "--no-pager", "-n", "20", of])).stdout.toString();

/**
 * After it, the unit has failed with a status, nothing of it ran, and neither did what needs it.
 *
 * @param start - starts it for `dependant`
 */
async function expectRefused(start: () => Promise<unknown>, status: number): Promise<void> {
  expect(await runsDuring(start)).toEqual([]);
  expect(await pool.node.show(unit, "ExecMainStatus")).toBe(String(status));
  expect(await pool.node.show(unit, "ActiveState")).toBe("failed");
  expect(await pool.node.sh("cat /run/probe/dependants 2>/dev/null || :")).toBe("");
}

const start = (...units: readonly string[]): Promise<unknown> =>
  pool.node.run("systemctl", ["start", ...units]);

/** After it, the unit has been started, and its program had that set. */
async function expectStarts(set = current): Promise<void> {
  expect(await runsDuring(() => start(unit))).toEqual([set]);
}

/** After it, the unit asks for that credential, and has what it asked for before. */
async function upTo(steps: Steps, credential: string): Promise<boolean> {
  for (let at = 0; at < 3; at++) {
    if ((await steps.asked()) === credential) return true;
    await steps.next();
  }
  return false;
}

/** What the agent has told of waiting for something that this unit needs. */
const waits = async (): Promise<unknown[]> =>
  (await pool.told(unit)).filter(({ MESSAGE }) => MESSAGE?.startsWith("waiting: ") === true);

/** After it, the unit's second line runs, and waits for `release`. */
async function startUpToHold(needing = unit): Promise<void> {
  const check = `ExecStartPre=${wrapper} check --bundle dns`;
  const hold = "ExecStartPre=/bin/sh -c 'touch /run/probe/reached; read -r line </run/probe/held'";
  await pool.node.sh("rm -f /run/probe/reached /run/probe/held; mkfifo /run/probe/held");
  await pool.node.unit(unit, pool.text([check, hold]));
  await pool.node.ok("systemctl", ["start", "--no-block", needing]);
  const reached = ["-e", "/run/probe/reached"];
  await until(async () => (await pool.node.run("test", reached)).status === 0, "two lines run");
}

/** After it, the unit's start has ended. @returns how, by systemd's word */
async function release(): Promise<string> {
  await pool.node.sh("echo >/run/probe/held");
  await until(
    async () => (await pool.node.show(unit, "ActiveState")) !== "activating",
    "the start has ended",
  );
  return pool.node.show(unit, "Result");
}

describe("an agent that is killed", () => {
  it("before it took the question: the next agent answers it", async () => {
    const runs = await runsDuring(async () => {
      await using steps = await Steps.begin(pool.node, unit);
      await steps.killAgent();
      expect(await steps.end()).toBe(true);
    });
    expect(runs).toEqual([current]);
  });

  it("between any two answers: the next agent gives the rest of the same generation", async () => {
    for (const answered of [1, 2]) {
      const runs = await runsDuring(async () => {
        await using steps = await Steps.begin(pool.node, unit);
        for (let at = 0; at < answered; at++) await steps.next();
        await steps.killAgent();
        await pool.seal();
        expect(await steps.end()).toBe(true);
      });
      expect(runs).toEqual([current]);
      await expectStarts(++current);
    }
  });

  it("inside an answer: the half of a credential keeps everything from running", async () => {
    await expectRefused(async () => {
      await using steps = await Steps.begin(pool.node, unit, dependant);
      expect(await upTo(steps, "KEY")).toBe(true);
      await steps.fill();
      await steps.killAgent();
      expect(await steps.end()).toBe(false);
    }, 75);
    expect(await shown(unit)).toMatch(
      /sealaunch\[\d+\]: error: a credential is not what the manifest says: the agent ended while it answered$/mu,
    );
    await expectStarts();
  });

  it("inside an answer, before its first byte: an empty credential keeps everything from running", async () => {
    for (const credential of ["CF_TOKEN", "KEY", "sealaunch"]) {
      await expectRefused(async () => {
        await using steps = await Steps.begin(pool.node, unit, dependant);
        expect(await upTo(steps, credential)).toBe(true);
        // An agent that finds no bundle waits for it, with the question taken and nothing answered.
        await pool.node.sh("mv /srv/cluster/secrets /srv/cluster/away");
        await steps.killAgent();
        const before = (await waits()).length;
        await pool.node.ok("systemctl", ["start", agent]);
        await until(async () => (await waits()).length > before, "the agent waits");
        await steps.killAgent();
        await pool.node.sh("mv /srv/cluster/away /srv/cluster/secrets");
        expect(await steps.end()).toBe(false);
      }, 75);
    }
    await expectStarts();
  });

  it("between the lines of one start: they all get one generation", async () => {
    const runs = await runsDuring(async () => {
      await startUpToHold();
      await pool.node.ok("systemctl", ["kill", "-s", "KILL", "--kill-who=main", agent]);
      await pool.seal();
      expect(await release()).toBe("success");
    });
    expect(runs).toEqual([current]);
    await pool.node.unit(unit, pool.text());
    await expectStarts(++current);
  });
});

describe("the agent's socket", () => {
  it("that is absent refuses every start, until it is there", async () => {
    await pool.node.unit(unit, pool.text());
    await pool.node.sh(`systemctl stop ${socket} ${agent}; rm /run/sealaunch/agent.sock`);
    await expectRefused(() => start(dependant), 243);
    expect(await shown(unit)).toMatch(/^ +Process: .+ status=243\/CREDENTIALS\)$/mu);
    await pool.node.ok("systemctl", ["start", socket]);
    await expectStarts();
  });

  it("that nobody listens on refuses every start, until somebody does", async () => {
    await pool.node.unit(unit, pool.text());
    await pool.node.ok("systemctl", ["stop", socket, agent]);
    await expectRefused(() => start(dependant), 243);
    expect(await shown(unit)).toMatch(/^ +Process: .+ status=243\/CREDENTIALS\)$/mu);
    await pool.node.ok("systemctl", ["start", socket]);
    await expectStarts();
  });

  it("that failed is repaired by what it takes, and a restart in between breaks nothing", async () => {
    await pool.node.unit(unit, pool.text());
    const change = `/etc/systemd/system/${socket}.d/fail.conf`;
    await pool.node.write(change, "[Socket]\nExecStartPre=/bin/false\n");
    await pool.node.sh(`systemctl daemon-reload; systemctl restart ${socket} || :`);
    expect(await pool.node.show(socket, "ActiveState")).toBe("failed");
    await expectRefused(() => start(dependant), 243);
    await pool.node.sh(`rm ${change}; systemctl daemon-reload; systemctl restart ${socket}`);
    await expectStarts();
    await pool.node.ok("systemctl", ["restart", socket]);
    await expectStarts();
  });

  it("has an agent that can't read its configuration, and then can", async () => {
    await pool.node.unit(unit, pool.text());
    await pool.node.sh(`
      cp -a /etc/sealaunch/node.json /run/node.json
      echo '{' >/etc/sealaunch/node.json
      systemctl restart ${agent} || :`);
    await expectRefused(() => start(dependant), 243);
    const [last] = (await pool.told(unit))
      .filter(({ SEALAUNCH_CODE: code }) => code !== undefined)
      .slice(-1);
    expect(last).toMatchObject({
      SEALAUNCH_CODE: "configuration/invalid",
      OBJECT_SYSTEMD_UNIT: unit,
    });
    await pool.node.sh(`cp -a /run/node.json /etc/sealaunch/node.json`);
    await expectStarts();
  });
});

describe("a start", () => {
  it("whose unit is edited and reloaded before the first answer is refused", async () => {
    await expectRefused(async () => {
      await using steps = await Steps.begin(pool.node, unit, dependant);
      await pool.node.unit(unit, pool.text().replace("--bundle dns", "--bundle dns@1+"));
      expect(await steps.end()).toBe(false);
    }, 75);
    expect(await shown(unit)).toMatch(/: error: the unit was changed while it was started$/mu);
    await expectStarts();
  });

  it("whose unit is edited and reloaded after that is what it was when it began", async () => {
    for (const answered of [1, 2]) {
      const runs = await runsDuring(async () => {
        await using steps = await Steps.begin(pool.node, unit);
        for (let at = 0; at < answered; at++) await steps.next();
        await pool.node.unit(unit, pool.text().replace("--bundle dns", "--bundle nothing"));
        expect(await steps.end()).toBe(true);
      });
      expect(runs).toEqual([current]);
      await pool.node.unit(unit, pool.text());
    }
  });

  it("whose unit is edited and reloaded between its lines is refused", async () => {
    await expectRefused(async () => {
      await startUpToHold(dependant);
      const edited = (await pool.node.sh(`cat /etc/systemd/system/${unit}`)).replace(
        "run --bundle dns",
        "run --bundle dns@1+",
      );
      await pool.node.unit(unit, edited);
      expect(await release()).toBe("exit-code");
    }, 75);
    expect(await shown(unit)).toMatch(/: error: the unit was changed while it was started$/mu);
  });

  it("of one of two units of a bundle leaves the other its own generation", async () => {
    await pool.node.unit(unit, pool.text());

    const runs = await runsDuring(async () => {
      await using steps = await Steps.begin(pool.node, unit);
      await steps.next();
      await pool.seal();
      await steps.signalAgent("CONT");
      await start("two.service");
      expect(await steps.end()).toBe(true);
    });
    expect([...runs].sort()).toEqual([current, current + 1]);
    expect((await pool.ran("two.service")).at(-1)).toBe(++current);
  });
});
