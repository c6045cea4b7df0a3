// Live values in Svelte.
import type { Live, LiveState } from "everfold";
import type { Readable } from "svelte/store";

/** A store of Svelte's, of what a live value is now: in a component `$store` follows it as long as the component is there. */
export function liveStore<Value>({ get, subscribe }: Live<Value>): Readable<LiveState<Value>> {
  return {
    subscribe(run) {
      const stop = subscribe(() => run(get()));
      run(get());
      return stop;
    },
  };
}
