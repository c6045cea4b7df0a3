/** Compiles only where both types are the same; a type that is `any` equals nothing else. */
export type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Takes the word of {@link Equal} and nothing else. */
export function same<_IsSame extends true>(): void {}
