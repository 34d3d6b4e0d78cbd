import { Failure } from "../failure.ts";
import { readRegularFile } from "./files.ts";
import { findProgram, run } from "./process.ts";

/** A user as the machine's databases have it (getent(1), passwd(5)). */
export interface User {
  /** Undefined for a bare number that no database knows. */
  readonly name: string | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

const isNumber = /^(?:0|[1-9][0-9]{0,9})$/u;
/** Above it lie the numbers that mean "no user" (systemd.exec(5), User=). */
const maxId = 0xffff_fffe;

const maxDatabaseSize = 4 * 1024 * 1024;

/** What getent(1) takes for a number and nobody would: +0 and 00 are root. */
const isOddNumber = /^[\s+-]*[0-9]+$/u;

async function lookUp(database: "passwd" | "group", name: string): Promise<string[] | undefined> {
  if (isOddNumber.test(name) && !isNumber.test(name)) return undefined;
  // The machine's own files come first, as in nsswitch.conf(5), and cost no process. Where they are
  // something else, getent(1) knows.
  const bytes = await readRegularFile(`/etc/${database}`, maxDatabaseSize).catch(() => undefined);
  const local = new TextDecoder()
    .decode(bytes)
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields.length > 3 && (fields[0] === name || fields[2] === name));
  if (local !== undefined) return local;
  const { exitCode, stdout } = await run(await findProgram("getent"), [database, "--", name]);
  if (exitCode !== 0) return undefined;
  return new TextDecoder().decode(stdout).split("\n", 1)[0]?.split(":");
}

/** The user of that name or number. @throws Failure `user/unknown` */
export async function findUser(name: string): Promise<User> {
  const fields = await lookUp("passwd", name);
  if (fields !== undefined) {
    const [login, , uid, gid, , home = "/", shell = "/bin/sh"] = fields;
    return { name: login, uid: Number(uid), gid: Number(gid), home, shell };
  }
  if (isNumber.test(name) && Number(name) < maxId) {
    const id = Number(name);
    return { name: undefined, uid: id, gid: id, home: "/", shell: "/bin/sh" };
  }
  throw new Failure("user/unknown", `there is no user ${JSON.stringify(name.slice(0, 64))}`);
}

/** The number of the group of that name or number. @throws Failure `user/unknown` */
export async function findGroup(name: string): Promise<number> {
  const fields = await lookUp("group", name);
  if (fields !== undefined) return Number(fields[2]);
  if (isNumber.test(name) && Number(name) < maxId) return Number(name);
  throw new Failure("user/unknown", `there is no group ${JSON.stringify(name.slice(0, 64))}`);
}
