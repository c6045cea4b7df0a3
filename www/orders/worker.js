// Does a tab's work beside its page, so that it can be killed without the page. Its name is that of the tab.

import { EventStore } from "../dist/index.js";
import { STORE, events } from "../shop/domain.js";
import { startWork } from "./work.js";

const store = await EventStore.open(STORE, { events });
startWork(store, self.name);

// Who is frozen hears nothing, says nothing and does nothing, and does not know it.
addEventListener("message", ({ data: { freeze_ms } }) => {
  const end_ms = performance.now() + freeze_ms;
  while (performance.now() < end_ms);
});
