// A reducer that is a document, folded in JavaScript: for tests without a store, and so without the core, which does the same. It
// is written to be plain, and walks the document for each event.
import type { AnyAggregate } from "./aggregate.js";
import { initialOf } from "./aggregate.js";
import { BOUNDLESS } from "./boundless.js";
import type { EvolveDocument } from "./declarative.js";
import { partsOf } from "./document-check.js";
import { invalidArgument } from "./errors.js";
import type { Folded } from "./evolve.js";
import { reducerFailed } from "./evolve.js";
import { passed } from "./fold-pages.js";
import { frozen } from "./frozen.js";
import type { AnyRecorded } from "./page.js";
import { jsonText } from "./payload.js";
import type { Upcaster } from "./upcast.js";

/** Deepest nesting of a state. */
const DEPTH_MAX = 64;
/** Most bytes of values that one event makes, and what a value, a property and an object count: as in the core. */
const EVENT_BYTES_MAX = 16 * 1024 * 1024;
const VALUE_BYTES = 32;
const PROPERTY_BYTES = 16;
const OBJECT_BYTES = 64;
const KINDS = ["undefined", "null", "number", "string", "object", "array", "boolean"];

type Data = string | number | boolean | null | Data[] | Properties;
type Properties = { [name: string]: Data };
type Value = Data | undefined;
type Kind = "undefined" | "null" | "number" | "string" | "object" | "array" | "boolean";

/** How many bytes of values an event may still make. */
interface Room {
  bytes: number;
}

/** What a step is taken in. */
interface Scene {
  readonly room: Room;
  readonly event: AnyRecorded;
  readonly state: Properties;
  readonly variable?: string;
  readonly item?: Data;
}

/** A write of a step, its path and its value worked out. */
interface Write {
  readonly room: Room;
  readonly update: string;
  readonly path: readonly Part[];
  readonly value: Value;
}

/** A part of a path: one name, or the elements that it picks. */
type Part = { readonly name: string; readonly picks?: undefined } | { readonly picks: (element: Data) => boolean };

/** Folds by a document as the core does. */
export class DocumentRehearsal<State> {
  readonly #aggregate: AnyAggregate<State>;
  readonly #upcaster: Upcaster | undefined;

  constructor(aggregate: AnyAggregate<State>, upcaster: Upcaster | undefined) {
    this.#aggregate = aggregate;
    this.#upcaster = upcaster;
  }

