import { readdirSync } from "node:fs";
import { defineConfig, globalIgnores } from "eslint/config";
import tsdoc from "eslint-plugin-tsdoc";
import tseslint from "typescript-eslint";
import { entries, floor, owners, pureModules, rooms } from "./script/rooms.ts";

const noTestDoubles = {
  selector: "MemberExpression[object.name='vi']",
  message: "No mocks, spies or fake clocks: use the real thing (docs/decisions/0003).",
};
const notRandom = {
  object: "Math",
  property: "random",
  message: "Not random enough for anything here.",
};
const noDefaultExport = {
  selector: "ExportDefaultDeclaration",
  message: "Name what you export.",
};

/** A disable comment without `-- reason` says that somebody gave up, not why. */
const house = {
  rules: {
    "reasoned-disable": {
      create: (context) => ({
        Program() {
          for (const comment of context.sourceCode.getAllComments()) {
            if (/^\s*(eslint-disable|@ts-)/.test(comment.value) && !/ -- \S/.test(comment.value))
              context.report({ loc: comment.loc, message: "Say why: `-- reason`." });
          }
        },
      }),
    },
  },
};

/** The files of a room, and of an entry, which is a single file. */
const filesOf = (room) => (entries.includes(room) ? [`src/${room}.ts`] : [`src/${room}/**/*.ts`]);

/** Imports that a room may not write, as patterns over what stands between the quotes. */
function forbiddenImports(name, file) {
  const { imports, files = [], loadsLazily = [], isPure } = rooms[name];
  const others = Object.keys(rooms).filter((room) => room !== name);
  const patterns = others
    .filter((room) => !imports.includes(room))
    .map((room) => ({
      // From a room's folder, `../room/…`; from its sub-folders `../../room/…`; from an entry `./room/…`.
      regex: entries.includes(room)
        ? `^(\\.\\./)+${room}\\.ts$`
        : `^(\\./|(\\.\\./)+)(?!(${files.join("|")})$)${room}/`,
      message: `${name} may not import ${room}: arrows point one way (script/rooms.ts).`,
      allowTypeImports: loadsLazily.includes(room),
    }));
  const packages = Object.entries(owners)
    .filter(([, owner]) => owner !== name && `${name}/${file ?? ""}` !== owner)
    .map(([dependency, owner]) => ({
      regex: `^${dependency}(/|$)`,
      message: `Only src/${owner} may import ${dependency}.`,
    }));
  const pure = isPure
    ? [
        {
          regex: `^node:(?!(${pureModules.map((module) => module.slice(5)).join("|")})$)`,
          message: `${name} is pure: no files, clock, environment or processes.`,
        },
      ]
    : [];
  return [
    ...patterns,
    ...packages,
    ...pure,
    { regex: "^zod$|^zod/(?!mini$)", message: "Import zod/mini (docs/decisions/0004)." },
    { regex: "^node:process$", message: "Take it as an argument, or use the global in cli." },
    { regex: "^(?!node:)(fs|path|crypto|util|os|child_process|process)$", message: "Write node:." },
  ];
}

const roomRules = Object.keys(rooms).flatMap((name) => {
  const { isPure, ownsProcess } = rooms[name];
  const own = Object.values(owners).filter((owner) => owner.startsWith(`${name}/`));
  const process = ownsProcess
    ? []
    : [
        {
          selector:
            "MemberExpression[object.name='process'][property.name=/^(env|argv|execArgv|stdin|stdout|stderr|exit|exitCode|cwd|chdir)$/]",
          message: "Only main, cli and launcher touch these; take what you need as an argument.",
        },
      ];
  const clock = isPure
    ? [
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: `${name} has no clock: take the time as an argument.`,
        },
        {
          selector: "MemberExpression[object.name='Date'][property.name='now']",
          message: `${name} has no clock: take the time as an argument.`,
        },
      ]
    : [];
  const blocks = [
    {
      files: filesOf(name),
      rules: {
        "@typescript-eslint/no-restricted-imports": ["error", { patterns: forbiddenImports(name) }],
        "no-restricted-syntax": ["error", noDefaultExport, ...process, ...clock],
        "no-restricted-globals": [
          "error",
          ...(isPure
            ? ["process", "setTimeout", "setInterval", "setImmediate", "fetch", "performance"]
            : []),
        ],
      },
    },
  ];
  for (const owner of own) {
    blocks.push({
      files: [`src/${owner}`],
      rules: {
        "@typescript-eslint/no-restricted-imports": [
          "error",
          { patterns: forbiddenImports(name, owner.slice(name.length + 1)) },
        ],
      },
    });
  }
  return blocks;
});

// A room that the table doesn't know would escape every rule above.
for (const entry of readdirSync(new URL("src/", import.meta.url))) {
  const name = entry.replace(/\.ts$/, "");
  if (!(name in rooms) && !floor.includes(name))
    throw new Error(`src/${entry} is in no row of script/rooms.ts`);
}

export default defineConfig(
  globalIgnores(["dist/", "node_modules/"]),
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { house, tsdoc },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "house/reasoned-disable": "error",
      "tsdoc/syntax": "error",
      "no-console": "error",
      eqeqeq: "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/strict-boolean-expressions": "error",
      "@typescript-eslint/consistent-type-imports": [
        "error",
        { fixStyle: "inline-type-imports", disallowTypeAnnotations: false },
      ],
      "no-restricted-properties": ["error", notRandom],
      "no-restricted-syntax": ["error", noDefaultExport, noTestDoubles],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        notRandom,
        {
          object: "Date",
          property: "now",
          message: "Durations and deadlines are elapsedMs()'s: a clock may be set meanwhile.",
        },
      ],
    },
  },
  ...roomRules,
  {
    // Tests' own programs print, and vitest's configuration is a default export by its contract.
    files: ["vitest.config.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    files: ["script/**/*.ts", "bench/**/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // `expect(await …)` and tables read better with them.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
