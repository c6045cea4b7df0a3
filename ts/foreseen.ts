/** What an application may ask, of engines or of code that is loaded later, beside events and pages of them. */
export type Capability = "folding" | "projections" | "snapshots" | "folds" | "commands";

/**
 * What this application will ask, as far as it has said so: definitions mostly come before the first store is opened.
 * What is opened then can have it at hand when it is asked, and not only begin to fetch it.
 */
export const foreseen: Set<Capability> = new Set();