  start(): Folded<State> {
    const state = JSON.parse(jsonText(initialOf(this.#aggregate), "initial", "", BOUNDLESS)) as State;
    if (kindOf(state as Data) !== "object") throw invalidArgument("initial", `is ${kindOf(state as Data)}, and no object`);
    return { state: frozen(state), count: 0, revision: undefined, lastPosition: 0, asOf: 0 };
  }

  fold(_: unknown, folded: Folded<State>, events: AnyRecorded[], asOf: number): Folded<State> {
    const document = this.#aggregate.evolve as EvolveDocument;
    const state = structuredClone(folded.state) as Properties;
    for (const event of this.#upcaster?.current(events, "refused") ?? events) {
      if (event.revision === undefined) continue;
      try {
        evolve(document, state, event);
      } catch (error) {
        throw reducerFailed(this.#aggregate.name, event, error);
      }
    }
    return { ...passed(folded, events), state: frozen(state as State), asOf };
  }
}

function evolve(document: EvolveDocument, state: Properties, event: AnyRecorded): void {
  const type = Object.hasOwn(document, event.type) ? event.type : "*";
  if (!Object.hasOwn(document, type)) return;
  const room = { bytes: EVENT_BYTES_MAX };
  for (const step of [document[type]].flat() as Properties[]) {
    const scene: Scene = { event, state, room };
    const [each] = Object.entries((step.$for ?? {}) as Properties);
    if (each === undefined) {
      round(step, scene);
      continue;
    }
    const items = evaluate(each[1], scene, "unchecked");
    if (!Array.isArray(items)) throw new TypeError("$for goes through an array");
    for (const item of copied(items, room)) round(step, { ...scene, variable: each[0], item });
  }
}

/** Takes a step once: what it writes is worked out before anything is written. */
function round(step: Properties, scene: Scene): void {
  if (Object.hasOwn(step, "$if") && !isTrue(evaluate(step.$if as Data, scene))) return;
  const writes: Write[] = [];
  for (const [update, fields] of Object.entries(step)) {
    if (update === "$for" || update === "$if") continue;
    if (update === "$unset") for (const path of [fields].flat() as string[]) writes.push(prepared(update, path, undefined, scene));
    else for (const [path, operand] of Object.entries(fields as Properties)) writes.push(prepared(update, path, operand, scene));
  }
  for (const write of writes) {
    apply(scene.state, write.path, write);
    // Only a write that reaches so far can have made the state so deep.
    const isDeep = DEPTH_MAX < write.path.length + 1 + depthOf(write.value ?? null);
    if (isDeep && DEPTH_MAX < depthOf(scene.state)) throw new RangeError(`the state is nested more than ${DEPTH_MAX} times`);
  }
}

function prepared(update: string, path: string, operand: Data | undefined, scene: Scene): Write {
  const { room } = scene;
  const evaluated = operand === undefined ? undefined : evaluate(operand, scene);
  const value = evaluated === undefined ? undefined : copied(evaluated, room);
  if (value === undefined && update !== "$set" && update !== "$unset") throw new TypeError(`${update} of "${path}" has no value`);
  if (update === "$inc" && typeof value !== "number") throw new TypeError(`$inc of "${path}" adds no number`);
  return { room, update: value === undefined ? "$unset" : update, path: partsOf(path, "evolve").map((part) => resolved(part, scene)), value };
}

function resolved(part: string, scene: Scene): Part {
  if (part === "[]") return { picks: () => true };
  const where = /^\[([^=]*)=\{(.*)\}\]$/s.exec(part);
  if (where !== null) {
    const [, name = "", reference = ""] = where;
    const wanted = checked(lookUp(reference, scene));
    return { picks: (element) => wanted !== undefined && kindOf(element) === "object" && Object.hasOwn(element as Properties, name) && compare((element as Properties)[name], wanted) === 0 };
  }
  if (!part.startsWith("{")) return { name: part };
  const name = nameOf(checked(lookUp(part.slice(1, -1), scene)));
  if (name === undefined) throw new TypeError(`${part} is no name`);
  return { name };
}

/** Applies a write to what is in a container, on the way that the path goes on. */
function apply(container: Data, [part, ...rest]: readonly Part[], write: Write): void {
  if (part === undefined) return;
  const removes = write.update === "$unset" || write.update === "$pull";
  if (part.picks !== undefined) {
    const { picks } = part;
    if (!Array.isArray(container)) throw new TypeError("a path through the elements of what is no array");
    if (rest.length === 0 && write.update === "$unset") container.splice(0, container.length, ...container.filter((element) => !picks(element)));
    else container.forEach((element, index) => picks(element) && reach(container, String(index), rest, write));
    return;
  }
  const { name } = part;
  const isArray = Array.isArray(container);
  if (!isArray && kindOf(container) !== "object") {
    if (removes) return;
    throw new TypeError(`no way through to "${name}"`);
  }
  if (member(container, name) !== undefined) {
    if (0 < rest.length || write.update !== "$unset") reach(container, name, rest, write);
    else if (isArray) put(container, name, null);
    else delete (container as Properties)[name];
    return;
  }
  if (removes) return;
  if (isArray && name !== String(container.length)) throw new TypeError(`there is no element "${name}"`);
  const made = make(rest, write);
  if (made !== undefined) put(container, name, made);
}

/** Goes on with what is there. */
function reach(container: Data, name: string, rest: readonly Part[], write: Write): void {
  const there = member(container, name) as Data;
  if (rest.length === 0) put(container, name, changed(there, write));
  else apply(there, rest, write);
}

/** What stands where nothing was. */
function make([first, ...rest]: readonly Part[], write: Write): Data | undefined {
  if (first === undefined) return changed(undefined, write);
  if (first.picks !== undefined) return undefined;
  const inner = make(rest, write);
  return inner === undefined ? undefined : put({}, first.name, inner);
}

function changed(old: Value, { room, update, path, value }: Write): Data {
  // Where the path leads to many places, each has a copy of its own.
  const given = path.some(({ picks }) => picks !== undefined) ? copied(value as Data, room) : (value as Data);
  switch (update) {
    case "$set":
      return given;
    case "$inc":
      if (old !== undefined && typeof old !== "number") throw new TypeError("$inc adds to what is no number");
      return finite((old ?? 0) + (given as number));
    case "$min":
      return old === undefined || compare(given, old) < 0 ? given : old;
    case "$max":
      return old === undefined || 0 < compare(given, old) ? given : old;
    default: {
      const array = old === undefined ? [] : old;
      if (!Array.isArray(array)) throw new TypeError(`${update} needs an array`);
      if (update === "$pull") return array.filter((element) => compare(element, given) !== 0);
      if (update === "$push" || !array.some((element) => compare(element, given) === 0)) array.push(given);
      return array;
    }
  }
}

function evaluate(expression: Data, scene: Scene, mode: "checked" | "unchecked" = "checked"): Value {
  if (typeof expression === "string" && expression.startsWith("$")) {
    const found = lookUp(expression.slice(1), scene);
    return mode === "checked" ? checked(found) : found;
  }
  if (Array.isArray(expression)) return expression.map((element: Data) => evaluate(element, scene) ?? null);
  if (typeof expression !== "object" || expression === null) return expression;
  const properties = expression as Properties;
  const operator = Object.keys(properties).find((key) => key.startsWith("$"));
  if (operator === "$literal") return properties.$literal;
  if (operator !== undefined) return called(operator, argumentsOf(operator, properties[operator] as Data), scene);
  const made: Properties = {};
  for (const [name, inner] of Object.entries(properties)) {
    const value = evaluate(inner, scene);
    if (value !== undefined) put(made, name, value);
  }
  return made;
}

function argumentsOf(operator: string, given: Data): readonly Data[] {
  if (operator === "$cond" && kindOf(given) === "object") return ["if", "then", "else"].map((name) => (given as Properties)[name] as Data);
  return Array.isArray(given) ? given : [given];
}

function called(operator: string, operands: readonly Data[], scene: Scene): Value {
  const value = (index: number) => evaluate(operands[index] as Data, scene);
  const order = () => compare(value(0), value(1));
  const numbers = () => operands.map((_, index) => ofType(value(index), "number", operator));
  switch (operator) {
    case "$add":
      return finite(numbers().reduce((one, other) => one + other));
    case "$subtract":
      return finite(numbers().reduce((one, other) => one - other));
    case "$multiply":
      return finite(numbers().reduce((one, other) => one * other));
    case "$concat":
      return operands.map((_, index) => ofType(value(index), "string", operator)).join("");
    case "$cond":
      return value(isTrue(value(0)) ? 1 : 2);
    case "$ifNull": {
      const last = operands.length - 1;
      for (let index = 0; index < last; index += 1) {
        const found = value(index);
        if (found !== undefined && found !== null) return found;
      }
      return value(last);
    }
    case "$eq":
      return order() === 0;
    case "$ne":
      return order() !== 0;
    case "$lt":
      return order() < 0;
    case "$lte":
      return order() <= 0;
    case "$gt":
      return 0 < order();
    case "$gte":
      return 0 <= order();
    case "$and":
      return operands.every((_, index) => isTrue(value(index)));
    case "$or":
      return operands.some((_, index) => isTrue(value(index)));
    case "$not":
      return !isTrue(value(0));
    default: {
      const array = value(0);
      if (!Array.isArray(array)) throw new TypeError("$size takes an array");
      return array.length;
    }
  }
}

function ofType(value: Value, type: "number", operator: string): number;
function ofType(value: Value, type: "string", operator: string): string;
function ofType(value: Value, type: string, operator: string): unknown {
  if (typeof value !== type) throw new TypeError(`${operator} takes what is a ${type}`);
  return value;
}

/** What a reference without its dollar sign leads to. */
function lookUp(reference: string, scene: Scene): Value {
  const [root = "", ...names] = partsOf(reference, "evolve", Infinity);
  let value: Value;
  if (root === "state") value = scene.state;
  else if (root === scene.variable) value = scene.item;
  else value = scene.event[root as "data"] as Value;
  for (const name of names) {
    const key = name.startsWith("{") ? nameOf(checked(lookUp(name.slice(1, -1), scene))) : name;
    value = key === undefined || value === undefined ? undefined : member(value, key);
  }
  return value;
}

/** A value in which each number is one that JSON can hold. */
function checked(value: Value): Value {
  if (typeof value === "number") return finite(value);
  if (typeof value === "object" && value !== null) Object.values(value as Properties).forEach(checked);
  return value;
}

function finite(number: number): number {
  if (!Number.isFinite(number)) throw new RangeError("a number is larger than JSON can hold");
  return number;
}

/** Negative where one comes first: by kind, then by value. */
function compare(one: Value, other: Value): number {
  const [kind, otherKind] = [kindOf(one), kindOf(other)];
  if (kind !== otherKind) return KINDS.indexOf(kind) - KINDS.indexOf(otherKind);
  if (kind !== "array" && kind !== "object") return one === other ? 0 : (one as number) < (other as number) ? -1 : 1;
  const [list = [], otherList = []] = [one, other].map((value) => (Array.isArray(value) ? value : sortedEntries(value as Properties)));
  for (let index = 0; index < Math.min(list.length, otherList.length); index += 1) {
    const order = compare(list[index], otherList[index]);
    if (order !== 0) return order;
  }
  return list.length - otherList.length;
}

function sortedEntries(object: Properties): Data[] {
  return Object.keys(object).sort().flatMap((name) => [name, object[name] as Data]);
}

function kindOf(value: Value): Kind {
  return value === null ? "null" : Array.isArray(value) ? "array" : (typeof value as Kind);
}

function isTrue(value: Value): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0;
}

/** The name that JavaScript makes of a value. */
function nameOf(value: Value): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function depthOf(value: Data): number {
  if (typeof value !== "object" || value === null) return 0;
  let deepest = 0;
  // There may be more of them than a call takes arguments.
  for (const inner of Object.values(value as Properties)) deepest = Math.max(deepest, depthOf(inner));
  return 1 + deepest;
}

/** A copy of a value, for which there has to be room: it could be twice as large with each event. */
function copied<Copied extends Data>(value: Copied, room: Room): Copied {
  spend(value, room);
  return structuredClone(value);
}

function spend(value: Data, room: Room): void {
  const isObject = kindOf(value) === "object";
  room.bytes -= VALUE_BYTES + (typeof value === "string" ? value.length : isObject ? OBJECT_BYTES : 0);
  if (room.bytes < 0) throw new RangeError("one event makes more than 16 MiB of values");
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value as Properties)) {
    if (isObject) room.bytes -= PROPERTY_BYTES + name.length;
    spend(inner, room);
  }
}

function member(container: Data, name: string): Value {
  if (Array.isArray(container)) return /^(0|[1-9]\d*)$/.test(name) ? (container[Number(name)] as Data) : undefined;
  return kindOf(container) === "object" && Object.hasOwn(container as Properties, name) ? (container as Properties)[name] : undefined;
}

/** Also of a name such as `__proto__`. */
function put<Container extends Data>(container: Container, name: string, value: Data): Container {
  return Object.defineProperty(container, name, { value, writable: true, enumerable: true, configurable: true });
}
