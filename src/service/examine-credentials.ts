import { maxUnitAndCredential } from "./delivery.ts";
import { Failure } from "../failure.ts";
import { error, warning, type Finding } from "./finding.ts";
import type { UnitSettings } from "./unit-settings.ts";

/** What a unit says of credentials. */
export type CredentialLines = Pick<
  UnitSettings,
  "unit" | "loadCredentials" | "loadEncrypted" | "setCredentials"
>;

/** What a unit's `LoadCredential=` lines are compared with. */
export interface CredentialNeeds {
  /** Where the agent is asked. */
  readonly socket: string;
  /** The credential that says what must have arrived. */
  readonly manifest: string;
  /** What the unit's commands ask for, as far as that is known. */
  readonly names: readonly string[];
  /** Whether that is all. */
  readonly areAll: boolean;
}

/** Whether the credentials that a unit loads are those that it gets: every line that is missing, over, or in the way. */
export function examineCredentials(settings: CredentialLines, needs: CredentialNeeds): Finding[] {
  const { unit, loadCredentials } = settings;
  const asked = loadCredentials.filter(({ from }) => from === needs.socket);
  const names = asked.map(({ name }) => name);
  const wanted = [needs.manifest, ...needs.names];
  const missing = wanted.filter((name) => !names.includes(name));
  const over = needs.areAll ? names.filter((name) => !wanted.includes(name)) : [];
  return [
    ...missing.map((name) =>
      refused(
        `${unit} has no LoadCredential=${name}:${needs.socket}, and ${name === needs.manifest ? "nothing else says what must have arrived" : "its command wants that credential"}`,
        `add LoadCredential=${name}:${needs.socket} to the unit`,
      ),
    ),
    ...over.map((name) =>
      refused(
        `${unit} asks the agent for credential ${name}, and its bundles and options give it only ${wanted.join(", ")}`,
        `take LoadCredential=${name}: out of the unit, or seal the credential`,
      ),
    ),
    ...[...new Set([...names, ...wanted])].flatMap((name) => examineName(settings, name)),
    ...[...new Set([...names, ...wanted])].flatMap((name) => examineRivals(settings, name, needs)),
  ];
}

function examineName({ unit }: CredentialLines, name: string): Finding[] {
  const size = unit.length + name.length;
  if (size <= maxUnitAndCredential) return [];
  return [
    refused(
      `the names of ${unit} and of credential ${name} have together ${String(size)} bytes, and systemd asks only for up to ${String(maxUnitAndCredential)}`,
      "give the unit or the credential a shorter name",
    ),
  ];
}

/** What else the unit has of that name, so that nobody can tell by it which value the service gets. */
function examineRivals(
  { unit, loadCredentials, loadEncrypted, setCredentials }: CredentialLines,
  name: string,
  { socket }: CredentialNeeds,
): Finding[] {
  const what = (rival: string): Failure =>
    new Failure(
      "unit/credentials",
      `${unit} has also ${rival}, beside the agent's value of that name`,
      `take ${rival} out of the unit`,
    );
  return [
    ...[...loadCredentials, ...loadEncrypted]
      .filter((other) => other.name === name && other.from !== socket)
      .map(({ from }) => error(what(`LoadCredential=${name}:${from}`))),
    // systemd takes it only for one that it couldn't load, and then the manifest is missing too.
    ...setCredentials
      .filter((other) => other === name)
      .map(() => warning(what(`SetCredential=${name}`))),
  ];
}

function refused(message: string, hint: string): Finding {
  return error(new Failure("unit/credentials", message, hint));
}
