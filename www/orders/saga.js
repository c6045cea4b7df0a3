// The work that orders make: three consumers, each of which does something for every event that concerns it, and appends what follows. They
// know neither the page nor in which tab they run.

import { defineAggregate } from "../dist/index.js";
import { OUTSIDE_STREAM, Order, Outside, events } from "../shop/domain.js";

/** So long the bank and the carrier take: long enough to be watched, and to be killed amid it. */
const BANK_MS = 350;
const CARRIER_MS = 450;

/** An event is tried so often before it is parked, after pauses that double from the first one. */
export const ATTEMPTS_MAX = 4;
const PAUSE_MS = 500;

/** A payment or a shipment, of which nothing has to be known before the next step: who appends it has decided. */
const Process = defineAggregate({ name: "process", events, initial: () => undefined, evolve: {}, decide: (step) => step });

/** The categories of all streams that an order has. */
export const CATEGORIES = ["order", "payment", "shipment"];

/** What has others follow. */
const CAUSES = ["OrderPlaced", "PaymentTaken", "PaymentRefused", "OrderPaid", "ParcelShipped", "ShipmentFailed"];

/** The stream of an order's payment, its shipment, or the order itself, by any of them. */
export function streamOf(stream, category) {
  return `${category}-${stream.slice(stream.indexOf("-") + 1)}`;
}

/**
 * The consumers: the name of each, what it consumes, and its handler.
 *
 * @param {import("../dist/index.js").EventStore} store
 * @param {object} metadata of what they append
 */
export function saga(store, metadata) {
  /**
   * Appends what follows from an event. The command has the id of its cause, so it is appended once, however often the event is handled.
   */
  const follow = (cause, category, step) =>
    store.execute(Process, streamOf(cause.stream, category), step, { commandId: `${cause.id} ${step.type}`, causedBy: cause, metadata });
  const move = (cause, step, reason) =>
    store.execute(Order, streamOf(cause.stream, "order"), { step, reason }, { commandId: `${cause.id} ${step}`, causedBy: cause, metadata });
  const statusOf = async ({ stream }) => (await store.load(Order, streamOf(stream, "order"))).state.status;
  const outside = async (who) => (await store.load(Outside, OUTSIDE_STREAM)).state[who];
  const payBack = (cause, cents, reason) => follow(cause, "payment", { type: "PaymentReturned", data: { cents, reason } });

  /** Who decides what comes next, and what is undone where it cannot go on. */
  async function fulfil(event) {
    const { type, data } = event;
    const status = await statusOf(event);
    switch (type) {
      case "OrderPlaced":
        if (status === "placed") await follow(event, "payment", { type: "PaymentRequested", data: { cents: data.cents } });
        break;
      case "PaymentTaken":
        if (status === "cancelled") await payBack(event, data.cents, "cancelled meanwhile");
        else await move(event, "Pay");
        break;
      case "PaymentRefused":
        if (status !== "cancelled") await move(event, "GiveUp", `the payment was refused: ${data.reason}`);
        break;
      case "OrderPaid":
        if (status === "paid") await follow(event, "shipment", { type: "ShipmentRequested" });
        break;
      case "ParcelShipped":
        await move(event, "Ship");
        break;
      case "ShipmentFailed": {
        const [placed] = await store.read(streamOf(event.stream, "order"), { limit: 1 }).toArray();
        await payBack(event, placed.data.cents, data.reason);
        await move(event, "GiveUp", `${data.reason}, paid back`);
        break;
      }
    }
  }

  async function callBank(event, { signal }) {
    await pause(BANK_MS, signal);
    const bank = await outside("bank");
    if (bank === "silent") throw new Error("the bank does not answer");
    if (bank === "refuses") await follow(event, "payment", { type: "PaymentRefused", data: { reason: "no cover" } });
    else await follow(event, "payment", { type: "PaymentTaken", data: event.data });
  }

  async function callCarrier(event, { signal }) {
    await pause(CARRIER_MS, signal);
    if ((await outside("carrier")) === "loses") await follow(event, "shipment", { type: "ShipmentFailed", data: { reason: "the parcel was lost" } });
    else await follow(event, "shipment", { type: "ParcelShipped" });
  }

  return [
    { name: "fulfilment", options: { after: 0, query: { types: CAUSES } }, handle: fulfil },
    { name: "bank", options: { after: 0, query: { types: ["PaymentRequested"] }, retry: patience }, handle: callBank },
    { name: "carrier", options: { after: 0, query: { types: ["ShipmentRequested"] }, retry: patience }, handle: callCarrier },
  ];
}

/** When an event is tried again, or that it is parked. */
export function patience(_error, { attempt }) {
  return attempt < ATTEMPTS_MAX ? PAUSE_MS * 2 ** (attempt - 1) : "park";
}

/** Waits, unless what it waits for is of no use any more. */
function pause(duration_ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, duration_ms);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}
