// Users and what was done to them: an audit log that says who changed what, when, and what it was before and after.
import { EventStore, defineAggregate, defineEvents, eventType } from "everfold";

const events = defineEvents({
  UserRegistered: eventType<{ name: string; email: string }>(),
  // Until version 2 there was one role only. What is stored stays as it is; it is read as a list.
  RolesChanged: eventType<{ roles: readonly string[] }>({
    version: 2,
    upcast: { 1: (data) => ({ roles: [data.role] }) },
    formerly: ["RoleChanged"],
  }),
  EmailChanged: eventType<{ email: string }>(),
  UserSuspended: eventType<{ reason: string }>(),
});

interface User {
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly suspended: string | null;
}

type Command =
  | { type: "Register"; name: string; email: string }
  | { type: "Grant"; role: string }
  | { type: "ChangeEmail"; email: string }
  | { type: "Suspend"; reason: string };

const User = defineAggregate({
  name: "user",
  category: "user",
  events,
  initial: (): User => ({ name: "", email: "", roles: [], suspended: null }),
  evolve: {
    UserRegistered: (user, { data }) => ({ ...user, ...data }),
    RolesChanged: (user, { data }) => ({ ...user, roles: data.roles }),
    EmailChanged: (user, { data }) => ({ ...user, email: data.email }),
    UserSuspended: (user, { data }) => ({ ...user, suspended: data.reason }),
  },
  decide: (command: Command, user, { revision }) => {
    if ((command.type === "Register") === (revision !== undefined)) throw new Error("a user is registered once, and first");
    if (user.suspended !== null) throw new Error("the user is suspended");
    switch (command.type) {
      case "Register":
        return { type: "UserRegistered", data: { name: command.name, email: command.email } };
      case "Grant":
        return user.roles.includes(command.role) ? [] : { type: "RolesChanged", data: { roles: [...user.roles, command.role] } };
      case "ChangeEmail":
        return { type: "EmailChanged", data: { email: command.email } };
      case "Suspend":
        return { type: "UserSuspended", data: { reason: command.reason } };
    }
  },
});

// As an older release of the app left it.
const ada = User.stream(crypto.randomUUID());
const older = await EventStore.open("users", { storage: "auto" });
await older.append(ada, [
  { type: "UserRegistered", data: { name: "Ada", email: "ada@example.org" }, metadata: { by: "root" } },
  { type: "RoleChanged", data: { role: "reader" }, metadata: { by: "root" } },
]);

const store = await EventStore.open("users", { events, storage: "auto" });
const as = (by: string) => ({ metadata: { by } });
await store.execute(User, ada, { type: "Grant", role: "editor" }, as("eve"));
await store.execute(User, ada, { type: "Grant", role: "editor" }, as("eve")); // Leads to nothing: she is one.
await store.execute(User, ada, { type: "ChangeEmail", email: "ada@example.com" }, as("ada"));
await store.execute(User, ada, { type: "Suspend", reason: "left" }, as("root"));

for await (const { event, patch } of store.history(User, ada, { diff: true, from: 1 })) {
  const changes = patch?.map((change) => `${change.op} ${change.path} ${"value" in change ? JSON.stringify(change.value) : ""}`);
  console.log(`${event.metadata["by"]}: ${event.type}: ${changes}`);
}
// → root: RolesChanged: add /roles/0 "reader"
// → eve: RolesChanged: add /roles/1 "editor"
// → ada: EmailChanged: replace /email "ada@example.com"
// → root: UserSuspended: replace /suspended "left"

// Who asks for the type of today finds what was written under its former name.
console.log(await store.count({ types: ["RolesChanged"], streams: [ada] })); // → 2

await older.close();
await store.close();
