// The shop: what can happen in it, what that comes to, and what may happen next. It knows neither the page nor the store.

import { defineAggregate, defineEvents, eventType } from "../dist/index.js";
import { formatMoney } from "../parts/format.js";

/** The name of the store that the pages of the shop and of its orders share. */
export const STORE = "demo-shop";

export const PRODUCTS = [
  { sku: "assam", name: "Assam tea", detail: "250 g, loose", cents: 890 },
  { sku: "sencha", name: "Sencha", detail: "100 g, loose", cents: 1240 },
  { sku: "pot", name: "Cast-iron pot", detail: "0.8 l", cents: 4900 },
  { sku: "cup", name: "Stoneware cup", detail: "200 ml", cents: 1450 },
  { sku: "sieve", name: "Tea sieve", detail: "fits any pot", cents: 720 },
  { sku: "honey", name: "Lime honey", detail: "500 g", cents: 980 },
];

/** The product of a number that says what it is in stock under. */
export function productOf(sku) {
  return PRODUCTS.find((product) => product.sku === sku) ?? { sku, name: sku, detail: "", cents: 0 };
}

/** So many of one product fit into a cart. */
export const QUANTITY_MAX = 99;

const bySku = ({ sku }) => [`sku:${sku}`];

export const events = defineEvents({
  ItemAdded: eventType({ tags: bySku }),
  ItemRemoved: eventType({ tags: bySku }),
  CheckedOut: eventType(),
  OrderPlaced: eventType({ tags: ({ customer }) => [`customer:${customer}`] }),
  OrderPaid: eventType(),
  OrderShipped: eventType(),
  OrderDelivered: eventType(),
  OrderCancelled: eventType(),
  PaymentRequested: eventType(),
  PaymentTaken: eventType(),
  PaymentRefused: eventType(),
  PaymentReturned: eventType(),
  ShipmentRequested: eventType(),
  ParcelShipped: eventType(),
  ShipmentFailed: eventType(),
  OutsideChanged: eventType(),
});

/** A cart: its lines by product, in the order in which they were first added. */
export const Cart = defineAggregate({
  name: "cart",
  category: "cart",
  events,
  initial: () => ({ lines: {}, isCheckedOut: false }),
  evolve: {
    ItemAdded: (cart, { data: { sku, quantity, cents } }) => {
      const line = cart.lines[sku] ?? { sku, quantity: 0, cents };
      return { ...cart, lines: { ...cart.lines, [sku]: { ...line, quantity: line.quantity + quantity } } };
    },
    ItemRemoved: (cart, { data: { sku, quantity } }) => {
      const { [sku]: line, ...others } = cart.lines;
      if (line === undefined || line.quantity <= quantity) return { ...cart, lines: others };
      return { ...cart, lines: { ...cart.lines, [sku]: { ...line, quantity: line.quantity - quantity } } };
    },
    CheckedOut: (cart) => ({ ...cart, isCheckedOut: true }),
  },
  decide: (command, cart) => {
    if (cart.isCheckedOut) throw new Error("This cart is checked out: nothing can be changed in it any more.");
    const { sku, quantity } = command;
    const there = cart.lines[sku]?.quantity ?? 0;
    if (command.type === "Remove") return there === 0 ? [] : { type: "ItemRemoved", data: { sku, quantity: Math.min(quantity, there) } };
    if (QUANTITY_MAX < there + quantity) throw new Error(`No more than ${QUANTITY_MAX} of one product fit into a cart.`);
    return { type: "ItemAdded", data: { sku, quantity, cents: productOf(sku).cents } };
  },
});

/** How many carts became orders: the cart that is filled is the one after them. */
export const CheckOuts = defineAggregate({
  name: "check-outs",
  events,
  initial: () => 0,
  evolve: { CheckedOut: (count) => count + 1 },
});

/** What `CheckOuts` is folded of. */
export const CHECK_OUTS = { query: { types: ["CheckedOut"] } };

/** What an order goes through, and by which event. */
export const STEPS = {
  Pay: { from: ["placed"], type: "OrderPaid" },
  Ship: { from: ["paid"], type: "OrderShipped" },
  Deliver: { from: ["shipped"], type: "OrderDelivered" },
  Cancel: { from: ["placed"], type: "OrderCancelled" },
  GiveUp: { from: ["placed", "paid"], type: "OrderCancelled" },
};

/** An order, of which only the status decides what may happen next. */
export const Order = defineAggregate({
  name: "order",
  category: "order",
  events,
  initial: () => ({ status: "none" }),
  evolve: {
    OrderPlaced: () => ({ status: "placed" }),
    OrderPaid: () => ({ status: "paid" }),
    OrderShipped: () => ({ status: "shipped" }),
    OrderDelivered: () => ({ status: "delivered" }),
    OrderCancelled: () => ({ status: "cancelled" }),
  },
  decide: ({ step, reason }, { status }) => {
    const { from, type } = STEPS[step];
    if (!from.includes(status)) throw new Error(`This order is ${status}: ${step.toLowerCase()} does not fit that.`);
    return reason === undefined ? { type } : { type, data: { reason } };
  },
});

/** Those with whom the shop deals, and how each may behave. */
export const OUTSIDE = {
  bank: { pays: "pays", refuses: "refuses", silent: "does not answer" },
  carrier: { ships: "ships", loses: "loses the parcel" },
};

/** How they behave at the moment: one for all tabs, so it is in the log. */
export const Outside = defineAggregate({
  name: "outside",
  events,
  initial: () => ({ bank: "pays", carrier: "ships" }),
  evolve: { OutsideChanged: (outside, { data }) => ({ ...outside, ...data }) },
});

/** The stream of which `Outside` is folded. */
export const OUTSIDE_STREAM = "outside";

/** What a cart costs. */
export function totalOf(lines) {
  return lines.reduce((sum, { quantity, cents }) => sum + quantity * cents, 0);
}

/** What an event of the shop did, in a few words. */
export function summarise({ type, data }) {
  switch (type) {
    case "ItemAdded":
      return `${data.quantity} × ${productOf(data.sku).name}`;
    case "ItemRemoved":
      return `${data.quantity} × ${productOf(data.sku).name} back`;
    case "CheckedOut":
      return `became ${data.order}`;
    case "OrderPlaced":
      return `by ${data.customer}`;
    case "PaymentRequested":
    case "PaymentTaken":
    case "PaymentReturned":
      return formatMoney(data.cents);
    case "OutsideChanged":
      return Object.entries(data).map(([who, what]) => `the ${who} ${OUTSIDE[who]?.[what] ?? what}`).join(", ");
    default:
      return data?.reason ?? "";
  }
}
