import { bundleFolder } from "../../../src/formats/paths.ts";
import { folderOf, generationIn, pathIn, type Enemy, type Trick } from "./enemy.ts";
import { oneOf } from "./honest-steps.ts";
import { hashOf, type View } from "./ledger.ts";

const alter = (enemy: Enemy, path: string, change: (bytes: Uint8Array) => Uint8Array): void => {
  enemy.view.set(path, change(Uint8Array.from(enemy.view.get(path) ?? [])));
};

const copyFolder = (view: View, from: string, to: string, by: View = view): void => {
  for (const [path, bytes] of [...by])
    if (path.startsWith(`${from}/`)) view.set(`${to}${path.slice(from.length)}`, bytes);
};

/** What the enemy does with nothing but a source. */
export const sourceTricks: readonly Trick[] = [
  (enemy: Enemy): string => {
    const path = pathIn(enemy);
    enemy.view.delete(path);
    return `${path} is gone`;
  },
  (enemy: Enemy): string => {
    const folder = folderOf(pathIn(enemy));
    for (const path of [...enemy.view.keys()])
      if (path.startsWith(`${folder}/`)) enemy.view.delete(path);
    return `${folder} is gone`;
  },
  (enemy: Enemy): string => {
    const path = pathIn(enemy);
    alter(enemy, path, (bytes) => bytes.subarray(0, Math.floor(enemy.chance() * bytes.length)));
    return `${path} is cut`;
  },
  (enemy: Enemy): string => {
    const path = pathIn(enemy);
    const at = enemy.chance();
    alter(enemy, path, (bytes) => {
      const index = Math.floor(at * bytes.length);
      bytes[index] = (bytes[index] ?? 0) ^ (1 << Math.floor(enemy.chance() * 8));
      return bytes;
    });
    return `${path} has a bit flipped`;
  },
  (enemy: Enemy): string => {
    const path = pathIn(enemy);
    alter(enemy, path, (bytes) => Buffer.concat([bytes, bytes.subarray(0, 16)]));
    return `${path} is longer`;
  },
  (enemy: Enemy): string => {
    const path = pathIn(enemy);
    const other = pathIn(enemy, path.split("/", 1)[0]);
    enemy.view.set(path, enemy.view.get(other) ?? new Uint8Array());
    return `${path} holds ${other}`;
  },
  (enemy: Enemy): string => {
    // A folder as it was: a generation that isn't there any more, or has other files.
    const then = oneOf(enemy.chance, enemy.known);
    const folder = folderOf(oneOf(enemy.chance, [...then.keys()]));
    for (const path of [...enemy.view.keys()])
      if (path.startsWith(`${folder}/`)) enemy.view.delete(path);
    copyFolder(enemy.view, folder, folder, then);
    return `${folder} is as it was`;
  },
  (enemy: Enemy): string => {
    // One pool stays as it began, and all else goes on.
    const pool = oneOf(enemy.chance, ["db", "web"]);
    for (const path of [...enemy.view.keys()])
      if (path.startsWith(`pools/${pool}/`) && !path.startsWith(`pools/${pool}/1/`))
        enemy.view.delete(path);
    return `${pool} is as it began`;
  },
  (enemy: Enemy): string => {
    // Everything newer of one kind of object is held back.
    const then = oneOf(enemy.chance, enemy.known);
    const kind = oneOf(enemy.chance, [
      "roster",
      "pools/web",
      "pools/db",
      "bundles/dns",
      "bundles/billing",
    ]);
    for (const path of [...enemy.view.keys()])
      if (path.startsWith(`${kind}/`) && !path.includes("/values/") && !then.has(path))
        enemy.view.delete(path);
    return `${kind} is frozen`;
  },
  (enemy: Enemy): string => {
    const from = generationIn(enemy);
    const to = from.replace(/[0-9]+$/u, (number) =>
      String(Number(number) + 1 + Math.floor(enemy.chance() * 3)),
    );
    copyFolder(enemy.view, from, to);
    return `${from} is shown as ${to} too`;
  },
  (enemy: Enemy): string => {
    const [from, to] = oneOf(enemy.chance, [
      ["billing", "dns"],
      ["dns", "billing"],
      ["dns", "mal/own"],
    ] as const);
    copyFolder(enemy.view, bundleFolder(from), bundleFolder(to));
    for (const [path, bytes] of [...enemy.view])
      if (path.startsWith("headers/") && path.includes(`/${from}/`))
        enemy.view.set(path.replace(`/${from}/`, `/${to}/`), bytes);
    return `${from} is shown as ${to}`;
  },
  (enemy: Enemy): string => {
    const [from, to] = enemy.chance() < 0.5 ? ["web", "db"] : ["db", "web"];
    for (const kind of ["pools", "entries", "headers"].filter(() => enemy.chance() < 0.7))
      copyFolder(enemy.view, `${kind}/${from}`, `${kind}/${to}`);
    return `${from} is shown as ${to}`;
  },
  (enemy: Enemy): string => {
    const folder = generationIn(enemy);
    const name = (): string => hashOf(Buffer.from(String(enemy.chance()))).slice(0, 32);
    const signature = enemy.view.get(pathIn(enemy, "roster/")) ?? new Uint8Array();
    for (let count = 0; count < 40; count++)
      enemy.view.set(`${folder}/signatures/${name()}.sig`, signature);
    return `${folder} has 40 more signatures`;
  },
];
