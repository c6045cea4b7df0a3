// What this tab is called, so that one sees in another who did what.

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ";

function chosen(from) {
  return from[Math.floor(Math.random() * from.length)];
}

/** A letter and a digit, by chance: another at each load. */
export const TAB = `${chosen(LETTERS)}${chosen("23456789")}`;

/** How an event's metadata name the tab that appended it: "this tab", "tab K7", or nothing where none did. */
export function tabOf({ tab }) {
  if (typeof tab !== "string") return "";
  return tab === TAB ? "this tab" : `tab ${tab}`;
}
