import { EventStore } from "everfold";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { events } from "../poll.js";
import { App } from "./app.js";

const store = await EventStore.open("poll", { events, storage: "auto" });
createRoot(document.body.appendChild(document.createElement("div"))).render(
  <StrictMode>
    <App store={store} />
  </StrictMode>,
);
