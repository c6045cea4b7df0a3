// The language of docs/reducers.md, interpreted as plainly as JavaScript allows: the oracle of the reducer in the core, with which it shares
// no code. It walks the document for every event and knows no bound but that of nesting.

const DEPTH_MAX = 64;
const UPDATES = ["$set", "$unset", "$inc", "$min", "$max", "$push", "$pull", "$addToSet"];
const ROOTS = ["data", "metadata", "state", "type", "stream", "time", "revision", "position"];
const ARGUMENTS = {
  $add: [1, Infinity], $subtract: [2, 2], $multiply: [1, Infinity], $concat: [1, Infinity], $cond: [3, 3], $ifNull: [2, Infinity],
  $eq: [2, 2], $ne: [2, 2], $lt: [2, 2], $lte: [2, 2], $gt: [2, 2], $gte: [2, 2],
  $and: [0, Infinity], $or: [0, Infinity], $not: [1, 1], $size: [1, 1],
};

/** A document that is none. */
export class Refused extends Error {
  code = "INVALID_ARGUMENT";
  constructor(path, problem) {
    super(`${path}: ${problem}`);
    this.path = path;
  }
}

/** An event that cannot be folded. */
export class Failed extends Error {
  code = "REDUCER_FAILED";
}

/** Checks a document and gives its reducer: `fold(events)` is the state after them, from the beginning. */
export function interpret(evolve, initial) {
  if (kind(initial) !== "object") throw new Refused("initial", "no object");
  checkDocument(evolve);
  return {
    fold(events) {
      const state = copy(initial);
      for (const event of events) evolveOne(evolve, state, event);
      return state;
    },
  };
}

function evolveOne(evolve, state, event) {
  const type = has(evolve, event.type) ? event.type : "*";
  if (!has(evolve, type)) return;
  for (const step of [evolve[type]].flat()) {
    const scene = { event: { metadata: {}, ...event }, state };
    if (!has(step, "$for")) {
      round(step, scene);
      continue;
    }
    const [[variable, source]] = Object.entries(step.$for);
    const array = typeof source === "string" ? lookUp(source.slice(1), scene) : evaluate(source, scene);
    if (kind(array) !== "array") throw new Failed("$for goes through an array");
    for (const item of copy(array)) round(step, { ...scene, variable, item });
  }
}

function round(step, scene) {
  if (has(step, "$if") && !isTrue(evaluate(step.$if, scene))) return;
  const writes = Object.entries(step).filter(([name]) => UPDATES.includes(name)).flatMap(([update, fields]) =>
    update === "$unset" ? [fields].flat().map((path) => ({ update, path })) : Object.entries(fields).map(([path, operand]) => ({ update, path, operand })));
  const prepared = writes.map((write) => prepare(write, scene));
  for (const write of prepared) {
    apply(scene.state, write.path, write);
    if (depth(scene.state) > DEPTH_MAX) throw new Failed("too deep");
  }
}

function prepare({ update, path, operand }, scene) {
  const value = operand === undefined ? undefined : copy(evaluate(operand, scene));
  if (value === undefined && !["$set", "$unset"].includes(update)) throw new Failed("a missing value");
  if (update === "$inc" && typeof value !== "number") throw new Failed("$inc adds numbers");
  return { update: value === undefined ? "$unset" : update, path: parts(path).map((part) => segment(part, scene)), value };
}

function segment(part, scene) {
  if (part === "[]") return { picks: () => true };
  const where = /^\[([^=]*)=\{(.*)\}\]$/s.exec(part);
  if (where) {
    const wanted = checked(lookUp(where[2], scene));
    return { picks: (element) => kind(element) === "object" && wanted !== undefined && has(element, where[1]) && compare(element[where[1]], wanted) === 0 };
  }
  if (!part.startsWith("{")) return { name: part };
  const name = nameOf(checked(lookUp(part.slice(1, -1), scene)));
  if (name === undefined) throw new Failed("no name");
  return { name };
}

