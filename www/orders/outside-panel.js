// How the bank and the carrier behave: chosen in one tab, for all.

import { byId, element } from "../parts/element.js";
import { follow } from "../parts/follow.js";
import { OUTSIDE, OUTSIDE_STREAM, Outside } from "../shop/domain.js";

/**
 * Shows the choices, and follows what was chosen in whichever tab.
 *
 * @param {import("../dist/index.js").EventStore} store
 * @param {object} metadata of what is appended
 * @param {(error: unknown) => void} onError
 */
export function showOutside(store, metadata, onError) {
  const inputs = Object.entries(OUTSIDE).flatMap(([who, choices]) => {
    const choose = (what) => store.append(OUTSIDE_STREAM, { type: "OutsideChanged", data: { [who]: what }, metadata }).catch(onError);
    const made = Object.entries(choices).map(([what, label]) => {
      const input = element("input", { type: "radio", name: who, value: what, onchange: () => void choose(what) });
      return { input, label: element("label", {}, input, element("span", {}, label)) };
    });
    byId(who).append(...made.map(({ label }) => label));
    return made.map(({ input }) => input);
  });
  follow(
    store.live(Outside, OUTSIDE_STREAM),
    ({ state }) => {
      for (const input of inputs) input.checked = state[input.name] === input.value;
    },
    onError,
  );
}
