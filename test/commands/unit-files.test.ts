import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusalLines, sealaunch } from "../fixtures/program.ts";

// Real units of other projects, in whose commands is everything that systemd lets people write.

const data = process.env["SEALAUNCH_TEST_DATA"];
const folder = join(data ?? "/nonexistent", "unit-files");
const files =
  data === undefined
    ? []
    : readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
        /\.(?:service|socket)$/u.test(file),
      );

const early = /has DefaultDependencies=no/u;
/** Units that can't be wrapped, and why. */
const refused = new Map([
  ["modprobe@.service", early],
  ["systemd-journald.service", early],
  ["systemd-oomd.service", early],
  ["systemd-resolved.service", early],
  ["systemd-udevd.service", early],
  ["podman-kube@.service", /under another name/u],
]);

/** What no unit of the folder has. */
const awkward = String.raw`[Service]
Type=oneshot
ExecStartPre=/bin/gone
ExecStartPre=
ExecStartPre=:@/bin/a /bin/a $X '%n'
ExecStart=/bin/gone ; \
  +/bin/gone
ExecStart=
ExecStart=-:"/bin/a b"   'c d'e"f" \
  # a comment
  ; one more
  \x41\u00fc\s\101 '' \; "\;" ';' $$ %% \q ; \
  !!sh -c "$$x" ; @/bin/a\x2db /bin/a-b %n
`;

describe.skipIf(data === undefined)(
  data === undefined
    ? "SEALAUNCH_TEST_DATA doesn't name a folder of test vectors"
    : "a unit of another project, wrapped",
  () => {
    let top: string;
    const bare = (): string => join(top, "bare");
    const wrapped = (): string => join(top, "wrapped");
    const services = files
      .map((file) => basename(file))
      .filter((file) => file.endsWith(".service"));
    const wrappable = services.filter((name) => !refused.has(name));
    beforeAll(async () => {
      top = mkdtempSync(join(tmpdir(), "sealaunch-units-"));
      // For the user as whom systemd reads them.
      chmodSync(top, 0o755);
      for (const directory of [bare(), wrapped()]) {
        mkdirSync(directory);
        for (const file of files) cpSync(join(folder, file), join(directory, basename(file)));
        writeFileSync(join(directory, "awkward.service"), awkward);
        const wants = wrappable.map((name) => name.replace("@.", "@i."));
        writeFileSync(join(directory, "all.target"), `[Unit]\nWants=${wants.join(" ")}\n`);
      }
      for (const name of wrappable) {
        const { status, stderr } = await wrap(name, "--output", `${name}.d/sealaunch.conf`);
        expect(stderr).toBe("");
        expect(status).toBe(0);
      }
    });
    afterAll(() => {
      rmSync(top, { recursive: true });
    });

    const wrap = (name: string, ...more: string[]): ReturnType<typeof sealaunch> =>
      sealaunch(["unit", "--wrap", name, "--bundle", "app@3+", "--credential", "KEY", ...more], {
        cwd: wrapped(),
      });

    it("has enough of them", () => {
      expect(wrappable.length).toBeGreaterThan(20);
    });

    it.for([...refused])("%s is refused with a hint", async ([name, why]) => {
      const { status, stderr } = await wrap(name);
      expect(stderr).toMatch(refusalLines);
      expect(stderr).toMatch(why);
      expect(status).toBe(78);
    });

    it("'systemd-analyze verify' says nothing that it doesn't say of the originals", () => {
      const said = (directory: string): Set<string> => {
        const paths = wrappable.map((name) => join(directory, name));
        const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...paths]);
        const lines = stderr.toString().replaceAll(directory, "").split("\n");
        // The agent puts the wrapper there, on the machine; a line's number changes with the lines.
        const isNews = (line: string): boolean =>
          !line.includes("sealaunch-wrapper/bin/sealaunch is");
        return new Set(lines.filter(isNews));
      };
      const before = said(bare());
      expect([...said(wrapped())].filter((line) => !before.has(line))).toEqual([]);
      expect(before.size).toBeGreaterThan(3);
    });

    describe("systemd reads of the wrapped one what it reads of the original", () => {
      let before: ReadonlyMap<string, readonly string[]>;
      let after: ReadonlyMap<string, readonly string[]>;
      beforeAll(() => {
        before = commandLines(bare());
        after = commandLines(wrapped());
      });

      it.for(wrappable.map((name) => name.replace("@.", "@i.")))("%s", (name) => {
        const original = before.get(name) ?? [];
        expect(original.length).toBeGreaterThan(0);
        const guard =
          /^\/nix\/store\/[0-9a-z]{32}-sealaunch-wrapper\/bin\/sealaunch (check|run) .*?(?: -- |$)/u;
        const lines = after.get(name) ?? [];
        expect(lines.filter((line) => !guard.test(line))).toEqual([]);
        const unwrapped = lines
          .map((line) => line.replace(guard, ""))
          .filter((line) => line !== "");
        expect(unwrapped).toEqual(original);
      });
    });

    /** What systemd understands each unit's ExecStartPre= and ExecStart= to be, quoted for a shell. */
    function commandLines(directory: string): Map<string, string[]> {
      const runtime = join(top, "runtime");
      mkdirSync(runtime, { recursive: true });
      chmodSync(runtime, 0o777);
      const { status, stdout } = spawnSync(
        "/lib/systemd/systemd",
        ["--test", "--user", "--unit=all.target"],
        {
          // It refuses root, in whose place it would be PID 1.
          ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
          env: {
            SYSTEMD_UNIT_PATH: `${directory}:`,
            XDG_RUNTIME_DIR: runtime,
            SYSTEMD_LOG_TARGET: "null",
          },
          maxBuffer: 64 * 1024 * 1024,
        },
      );
      expect(status).toBe(0);
      const found = new Map<string, string[]>();
      let unit = "";
      let section = "";
      for (const line of stdout.toString().split("\n")) {
        unit = /^\t-> Unit (.*):$/u.exec(line)?.[1] ?? unit;
        section = /^\t\t-> (Exec\w+):$/u.exec(line)?.[1] ?? section;
        const command = /^\t\t\tCommand Line: (.*)$/u.exec(line)?.[1];
        if (command === undefined || !["ExecStartPre", "ExecStart"].includes(section)) continue;
        found.set(unit, [...(found.get(unit) ?? []), command]);
      }
      return found;
    }
  },
);
