/** By which ways a service is deployed: over ssh to nodes that one picks, or through who picks them. */
export const ways = ["ssh", "fleet", "nomad", "marathon", "pacemaker"] as const;
export type WayName = (typeof ways)[number];
