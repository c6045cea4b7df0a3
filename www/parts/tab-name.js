// What this tab is called, so that one sees in another who did what.

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ";

/** So many names are tried: whoever has that many tabs open will find two of one name. */
const ATTEMPTS = 20;

function chosen(from) {
  return from[Math.floor(Math.random() * from.length)];
}

/** A name by chance that no other tab has: it is locked for as long as the tab is there. */
async function claimName() {
  let name;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    name = `${chosen(LETTERS)}${chosen("23456789")}`;
    // Without locks, as on a page that is not secure, chance has to do.
    if (navigator.locks === undefined || (await isLocked(name))) return name;
  }
  return name;
}

function isLocked(name) {
  return new Promise((resolve, reject) => {
    const hold = (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    };
    navigator.locks.request(`demo-tab-${name}`, { ifAvailable: true }, hold).catch(reject);
  });
}

/** A letter and a digit: another at each load. */
export const TAB = await claimName().catch(() => chosen(LETTERS));

/** How an event's metadata name the tab that appended it: "this tab", "tab K7", or nothing where none did. */
export function tabOf({ tab }) {
  if (typeof tab !== "string") return "";
  return tab === TAB ? "this tab" : `tab ${tab}`;
}
