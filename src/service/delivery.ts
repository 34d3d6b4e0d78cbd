/** Where systemd asks the agent: what stands in `LoadCredential=NAME:PATH`. */
export const agentSocket = "/run/sealaunch/agent.sock";

/** Where sync is asked for what the mirror lacks. */
export const syncSocket = "/run/sealaunch/sync.sock";

/** The credential that the wrapper compares the others with. */
export const manifestName = "sealaunch";

/**
 * The most bytes that the names of a unit and of a credential may have together: systemd connects to the
 * agent from `@` + 16 hex digits + `/unit/UNIT/CREDENTIAL`, and a Unix socket's name has 108 bytes
 * (unix(7), systemd/systemd#36709). Longer ones could never be delivered.
 */
export const maxUnitAndCredential = 83;
