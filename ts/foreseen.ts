/** What an application may ask of engines beside events and pages of them. */
export type Capability = "folding" | "projections" | "snapshots";

/**
 * What this application will ask of engines, as far as it has said so: definitions mostly come before the first store is opened.
 * An engine that is opened then can have it at hand when it is asked, and not only begin to fetch it.
 */
export const foreseen: Set<Capability> = new Set();
