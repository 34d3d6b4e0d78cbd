import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runOnHost } from "./host.ts";

// systemd as Debian's next release has it, which is newer than any release's: some of what is tested needs it.

const suite = "forky";
const packages = ["systemd", "systemd-sysv", "dbus"];
const cache = join(import.meta.dirname, "../../node_modules/.cache");
const place = join(cache, `systemd-of-${suite}`);

/** A directory with those packages, and with all that they need; what was fetched once is kept. */
export async function nextSystemd(): Promise<string> {
  if ((await readdir(place).catch(() => [])).length > 0) return place;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, "fetching-"));
  try {
    await fetchInto(work);
    // Another test may have been faster.
    await rename(join(work, "archives"), place).catch(() => undefined);
    return place;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** apt-get with a state of its own, in which nothing is installed yet. */
async function fetchInto(work: string): Promise<void> {
  const archives = join(work, "archives");
  await mkdir(join(archives, "partial"), { recursive: true });
  await mkdir(join(work, "lists/partial"), { recursive: true });
  const key = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const source = `deb [signed-by=${key}] http://deb.debian.org/debian ${suite} main\n`;
  await writeFile(join(work, "sources.list"), source);
  await writeFile(join(work, "status"), "");
  const configuration = join(work, "apt.conf");
  await writeFile(
    configuration,
    `Dir::State "${work}";
Dir::State::status "${work}/status";
Dir::State::lists "${work}/lists";
Dir::Cache "${work}";
Dir::Cache::archives "${archives}";
Dir::Etc::sourcelist "${work}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "-";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
`,
  );
  const environment = [`APT_CONFIG=${configuration}`, "DEBIAN_FRONTEND=noninteractive"];
  for (const words of [["update"], ["install", "--yes", "--download-only", ...packages]]) {
    const { status, stderr } = await runOnHost("env", [...environment, "apt-get", "-q", ...words]);
    if (status !== 0) throw new Error(`apt-get ${words.join(" ")}: ${stderr}`);
  }
  for (const name of ["lock", "partial"]) {
    await rm(join(archives, name), { recursive: true, force: true });
  }
}
