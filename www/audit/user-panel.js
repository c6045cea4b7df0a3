// Shows a user, as they are or as they were on a day, and offers what may be done to them.

import { byId, element } from "../parts/element.js";
import { formatDay } from "../parts/format.js";
import { ACTORS, ROLES, User } from "./domain.js";

const DAY_MS = 86_400_000;

export class UserPanel {
  #store;
  #trails;
  #onCommand;
  #onError;
  #stream;
  #asOf = byId("as-of");

  /**
   * @param {object} store
   * @param {import("./trails.js").Trails} trails
   * @param {object} listeners
   * @param {(stream: string, command: object) => void} listeners.onCommand
   * @param {(error: unknown) => void} listeners.onError
   */
  constructor(store, trails, { onCommand, onError }) {
    this.#store = store;
    this.#trails = trails;
    this.#onCommand = onCommand;
    this.#onError = onError;
    byId("actor").replaceChildren(...ACTORS.map((actor) => element("option", {}, actor)));
    byId("roles").append(...ROLES.map((role) => element("label.role", {}, element("input", { type: "checkbox", name: "role", value: role }), role)));
    this.#asOf.addEventListener("change", () => this.draw());
    byId("as-of-now").addEventListener("click", () => {
      this.#asOf.value = "";
      this.draw();
    });
    this.#offer("roles-form", () => ({ type: "SetRoles", roles: ROLES.filter((role) => this.#box(role).checked) }));
    this.#offer("email-form", () => ({ type: "ChangeEmail", email: byId("email").value.trim() }));
    this.#offer("suspend-form", () => {
      const isSuspended = this.#trails.stateOf(this.#stream).suspended !== null;
      return isSuspended ? { type: "Reinstate" } : { type: "Suspend", reason: byId("reason").value.trim() || "no reason given" };
    });
  }

  /** Shows another user, as they are now. */
  open(stream) {
    this.#stream = stream;
    this.#asOf.value = "";
    this.draw();
  }

  /** The user may have changed. */
  changed() {
    this.draw();
  }

  async draw() {
    const [stream, day] = [this.#stream, this.#asOf.value];
    try {
      // The end of that day, UTC.
      const loaded = day === "" ? { state: this.#trails.stateOf(stream), exists: true } : await this.#store.load(User, stream, { time: Date.parse(day) + DAY_MS - 1 });
      if (stream !== this.#stream || day !== this.#asOf.value) return;
      this.#show(loaded, day);
    } catch (error) {
      this.#onError(error);
    }
  }

  #show({ state, exists }, day) {
    byId("user-heading").textContent = this.#trails.stateOf(this.#stream).name || this.#stream;
    byId("user-when").textContent = day === "" ? "as they are now" : `as they were on ${formatDay(Date.parse(day))}`;
    byId("user").classList.toggle("is-past", day !== "");
    byId("as-of-now").disabled = day === "";
    const facts = exists
      ? [
          ["Email", state.email],
          ["Roles", state.roles.length === 0 ? "none" : element("span.roles", {}, ...state.roles.map((role) => element("span.chip.sky", {}, role)))],
          ["Suspended", state.suspended === null ? "no" : element("span.chip.danger", {}, state.suspended)],
        ]
      : [["Status", "not registered yet on that day"]];
    byId("user-facts").replaceChildren(...facts.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))));
    this.#fill(state);
    for (const control of byId("commands").querySelectorAll("input, button")) control.disabled = day !== "";
  }

  /** Puts what is shown into the fields, but for the one that is being typed in. */
  #fill({ email, roles, suspended }) {
    for (const role of ROLES) this.#box(role).checked = roles.includes(role);
    if (document.activeElement !== byId("email")) byId("email").value = email;
    byId("suspend").textContent = suspended === null ? "Suspend" : "Reinstate";
    byId("suspend").classList.toggle("danger", suspended === null);
    byId("reason-field").hidden = suspended !== null;
  }

  #box(role) {
    return byId("roles").querySelector(`[value="${role}"]`);
  }

  #offer(id, command) {
    byId(id).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#onCommand(this.#stream, { ...command(), by: byId("actor").value });
    });
  }
}
