import { cpSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Checkout } from "../fixtures/checkout.ts";
import { expectRefused } from "../fixtures/ended.ts";
import { Repository } from "../fixtures/repository.ts";

const checkout = new Checkout(() => new Repository());
const { run, done } = checkout;

/** The marks of the one cluster that a copy's user has seen. */
function marks(): string {
  const clusters = join(`${checkout.here}.state`, "sealaunch/marks");
  return join(clusters, readdirSync(clusters)[0] ?? "");
}

/** What the file's folders hold: nothing is written by what is refused. */
const files = (): string[] =>
  ["keys", "secrets"].flatMap((folder) =>
    readdirSync(checkout.at(folder), { recursive: true, encoding: "utf8" }).toSorted(),
  );

/** Takes `keys/` back to what it was before `command`, as a source that is replayed does. */
function replayedAfter(command: string): void {
  cpSync(checkout.at("keys"), checkout.at("old"), { recursive: true });
  done(command);
  cpSync(checkout.at("keys"), checkout.at("new"), { recursive: true });
  show("old");
}

function show(keys: "old" | "new"): void {
  rmSync(checkout.at("keys"), { recursive: true });
  cpSync(checkout.at(keys), checkout.at("keys"), { recursive: true });
}

const evict = "sealaunch roster remove-node n2 --yes";

describe("whoever has seen a node shut out", () => {
  it.each([
    "sealaunch seal dns --generate CF_TOKEN",
    "sealaunch seal dns --from-generation 1",
    "sealaunch seal dns --merge HEAD",
    "sealaunch rewrap --identity operator.identity",
    "sealaunch roster add-node n1 --pool web --replace --known-hosts known_hosts --yes",
    "sealaunch roster remove-node n1 --yes",
    "sealaunch roster sign --renew --pool web --yes",
  ])("does nothing by the pool file of before: %s", (command) => {
    replayedAfter(evict);
    const before = files();
    const { stderr } = expectRefused(run(command), "mark/rolled-back");
    expect(stderr).toContain(
      "error: pool file web is at 2 in the source, this machine has seen 3\n",
    );
    expect(files()).toEqual(before);
    show("new");
    done("sealaunch seal dns --generate CF_TOKEN");
  });

  it("need only have verified it to be refused what is older", () => {
    cpSync(checkout.at("keys"), checkout.at("old"), { recursive: true });
    // Who removes the node and who seals are two, on two machines.
    const other = { XDG_STATE_HOME: `${checkout.here}.other` };
    done(`XDG_STATE_HOME=${other.XDG_STATE_HOME} ${evict}`);
    run("sealaunch verify");
    show("old");
    expectRefused(run("sealaunch seal dns --generate CF_TOKEN"), "mark/rolled-back");
    const { status, stdout, stderr } = run("sealaunch verify");
    expect(stderr).toMatch(
      /^warning: pool file web is at 2 .+ has seen 3: bring keys\/ [^\n]+\n$/u,
    );
    expect(stdout).toMatch(/^pool web +2 +good$/mu);
    expect(status).toBe(0);
  });
});

