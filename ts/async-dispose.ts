export {};

declare global {
  // As in lib.esnext.disposable.d.ts, for those who compile without it.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}
