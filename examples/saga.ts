// An order that is paid and shipped, or else cancelled and paid back: three consumers that append what follows from what they are handed.
// Each handles an event at least once, in one tab at a time, and goes on where it was after a reload.
import { EventStore, defineAggregate, defineEvents, eventType } from "everfold";
import type { NewEvent, RecordedEvent } from "everfold";

const shop = defineEvents({
  OrderPlaced: eventType<{ item: string; price: number }>(),
  OrderCompleted: eventType(),
  OrderCancelled: eventType<{ reason: string }>(),
  PaymentRequested: eventType<{ price: number }>(),
  PaymentTaken: eventType(),
  PaymentRefused: eventType<{ reason: string }>(),
  PaymentReturned: eventType(),
  ShipmentRequested: eventType<{ item: string }>(),
  Shipped: eventType(),
  ShipmentFailed: eventType<{ reason: string }>(),
});
type Step = NewEvent<typeof shop>;
type Happened = RecordedEvent<typeof shop>;

// An order, its payment and its shipment are a stream each, of which the last event is all that has to be known here.
const Process = defineAggregate({
  name: "process",
  events: shop,
  initial: () => "nothing",
  evolve: (_, { type }) => type,
  decide: (step: Step) => step,
});

const store = await EventStore.open("saga", { events: shop, storage: "auto" });

/**
 * Appends what follows from an event. The command has the id of its cause, so what follows is appended once, however often the event is
 * handled; and what is appended names its cause, and the order with which everything began.
 */
function follow(cause: Happened, category: "order" | "payment" | "shipment", step: Step) {
  const number = cause.stream.slice(cause.stream.indexOf("-") + 1);
  return store.execute(Process, `${category}-${number}`, step, { commandId: `${cause.id} ${step.type}`, causedBy: cause });
}

// Who decides what comes next, and what is undone when it cannot go on.
const manager = store.consumer("fulfilment", { after: 0 }, async (event) => {
  switch (event.type) {
    case "OrderPlaced":
      return follow(event, "payment", { type: "PaymentRequested", data: { price: event.data.price } });
    case "PaymentRefused":
      return follow(event, "order", { type: "OrderCancelled", data: event.data });
    case "PaymentTaken": {
      const [placed] = await store.readAll({ query: { types: ["OrderPlaced"], streams: [event.stream.replace("payment", "order")] } }).toArray();
      return follow(event, "shipment", { type: "ShipmentRequested", data: { item: placed?.data.item ?? "" } });
    }
    case "Shipped":
      return follow(event, "order", { type: "OrderCompleted" });
    case "ShipmentFailed":
      await follow(event, "payment", { type: "PaymentReturned" });
      return follow(event, "order", { type: "OrderCancelled", data: event.data });
  }
});

// The bank cannot be reached at first: what is thrown is tried again.
let calls = 0;
const bank = store.consumer("bank", { after: 0, query: { types: ["PaymentRequested"] } }, async (event) => {
  calls += 1;
  if (calls === 1) throw new Error("the bank cannot be reached");
  if (1_000 < event.data.price) return follow(event, "payment", { type: "PaymentRefused", data: { reason: "no cover" } });
  return follow(event, "payment", { type: "PaymentTaken" });
});

const warehouse = store.consumer("warehouse", { after: 0, query: { types: ["ShipmentRequested"] } }, async (event) => {
  if (event.data.item === "unicorn") return follow(event, "shipment", { type: "ShipmentFailed", data: { reason: "sold out" } });
  return follow(event, "shipment", { type: "Shipped" });
});

// Three orders, of which one cannot be paid, and one cannot be shipped.
const run = crypto.randomUUID();
const orders = ["book", "yacht", "unicorn"].map((item) => ({ stream: `order-${run}-${item}`, item, price: item === "yacht" ? 90_000 : 30 }));
for (const { stream, item, price } of orders) await store.append(stream, { type: "OrderPlaced", data: { item, price } });

const open = new Set(orders.map(({ stream }) => stream));
for await (const { stream } of store.subscribe({ query: { types: ["OrderCompleted", "OrderCancelled"] } })) {
  open.delete(stream);
  if (open.size === 0) break;
}

// Everything that came of an order has its correlation, and names what caused it.
for (const { stream, item } of orders) {
  const [placed] = await store.read(stream).toArray();
  const story = (await store.readAll().toArray()).filter(({ id, metadata }) => id === placed?.id || metadata.correlationId === placed?.id);
  console.log(`${item}: ${story.map(({ type }) => type).join(", ")}`);
  const ids = new Set(story.map(({ id }) => id));
  console.log(story.slice(1).every(({ metadata }) => ids.has(metadata.causationId as string)));
}
// → book: OrderPlaced, PaymentRequested, PaymentTaken, ShipmentRequested, Shipped, OrderCompleted
// → true
// → yacht: OrderPlaced, PaymentRequested, PaymentRefused, OrderCancelled
// → true
// → unicorn: OrderPlaced, PaymentRequested, PaymentTaken, ShipmentRequested, ShipmentFailed, PaymentReturned, OrderCancelled
// → true
for (const consumer of [manager, bank, warehouse]) await consumer.stop();
console.log((await store.consumers()).map(({ name, parked }) => `${name} ${parked}`).join(", ")); // → bank 0, fulfilment 0, warehouse 0
await store.close();
