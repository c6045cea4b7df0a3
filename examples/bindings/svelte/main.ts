import { EventStore } from "everfold";
import { mount } from "svelte";
import { events } from "../poll.js";
import App from "./App.svelte";

const store = await EventStore.open("poll", { events, storage: "auto" });
mount(App, { target: document.body, props: { store } });
