// What is kept of orders: a document each, found by its status.

import { defineProjection } from "../dist/index.js";
import { events } from "../shop/domain.js";

/** What becomes of a document when its order comes to a status. */
const comesTo = (status) => (order, { data, time }) => order && { ...order, status, reason: data?.reason, changedAt: time };

export const Orders = defineProjection({
  name: "orders",
  events,
  query: { categories: ["order"] },
  on: {
    OrderPlaced: (_, { data: { customer, lines, cents }, time }) => ({
      customer,
      cents,
      items: lines.reduce((count, { quantity }) => count + quantity, 0),
      status: "placed",
      placedAt: time,
      changedAt: time,
    }),
    OrderPaid: comesTo("paid"),
    OrderShipped: comesTo("shipped"),
    OrderDelivered: comesTo("delivered"),
    OrderCancelled: comesTo("cancelled"),
  },
  indexes: { byStatus: ["status", "changedAt"] },
});
