// Opens the audit, and has its parts follow what is done to users.

import { EventStore } from "../dist/index.js";
import { byId, element } from "../parts/element.js";
import { Notices } from "../parts/notice.js";
import { openStore } from "../parts/open-store.js";
import { offerStartOver } from "../parts/start-over.js";
import { TAB } from "../parts/tab-name.js";
import { toast } from "../parts/toast.js";
import { ACTORS, STORE, User, events, seedUsers } from "./domain.js";
import { showSteps } from "./steps-table.js";
import { Trails } from "./trails.js";
import { UserPanel } from "./user-panel.js";

const notices = new Notices(byId("notices"));
const onError = (error) => notices.show(error);

class AuditPage {
  #store;
  #trails;
  #panel;
  #stream;
  #isDue = false;

  constructor(store) {
    this.#store = store;
    this.#trails = new Trails(store, onError);
    this.#panel = new UserPanel(store, this.#trails, { onCommand: (stream, command) => void this.#execute(stream, command), onError });
    this.#trails.addEventListener("change", () => this.#draw());
    byId("by").append(...ACTORS.map((actor) => element("option", { value: actor }, actor)));
    for (const id of ["by", "whose"]) byId(id).addEventListener("change", () => this.#drawSteps());
    byId("register-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#register();
    });
  }

  async #execute(stream, command) {
    try {
      const { events: made } = await this.#store.execute(User, stream, command, { metadata: { by: command.by, tab: TAB } });
      if (made.length === 0) toast("That is so already: nothing was written.", "refused");
      return true;
    } catch (error) {
      // What the rules refuse is said, and no failure.
      if (error?.name === "Error") toast(error.message, "refused");
      else onError(error);
      return false;
    }
  }

  async #register() {
    const [name, email] = [byId("new-name").value.trim(), byId("new-email").value.trim()];
    const id = name.toLowerCase().replaceAll(/\s+/g, "-");
    if (id === "" || !(await this.#execute(User.stream(id), { type: "Register", name, email, by: byId("actor").value }))) return;
    byId("register-form").reset();
    this.#open(User.stream(id));
  }

  #open(stream) {
    this.#stream = stream;
    this.#panel.open(stream);
    this.#drawUsers();
  }

  /** Draws once a frame, however many events have come. */
  #draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      if (this.#stream === undefined) this.#open(this.#trails.streams[0]);
      else this.#panel.changed();
      this.#drawUsers();
      this.#drawSteps();
    }, 16);
  }

  #drawUsers() {
    const items = this.#trails.streams.map((stream) => {
      const { name, email, suspended } = this.#trails.stateOf(stream);
      const onclick = () => this.#open(stream);
      const button = element(
        "button.user",
        { type: "button", "data-user": stream, "aria-pressed": String(stream === this.#stream), onclick },
        element("span.initial", { "aria-hidden": "true" }, name[0] ?? "?"),
        element("span.who", {}, element("strong", {}, name), element("span.quiet", {}, email)),
        suspended === null ? undefined : element("span.chip.danger", {}, "suspended"),
      );
      return element("li", {}, button);
    });
    const focused = document.activeElement?.dataset?.user;
    byId("users").replaceChildren(...items);
    if (focused !== undefined) byId("users").querySelector(`[data-user="${CSS.escape(focused)}"]`)?.focus();
    const whose = byId("whose");
    const chosen = whose.value;
    const options = this.#trails.streams.map((stream) => element("option", { value: stream }, this.#trails.stateOf(stream).name));
    whose.replaceChildren(element("option", { value: "" }, "everyone"), ...options);
    whose.value = chosen;
  }

  #drawSteps() {
    const [by, whose] = [byId("by").value, byId("whose").value];
    showSteps(this.#trails.all, ({ event }) => (by === "" || event.metadata.by === by) && (whose === "" || event.stream === whose));
  }
}

async function open() {
  offerStartOver(byId("start-over"), { name: STORE }, onError);
  const store = await openStore(STORE, notices, events);
  if (store === undefined) return;
  if (store.position === 0) {
    const older = await EventStore.open(STORE, { storage: store.storage });
    await seedUsers(store, older, Date.now());
    await older.close();
  }
  new AuditPage(store);
}

open().catch(onError);