function nameOf(value) {
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** Applies a write to what is inside of `container`, on the way that `path` goes on. */
function apply(container, path, write) {
  const [{ name, picks }, ...rest] = path;
  const removes = write.update === "$unset" || write.update === "$pull";
  if (picks) {
    if (kind(container) !== "array") throw new Failed("no array");
    if (rest.length === 0 && write.update === "$unset") {
      const kept = container.filter((element) => !picks(element));
      container.splice(0, container.length, ...kept);
      return;
    }
    container.forEach((element, index) => picks(element) && reach(container, String(index), rest, write));
    return;
  }
  if (kind(container) !== "array" && kind(container) !== "object") {
    if (removes) return;
    throw new Failed("no way through");
  }
  if (rest.length === 0 && write.update === "$unset") {
    if (member(container, name) === undefined) return;
    if (kind(container) === "array") container[name] = null;
    else delete container[name];
    return;
  }
  if (member(container, name) !== undefined) return reach(container, name, rest, write);
  if (removes) return;
  if (kind(container) === "array" && name !== String(container.length)) throw new Failed("no such element");
  const made = make(rest, write);
  if (made !== undefined) put(container, name, made);
}

/** Goes on with what is there. */
function reach(container, name, rest, write) {
  if (rest.length === 0) put(container, name, change(member(container, name), write));
  else apply(member(container, name), rest, write);
}

/** What stands where nothing was. */
function make([first, ...rest], write) {
  if (first === undefined) return change(undefined, write);
  if (first.picks) return undefined;
  const inner = make(rest, write);
  return inner === undefined ? undefined : put({}, first.name, inner);
}

function change(old, { update, value }) {
  const given = copy(value);
  switch (update) {
    case "$set":
      return given;
    case "$inc":
      if (old !== undefined && typeof old !== "number") throw new Failed("$inc adds to numbers");
      return finite(old === undefined ? given : old + given);
    case "$min":
      return old === undefined || compare(given, old) < 0 ? given : old;
    case "$max":
      return old === undefined || compare(given, old) > 0 ? given : old;
    default: {
      const array = old === undefined ? [] : old;
      if (kind(array) !== "array") throw new Failed(`${update} needs an array`);
      if (update === "$pull") return array.filter((element) => compare(element, given) !== 0);
      return update === "$addToSet" && array.some((element) => compare(element, given) === 0) ? array : [...array, given];
    }
  }
}

function evaluate(expression, scene) {
  if (typeof expression === "string") return expression.startsWith("$") ? checked(lookUp(expression.slice(1), scene)) : expression;
  if (kind(expression) === "array") return expression.map((element) => evaluate(element, scene) ?? null);
  if (kind(expression) !== "object") return expression;
  const [name] = Object.keys(expression).filter((key) => key.startsWith("$"));
  if (name === "$literal") return expression.$literal;
  if (name !== undefined) return call(name, argumentsOf(name, expression[name]), scene);
  const made = {};
  for (const [key, inner] of Object.entries(expression)) {
    const value = evaluate(inner, scene);
    if (value !== undefined) put(made, key, value);
  }
  return made;
}

function argumentsOf(name, given) {
  if (name === "$cond" && kind(given) === "object") return [given.if, given.then, given.else];
  return Array.isArray(given) ? given : [given];
}

function call(name, args, scene) {
  const value = (index) => evaluate(args[index], scene);
  const order = () => compare(value(0), value(1));
  const all = (type) => args.map((_, index) => value(index)).map((it) => {
    if (typeof it !== type) throw new Failed(`${name} takes a ${type}`);
    return it;
  });
  switch (name) {
    case "$add":
      return finite(all("number").reduce((one, other) => one + other));
    case "$subtract":
      return finite(all("number").reduce((one, other) => one - other));
    case "$multiply":
      return finite(all("number").reduce((one, other) => one * other));
    case "$concat":
      return all("string").join("");
    case "$cond":
      return isTrue(value(0)) ? value(1) : value(2);
    case "$ifNull": {
      let last;
      for (const index of args.keys()) if ((last = value(index)) !== undefined && last !== null) break;
      return last;
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
      return order() > 0;
    case "$gte":
      return order() >= 0;
    case "$and":
      return args.every((_, index) => isTrue(value(index)));
    case "$or":
      return args.some((_, index) => isTrue(value(index)));
    case "$not":
      return !isTrue(value(0));
    default: {
      const array = value(0);
      if (kind(array) !== "array") throw new Failed("$size takes an array");
      return array.length;
    }
  }
}

/** What a reference without its dollar sign leads to. */
function lookUp(reference, scene) {
  const [root, ...names] = parts(reference);
  let value = root === "state" ? scene.state : root === scene.variable ? scene.item : scene.event[root];
  for (const name of names) {
    const key = name.startsWith("{") ? nameOf(checked(lookUp(name.slice(1, -1), scene))) : name;
    value = key === undefined ? undefined : member(value, key);
  }
  return value;
}

/** A value in which each number is one that JSON can hold. */
function checked(value) {
  if (holdsInfinity(value)) throw new Failed("a number too large");
  return value;
}

function finite(number) {
  if (!Number.isFinite(number)) throw new Failed("a result too large");
  return number;
}

/** Negative where `one` comes first: by kind, then by value. */
function compare(one, other) {
  const kinds = ["undefined", "null", "number", "string", "object", "array", "boolean"];
  const byKind = kinds.indexOf(kind(one)) - kinds.indexOf(kind(other));
  if (byKind !== 0) return byKind;
  if (kind(one) === "array" || kind(one) === "object") {
    const lists = [one, other].map((it) => (Array.isArray(it) ? it : Object.keys(it).sort().flatMap((name) => [name, it[name]])));
    for (let index = 0; index < Math.min(lists[0].length, lists[1].length); index += 1) {
      const inner = compare(lists[0][index], lists[1][index]);
      if (inner !== 0) return inner;
    }
    return lists[0].length - lists[1].length;
  }
  return one === other ? 0 : one < other ? -1 : one > other ? 1 : 0;
}

const holdsInfinity = (it) => (typeof it === "object" && it !== null ? Object.values(it).some(holdsInfinity) : typeof it === "number" && !Number.isFinite(it));
const isTrue = (value) => ![undefined, null, false, 0].includes(value);
const kind = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);
const has = (object, name) => Object.hasOwn(object, name);
const copy = (value) => structuredClone(value);
const depth = (value) => (typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0);

function member(container, name) {
  if (kind(container) === "array") return /^(0|[1-9]\d*)$/.test(name) ? container[name] : undefined;
  return kind(container) === "object" && has(container, name) ? container[name] : undefined;
}

function put(object, name, value) {
  return Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** What stands between the dots of a path, of which those in brackets are none. */
function parts(path) {
  const found = [""];
  let level = 0;
  for (const character of path.split("")) {
    if ("{[".includes(character)) level += 1;
    if ("}]".includes(character)) level -= 1;
    if (character === "." && level <= 0) found.push("");
    else found[found.length - 1] += character;
  }
  return found;
}

// The check of a document.

const at = (path, name) => (/^[\w$]+$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`);

function checkDocument(evolve) {
  if (kind(evolve) !== "object" || holdsInfinity(evolve)) throw new Refused("evolve", "no object of JSON");
  for (const [type, steps] of Object.entries(evolve)) {
    const path = at("evolve", type);
    if (type.startsWith("$")) throw new Refused(path, "a fact");
    if (kind(steps) === "array") steps.forEach((step, index) => checkStep(step, `${path}[${index}]`));
    else checkStep(steps, path);
  }
}

function checkStep(step, path) {
  if (kind(step) !== "object") throw new Refused(path, "no step");
  let variable;
  if (has(step, "$for")) {
    const entries = kind(step.$for) === "object" ? Object.entries(step.$for) : [];
    if (entries.length !== 1 || !/^\w+$/.test(entries[0][0]) || ROOTS.includes(entries[0][0])) throw new Refused(`${path}.$for`, "no variable");
    checkExpression(entries[0][1], `${path}.$for.${entries[0][0]}`);
    [[variable]] = entries;
  }
  if (has(step, "$if")) checkExpression(step.$if, `${path}.$if`, variable);
  const written = [];
  for (const [name, fields] of Object.entries(step)) {
    if (name === "$for" || name === "$if") continue;
    if (!UPDATES.includes(name)) throw new Refused(path, `has ${name}`);
    const place = at(path, name);
    if (name === "$unset") {
      const list = typeof fields === "string" ? [[fields, place]] : Array.isArray(fields) ? fields.map((field, index) => [field, `${place}[${index}]`]) : undefined;
      if (list === undefined) throw new Refused(place, "no path");
      for (const [field, inner] of list) {
        if (typeof field !== "string") throw new Refused(inner, "no path");
        checkWrite(field, inner, variable, written);
      }
      continue;
    }
    if (kind(fields) !== "object") throw new Refused(place, "no fields");
    for (const [field, value] of Object.entries(fields)) {
      const inner = at(place, field);
      checkWrite(field, inner, variable, written);
      checkExpression(value, inner, variable);
    }
  }
}

function checkWrite(path, place, variable, written) {
  const own = parts(path);
  for (const other of written) {
    if (own.slice(0, other.length).join(".") === other.slice(0, own.length).join(".")) throw new Refused(place, "a conflict");
  }
  written.push(own);
  for (const part of own) {
    const reference = /^\{(.*)\}$/s.exec(part)?.[1] ?? /^\[[^$={}[\]][^={}[\]]*=\{(.*)\}\]$/s.exec(part)?.[1];
    if (reference !== undefined) checkReference(reference, place, variable, "inside");
    else if (part !== "[]" && !isName(part)) throw new Refused(place, "no name");
  }
}

function checkReference(reference, place, variable, where) {
  if (where === "inside" && reference.includes("{")) throw new Refused(place, "braces in braces");
  const [root, ...names] = parts(reference);
  for (const name of names) {
    const inner = /^\{(.*)\}$/s.exec(name)?.[1];
    if (inner !== undefined) checkReference(inner, place, variable, "inside");
    else if (!isName(name)) throw new Refused(place, "no name");
  }
  if (root !== variable && !ROOTS.includes(root)) throw new Refused(place, "no root");
  if (names.length > 0 && ROOTS.indexOf(root) >= 3) throw new Refused(place, "no fields");
}

const isName = (part) => part !== "" && !/[{}[\]]|^\$/.test(part);

function checkExpression(expression, place, variable) {
  if (typeof expression === "string" && expression.startsWith("$")) checkReference(expression.slice(1), place, variable);
  if (kind(expression) === "array") expression.forEach((element, index) => checkExpression(element, `${place}[${index}]`, variable));
  if (kind(expression) !== "object") return;
  const keys = Object.keys(expression);
  const name = keys.find((key) => key.startsWith("$"));
  if (name === undefined) return keys.forEach((key) => checkExpression(expression[key], at(place, key), variable));
  if (keys.length > 1) throw new Refused(place, `${name} and more`);
  if (name === "$literal") return;
  if (!has(ARGUMENTS, name)) throw new Refused(place, `has ${name}`);
  const inner = at(place, name);
  const given = expression[name];
  if (name === "$cond" && kind(given) === "object") {
    for (const key of ["if", "then", "else"]) {
      if (!has(given, key) || Object.keys(given).length !== 3) throw new Refused(at(inner, key), "not if, then, else");
      checkExpression(given[key], at(inner, key), variable);
    }
    return;
  }
  const args = argumentsOf(name, given);
  args.forEach((argument, index) => checkExpression(argument, Array.isArray(given) ? `${inner}[${index}]` : inner, variable));
  if (args.length < ARGUMENTS[name][0] || args.length > ARGUMENTS[name][1]) throw new Refused(inner, "a wrong number of arguments");
}