describe("whoever has seen a roster", () => {
  it.each([
    "sealaunch seal dns --generate CF_TOKEN",
    "sealaunch seal dns --resign --signer bea.pub",
    "sealaunch roster add-pool db --yes",
    "sealaunch roster set-minimum dns 2 --yes",
    "sealaunch rewrap --identity operator.identity",
  ])("does nothing by an older one: %s", (command) => {
    replayedAfter("sealaunch roster remove-signer bea --revoke --yes");
    const before = files();
    const { stderr } = expectRefused(run(command), "mark/rolled-back");
    expect(stderr).toMatch(/^error: roster is at 4 in the source, this machine has seen 5\n/u);
    expect(files()).toEqual(before);
  });

  it("goes on with what was seen: after the branch that has it is merged", () => {
    done(`git checkout -q -b keys && sealaunch roster add-pool db --yes`);
    done(`${checkout.place.commit("pool")} && git checkout -q main`);
    expectRefused(run("sealaunch seal dns --generate CF_TOKEN"), "mark/rolled-back");
    done("git merge -q --ff-only keys && sealaunch seal dns --generate CF_TOKEN");
  });

  it("goes on without it, where the branch was given up, as the hint says", () => {
    done(`git checkout -q -b keys && sealaunch roster add-pool db --yes`);
    done(`${checkout.place.commit("pool")} && git checkout -q main && git branch -q -D keys`);
    const { stderr } = expectRefused(
      run("sealaunch seal dns --generate CF_TOKEN"),
      "mark/rolled-back",
    );
    done(/given up for good: (rm .+)\n$/u.exec(stderr)?.[1] ?? "false");
    done("sealaunch seal dns --generate CF_TOKEN");
  });

  it("is told of two that two branches made under one number, and goes on with one", () => {
    done(`git checkout -q -b keys && sealaunch roster add-pool db --yes`);
    done(`${checkout.place.commit("pool")} && git checkout -q main`);
    done(`XDG_STATE_HOME=${checkout.here}.other sealaunch roster add-pool queue --yes`);
    const { stderr } = expectRefused(
      run("sealaunch seal dns --generate CF_TOKEN"),
      "mark/equivocation",
    );
    expect(stderr).toMatch(/^error: roster 5 is [0-9a-f]{16}… in the source, .+ [0-9a-f]{16}… /u);
    done(/given up for good: (rm .+)\n$/u.exec(stderr)?.[1] ?? "false");
    done("sealaunch roster add-pool db --yes && sealaunch seal dns --generate CF_TOKEN");
  });
});

describe("a bundle of another branch", () => {
  it("is sealed, with a warning if this machine has seen a later one", () => {
    const seal = "sealaunch seal dns --generate CF_TOKEN";
    done(`git checkout -q -b later && ${seal} && ${seal}`);
    done(`${checkout.place.commit("later")} && git checkout -q main`);
    const { status, stderr } = run("sealaunch seal dns --generate CF_TOKEN");
    expect(stderr).toBe(
      "warning: bundle dns is at 2 in the source, this machine has seen 3: if another branch has sealed it, join them: sealaunch seal dns --merge REV\n",
    );
    expect(status).toBe(0);
  });
});

describe("the marks of a user", () => {
  it("are below XDG_STATE_HOME, else below ~/.local/state, for their owner alone", () => {
    done("sealaunch seal dns --generate CF_TOKEN");
    const below = readdirSync(marks(), { recursive: true, encoding: "utf8" });
    expect(below).toContain("roster/0.4");
    expect(below).toContain("pools/web/0.2");
    for (const path of below) {
      const { mode } = statSync(join(marks(), path));
      expect([path, mode & 0o777]).toEqual([path, path.includes("0.") ? 0o600 : 0o700]);
    }
    expect(statSync(`${checkout.here}.state`).mode & 0o777).toBe(0o700);
    done("mkdir home && cp -r ~/.ssh ~/.gitconfig home");
    done(
      `XDG_STATE_HOME=relative HOME=${checkout.here}/home sealaunch seal dns --generate CF_TOKEN`,
    );
    const [cluster = ""] = readdirSync(checkout.at("home/.local/state/sealaunch/marks"));
    expect(readFileSync(checkout.at("sealaunch.json"), "utf8")).toContain(cluster);
  });

  it("have to have a place where something is signed by them, and none for who looks", () => {
    const nowhere = "env -u HOME -u XDG_STATE_HOME";
    const { stderr } = expectRefused(
      run(`${nowhere} sealaunch seal dns --generate CF_TOKEN`),
      "configuration/missing",
    );
    expect(stderr).toContain("neither XDG_STATE_HOME nor HOME");
    done(`${nowhere} sealaunch verify`);
    const noPlace = "XDG_STATE_HOME=/dev/null/state";
    expectRefused(run(`${noPlace} sealaunch seal dns --generate CF_TOKEN`), "write/refused");
    done(`${noPlace} sealaunch verify`);
  });
});
