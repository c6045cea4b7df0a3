// A counter whose every change is kept: what it is now, what it was, and how a change is taken back without forgetting it.
import { EventStore, defineAggregate, defineEvents, eventType } from "everfold";

const events = defineEvents({
  Incremented: eventType<{ by: number }>(),
  Undone: eventType<{ revision: number; by: number }>(),
});

type Command = { type: "Increment"; by: number } | { type: "Undo" };

const Counter = defineAggregate({
  name: "counter",
  category: "counter",
  events,
  initial: () => ({ value: 0, steps: [] as { revision: number; by: number }[] }),
  evolve: {
    Incremented: ({ value, steps }, { data, revision }) => ({
      value: value + data.by,
      steps: [...steps, { revision, by: data.by }],
    }),
    // Taken back is what happened last and was not taken back before.
    Undone: ({ value, steps }, { data }) => ({ value: value - data.by, steps: steps.slice(0, -1) }),
  },
  decide: (command: Command, { steps }) => {
    if (command.type === "Increment") return { type: "Incremented", data: { by: command.by } };
    const last = steps.at(-1);
    if (last === undefined) throw new Error("there is nothing to undo");
    return { type: "Undone", data: last };
  },
});

const store = await EventStore.open("counter", { events, storage: "auto" });
const stream = Counter.stream(crypto.randomUUID());

for (const by of [1, 10, 100]) await store.execute(Counter, stream, { type: "Increment", by });
const { state } = await store.execute(Counter, stream, { type: "Undo" });
console.log(state.value); // → 11

// Nothing is forgotten: this is what it was before it was taken back, and all that ever happened.
console.log((await store.load(Counter, stream, { revision: 2 })).state.value); // → 111
for await (const step of store.history(Counter, stream)) console.log(step.event.type, step.state.value);
// → Incremented 1 → Incremented 11 → Incremented 111 → Undone 11

await store.execute(Counter, stream, { type: "Undo" });
await store.execute(Counter, stream, { type: "Undo" });
try {
  await store.execute(Counter, stream, { type: "Undo" });
} catch (error) {
  console.log(String(error)); // → Error: there is nothing to undo
}
await store.close();
