/** By what a service can be told, without ending it, that it has new values (signal(7)); the first unless another is named. */
export const reloadSignals = ["HUP", "USR1", "USR2", "WINCH"] as const;
