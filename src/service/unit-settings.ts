/** A credential that a unit loads, and from where. */
export interface LoadedCredential {
  readonly name: string;
  /** A file, a directory, a socket, or a name to look for. */
  readonly from: string;
}

/** What PID 1 has of a unit's file, as far as it matters to a start through the agent. */
export interface UnitSettings {
  readonly unit: string;
  /** `loaded`, `not-found`, `masked`, `bad-setting`, … */
  readonly loadState: string;
  /** Why it wasn't loaded, in systemd's words. */
  readonly loadError: string;
  /** Whether a file of it was changed since PID 1 has read it. */
  readonly needsReload: boolean;
  readonly type: string;
  readonly user: string;
  readonly isDynamicUser: boolean;
  readonly hasDefaultDependencies: boolean;
  readonly after: readonly string[];
  readonly loadCredentials: readonly LoadedCredential[];
  readonly loadEncrypted: readonly LoadedCredential[];
  /** Names of credentials whose values stand in the unit. */
  readonly setCredentials: readonly string[];
  /** `SystemCallFilter=` with its groups resolved; none if nothing is filtered. */
  readonly systemCalls: { readonly areAllowed: boolean; readonly names: readonly string[] };
  /** Processes of its user, and tasks of its own; Infinity for no limit. */
  readonly maxUserProcesses: number;
  readonly maxTasks: number;
  /** Empty for the machine's own root. */
  readonly rootDirectory: string;
  readonly rootImage: string;
  readonly noExecPaths: readonly string[];
  readonly execPaths: readonly string[];
  readonly inaccessiblePaths: readonly string[];
  readonly temporaryFileSystems: readonly string[];
  readonly binds: readonly { readonly source: string; readonly destination: string }[];
  readonly startTimeoutMs: number;
}
