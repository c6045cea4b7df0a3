// Makes orders: of a cart, or by somebody who never filled one here.

import { isEverfoldError } from "../dist/index.js";
import { CHECK_OUTS, Cart, CheckOuts, Order, PRODUCTS, totalOf } from "./domain.js";

const CUSTOMERS = ["Ada Byron", "Alan Turing", "Emmy Noether", "Grace Hopper", "Edsger Dijkstra", "Mary Somerville", "Kurt Gödel", "Sofja Kowalewskaja"];

const chosen = (from) => from[Math.floor(Math.random() * from.length)];

/**
 * Makes an order of a cart: two streams in one commit, and only if nobody else changed the cart meanwhile. With the same command
 * again there is no second order.
 *
 * @returns {Promise<{ order: string, duplicate: boolean }>}
 */
export async function checkOut(store, cart, { commandId, metadata }) {
  const order = cart.replace("cart-", "order-");
  const customer = chosen(CUSTOMERS);
  const { duplicate } = await store.transact(
    async (tx) => {
      const { state } = await tx.load(Cart, cart);
      const lines = Object.values(state.lines);
      if (state.isCheckedOut || lines.length === 0) throw new Error("There is nothing to order.");
      tx.append(cart, { type: "CheckedOut", data: { order } });
      tx.append(order, { type: "OrderPlaced", data: placed(customer, lines) });
    },
    { commandId, metadata },
  );
  return { order, duplicate };
}

/** Places an order of somebody by chance. */
export async function placeOrder(store, metadata) {
  const order = Order.stream(crypto.randomUUID().slice(0, 4));
  try {
    await store.append(order, { type: "OrderPlaced", data: placed(chosen(CUSTOMERS), randomLines()), metadata }, { expected: "noStream" });
  } catch (error) {
    // So short an id comes twice now and then.
    if (isEverfoldError(error, "WRONG_EXPECTED_REVISION")) return placeOrder(store, metadata);
    throw error;
  }
  return order;
}

function placed(customer, lines) {
  return { customer, lines, cents: totalOf(lines) };
}

function randomLines() {
  const count = 1 + Math.floor(Math.random() * 3);
  const products = [...PRODUCTS].sort(() => Math.random() - 0.5).slice(0, count);
  return products.map(({ sku, cents }) => ({ sku, quantity: 1 + Math.floor(Math.random() * 3), cents }));
}

/** What the shop has been through before its first visitor comes. */
const PAST = [
  { customer: "Grace Hopper", lines: [["assam", 2], ["sieve", 1]], hours: 52, steps: ["OrderPaid", "OrderShipped", "OrderDelivered"] },
  { customer: "Kurt Gödel", lines: [["pot", 1]], hours: 31, steps: ["OrderPaid", "OrderShipped"] },
  { customer: "Ada Byron", lines: [["cup", 4], ["sencha", 1]], hours: 26, steps: ["OrderPaid", "OrderShipped"] },
  { customer: "Emmy Noether", lines: [["honey", 2]], hours: 20, steps: ["OrderCancelled"] },
  { customer: "Alan Turing", lines: [["sencha", 2], ["cup", 2]], hours: 7, steps: ["OrderPaid"] },
  { customer: "Mary Somerville", lines: [["assam", 1], ["honey", 1]], hours: 3, steps: [] },
];

const HOUR_MS = 3_600_000;

/** Fills a store that is empty with some past, in one commit: of two tabs that do so at once one is refused, and nothing is there twice. */
export async function seedShop(store, now) {
  if (0 < (await store.load(CheckOuts, CHECK_OUTS)).state) return;
  const past = PAST.flatMap(({ customer, lines, hours, steps }, place) => {
    const time = now - hours * HOUR_MS;
    const bought = lines.map(([sku, quantity]) => ({ sku, quantity, cents: PRODUCTS.find((product) => product.sku === sku).cents }));
    const cart = Cart.stream(String(place + 1));
    const order = Order.stream(String(place + 1));
    const added = bought.map((line, index) => ({ type: "ItemAdded", data: line, time: time - (lines.length - index) * 40_000 }));
    const gone = steps.map((type, index) => ({ type, time: time + (index + 1) * 1.6 * HOUR_MS }));
    return [
      { stream: cart, events: [...added, { type: "CheckedOut", data: { order }, time }], expected: "noStream" },
      { stream: order, events: [{ type: "OrderPlaced", data: placed(customer, bought), time }, ...gone], expected: "noStream" },
    ];
  });
  const begun = ["assam", "cup", "sencha", "cup"].map((sku, index) => ({
    type: "ItemAdded",
    data: { sku, quantity: 1, cents: PRODUCTS.find((product) => product.sku === sku).cents },
    time: now - (5 - index) * 60_000,
  }));
  const taken = { type: "ItemRemoved", data: { sku: "sencha", quantity: 1 }, time: now - 40_000 };
  try {
    await store.appendAll([...past, { stream: Cart.stream(String(PAST.length + 1)), events: [...begun, taken], expected: "noStream" }]);
  } catch (error) {
    if (!isEverfoldError(error, "WRONG_EXPECTED_REVISION")) throw error;
  }
}
