// A shopping cart that becomes an order: two aggregates, one commit, and a button that may be pressed twice.
import { EventStore, defineAggregate, defineEvents, eventType } from "everfold";

interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly cents: number;
}

const shop = defineEvents({
  ItemAdded: eventType<Line>({ tags: ({ sku }) => [`sku:${sku}`] }),
  ItemRemoved: eventType<{ sku: string }>({ tags: ({ sku }) => [`sku:${sku}`] }),
  CheckedOut: eventType<{ order: string }>(),
  OrderPlaced: eventType<{ cart: string; lines: readonly Line[]; cents: number }>(),
  OrderShipped: eventType(),
});

const Cart = defineAggregate({
  name: "cart",
  category: "cart",
  events: shop,
  initial: () => ({ lines: {} as { readonly [sku: string]: Line }, isCheckedOut: false }),
  evolve: {
    ItemAdded: (cart, { data }) => {
      const quantity = (cart.lines[data.sku]?.quantity ?? 0) + data.quantity;
      return { ...cart, lines: { ...cart.lines, [data.sku]: { ...data, quantity } } };
    },
    ItemRemoved: (cart, { data }) => {
      const { [data.sku]: _, ...lines } = cart.lines;
      return { ...cart, lines };
    },
    CheckedOut: (cart) => ({ ...cart, isCheckedOut: true }),
  },
  decide: (command: { type: "Add"; line: Line } | { type: "Remove"; sku: string }, cart) => {
    if (cart.isCheckedOut) throw new Error("the cart is checked out");
    if (command.type === "Add") return { type: "ItemAdded", data: command.line };
    return cart.lines[command.sku] && { type: "ItemRemoved", data: { sku: command.sku } };
  },
});

const Order = defineAggregate({
  name: "order",
  category: "order",
  events: shop,
  initial: () => ({ status: "none" as "none" | "placed" | "shipped", cents: 0 }),
  evolve: {
    OrderPlaced: (_, { data }) => ({ status: "placed", cents: data.cents }),
    OrderShipped: (order) => ({ ...order, status: "shipped" }),
  },
  decide: (_command: "ship", { status }) => {
    if (status !== "placed") throw new Error(`an order that is ${status} cannot be shipped`);
    return { type: "OrderShipped" };
  },
});

const store = await EventStore.open("shop", { events: shop, storage: "auto" });

/** Makes an order of a cart. The order has the id of the button's press, so that a second press makes no second order. */
async function checkOut(cart: string, commandId: string) {
  const order = Order.stream(commandId);
  const { duplicate } = await store.transact(
    async (tx) => {
      const { state } = await tx.load(Cart, cart);
      const lines = Object.values(state.lines);
      if (state.isCheckedOut || lines.length === 0) throw new Error("there is nothing to check out");
      const cents = lines.reduce((sum, line) => sum + line.quantity * line.cents, 0);
      tx.append(cart, { type: "CheckedOut", data: { order } });
      tx.append(order, { type: "OrderPlaced", data: { cart, lines, cents } });
    },
    { commandId },
  );
  return { order, duplicate };
}

const cart = Cart.stream(crypto.randomUUID());
await store.execute(Cart, cart, { type: "Add", line: { sku: "tea", quantity: 2, cents: 450 } });
await store.execute(Cart, cart, { type: "Add", line: { sku: "mug", quantity: 1, cents: 1200 } });
await store.execute(Cart, cart, { type: "Add", line: { sku: "tea", quantity: 1, cents: 450 } });
await store.execute(Cart, cart, { type: "Remove", sku: "mug" });

const press = crypto.randomUUID();
const [first, second] = [await checkOut(cart, press), await checkOut(cart, press)];
console.log(first.duplicate, second.duplicate); // → false true
console.log((await store.load(Order, first.order)).state); // → { status: 'placed', cents: 1350 }

await store.execute(Order, first.order, "ship");
console.log((await store.load(Order, first.order)).state.status); // → shipped

try {
  await store.execute(Cart, cart, { type: "Remove", sku: "tea" });
} catch (error) {
  console.log(String(error)); // → Error: the cart is checked out
}
await store.close();
