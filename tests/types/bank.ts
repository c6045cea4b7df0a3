import { EventStore, defineEvents, eventType } from "../../dist/index.js";

export const bank = defineEvents({
  AccountOpened: eventType<{ owner: string }>(),
  MoneyDeposited: eventType<{ amount: number; currency: string }>({
    tags: (data) => [`currency:${data.currency}`],
  }),
  AccountClosed: eventType(),
});

export const store = await EventStore.open("bank", { events: bank });
export const untyped = await EventStore.open("anything");
