import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where execvp(3) looks if there is no PATH. */
const defaultPath = "/bin:/usr/bin";

/** Whether execvp(3) finds a file there that this process may execute; relative to where it runs. */
export async function isExecutable(program: string, path = defaultPath): Promise<boolean> {
  const places = program.includes("/")
    ? [program]
    : path.split(":").map((directory) => join(directory, program));
  for (const place of places) if (await isExecutableFile(place)) return true;
  return false;
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
