// Users and what may be done to them. Who does it stands in the metadata of each event, and in a tag by which it is found.

import { defineAggregate, defineEvents, eventType, isEverfoldError } from "../dist/index.js";

/** The name of the page's store. */
export const STORE = "demo-audit";

/** Who may act, and as whom one acts at first. */
export const ACTORS = ["root", "Ada", "Eve", "Support"];

export const ROLES = ["reader", "editor", "billing", "admin"];

export const events = defineEvents({
  UserRegistered: eventType(),
  // Until version 2 there was one role only. What is stored stays as it is; it is read as a list.
  RolesChanged: eventType({ version: 2, upcast: { 1: (data) => ({ roles: [data.role] }) }, formerly: ["RoleChanged"] }),
  EmailChanged: eventType(),
  UserSuspended: eventType(),
  UserReinstated: eventType(),
});

export const User = defineAggregate({
  name: "user",
  category: "user",
  events,
  initial: () => ({ name: "", email: "", roles: [], suspended: null }),
  evolve: {
    UserRegistered: (user, { data }) => ({ ...user, name: data.name, email: data.email }),
    RolesChanged: (user, { data }) => ({ ...user, roles: data.roles }),
    EmailChanged: (user, { data }) => ({ ...user, email: data.email }),
    UserSuspended: (user, { data }) => ({ ...user, suspended: data.reason }),
    UserReinstated: (user) => ({ ...user, suspended: null }),
  },
  decide: (command, user, { revision }) => {
    const { by, type } = command;
    const event = (name, data) => ({ type: name, data, tags: [`by:${by}`] });
    if ((type === "Register") === (revision !== undefined)) throw new Error("A user is registered once, and first.");
    if (type === "Register") return event("UserRegistered", { name: command.name, email: command.email });
    if (type === "Reinstate") return user.suspended === null ? [] : event("UserReinstated", {});
    if (user.suspended !== null) throw new Error(`${user.name} is suspended: reinstate them first.`);
    switch (type) {
      case "SetRoles":
        return sameRoles(command.roles, user.roles) ? [] : event("RolesChanged", { roles: command.roles });
      case "ChangeEmail":
        if (!/^\S+@\S+$/.test(command.email)) throw new Error(`"${command.email}" is no address.`);
        return command.email === user.email ? [] : event("EmailChanged", { email: command.email });
      default:
        return event("UserSuspended", { reason: command.reason });
    }
  },
});

function sameRoles(some, others) {
  return some.length === others.length && some.every((role) => others.includes(role));
}

const PAST = [
  ["Ada Byron", "ada@example.org", [[70, "root", "role", "reader"], [41, "root", "roles", ["reader", "editor"]], [6, "Ada", "email", "ada@example.com"]]],
  ["Alan Turing", "alan@example.org", [[68, "root", "roles", ["reader"]], [30, "Eve", "roles", ["reader", "admin"]], [29, "root", "roles", ["reader"]]]],
  ["Emmy Noether", "emmy@example.org", [[52, "Support", "roles", ["billing"]], [12, "Support", "email", "noether@example.org"]]],
  ["Grace Hopper", "grace@example.org", [[45, "root", "roles", ["editor", "admin"]]]],
  ["Mallory", "mallory@example.net", [[21, "Eve", "roles", ["editor"]], [9, "root", "suspended", "Signed in from nine countries in an hour"]]],
  ["Kurt Gödel", "kurt@example.org", [[18, "Support", "suspended", "Asked for it"], [3, "root", "reinstated"]]],
];

const DAY_MS = 86_400_000;

/**
 * Fills a store that is empty with some past. Its beginning is as an older release of the app wrote it, which knew one role only; of two
 * tabs that do so at once one is refused.
 *
 * @param {object} store
 * @param {object} older a store of the same name that knows no types
 * @param {number} now
 */
export async function seedUsers(store, older, now) {
  const [[firstStream, [registered, role, ...later]], ...others] = PAST.map((user, place) => pastOf(user, place, now));
  try {
    await older.append(firstStream, [registered, role], { expected: "noStream" });
  } catch (error) {
    if (isEverfoldError(error, "WRONG_EXPECTED_REVISION")) return;
    throw error;
  }
  await store.appendAll([{ stream: firstStream, events: later }, ...others.map(([stream, events]) => ({ stream, events }))]);
}

function pastOf([name, email, steps], place, now) {
  const at = (days) => now - days * DAY_MS + place * 4_111_000;
  const registered = { type: "UserRegistered", data: { name, email }, time: at(steps[0][0] + 2), ...done("root") };
  const changes = steps.map(([days, by, kind, value]) => ({ ...change(kind, value), time: at(days), ...done(by) }));
  return [User.stream(name.split(" ")[0].toLowerCase()), [registered, ...changes]];
}

function change(kind, value) {
  switch (kind) {
    case "role":
      return { type: "RoleChanged", data: { role: value } };
    case "roles":
      return { type: "RolesChanged", data: { roles: value } };
    case "email":
      return { type: "EmailChanged", data: { email: value } };
    case "suspended":
      return { type: "UserSuspended", data: { reason: value } };
    default:
      return { type: "UserReinstated", data: {} };
  }
}

function done(by) {
  return { metadata: { by }, tags: [`by:${by}`] };
}
