import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorsPage } from "../script/errors.ts";
import { renderManPage } from "../script/man.ts";
import { exitStatus, failures } from "../src/failure.ts";
import { filesBelow, projectRoot, textOfFile } from "./source.ts";

const codes = Object.keys(failures);

describe("docs/man/sealaunch.1", () => {
  it("is what the command line says of itself", () => {
    expect(textOfFile("docs/man/sealaunch.1")).toBe(renderManPage());
  });
});

describe("docs/errors.md", () => {
  it("holds exactly the failures of src/failure.ts", async () => {
    expect(textOfFile("docs/errors.md")).toBe(await errorsPage());
  });
});

describe("the table of failures", () => {
  it("has exit statuses below systemd's own", () => {
    for (const status of Object.values(exitStatus)) {
      expect(status).toBeGreaterThanOrEqual(64);
      expect(status).toBeLessThan(200);
    }
  });

  it.for(codes)("%s has a one-line meaning and remedy", (code) => {
    const [, meaning, remedy] = failures[code as keyof typeof failures];
    for (const line of [meaning, remedy]) {
      expect(line).not.toMatch(/[\n\r]|\.$/u);
      expect(line.length).toBeGreaterThan(3);
    }
  });

  it("has no row that the program never uses", () => {
    const program = [
      ...filesBelow("src", ".ts")
        .filter((file) => file !== "failure.ts")
        .map((file) => `src/${file}`),
      "bin/sealaunch",
    ]
      .map(textOfFile)
      .join("\n");
    expect(codes.filter((code) => !program.includes(code))).toEqual([]);
  });

  it("has no row that no test names", () => {
    const tests = [...filesBelow("test", ".ts"), ...filesBelow("test", ".vector")]
      .map((file) => textOfFile(`test/${file}`))
      .join("\n");
    expect(codes.filter((code) => !tests.includes(code))).toEqual([]);
  });
});

describe("the documents", () => {
  const pages = [
    ...["docs", "examples"].flatMap((folder) =>
      filesBelow(folder, ".md").map((file) => `${folder}/${file}`),
    ),
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
  ];

  it.for(pages)("%s links to files that are there", (page) => {
    const links = [...textOfFile(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/gu)];
    const missing = links
      .map(([, link = ""]) => join(dirname(page), link))
      .filter((target) => !existsSync(join(projectRoot, target)));
    expect(missing).toEqual([]);
  });
});
