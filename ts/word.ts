// What tabs tell one another of a store's state. Nothing is believed of it: who has word looks by himself.

/** What is said: the store is about to be destroyed, or there is something to see. */
export type Word = "destroyed" | "look";

/** Has word of the other tabs that have a store of this name open, once it listens. */
export class WordOfTabs {
  readonly #channel: BroadcastChannel;

  private constructor(channel: BroadcastChannel) {
    this.#channel = channel;
  }

  /** Nothing where tabs cannot talk: a page that may keep nothing may not have a channel either. */
  static of(name: string): WordOfTabs | undefined {
    try {
      return new WordOfTabs(new BroadcastChannel(`everfold-status:${name}`));
    } catch {
      return undefined;
    }
  }

  listen(hear: (word: unknown) => void): void {
    this.#channel.onmessage = ({ data }) => hear(data);
  }

  say(word: Word): void {
    this.#channel.postMessage(word);
  }

  close(): void {
    this.#channel.close();
  }
}

/** Says it to all tabs, to those that have the store open. */
export function sayToTabs(name: string, word: Word): void {
  const tabs = WordOfTabs.of(name);
  tabs?.say(word);
  tabs?.close();
}
