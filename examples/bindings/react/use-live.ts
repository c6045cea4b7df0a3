// Live values in React.
import type { Live, LiveState } from "everfold";
import { useSyncExternalStore } from "react";

const loading = { status: "loading" } as const;

/**
 * What a live value is now; the component is rendered again when it is another. Ask the store for it in each render: the same arguments give the
 * same object. On a server, and until the page has taken over what came from there, it is loading.
 */
export function useLive<Value>(live: Live<Value>): LiveState<Value> {
  return useSyncExternalStore(live.subscribe, live.get, () => loading);
}
