/** What the page tells from; all other modules read it here. */
export let model = null;

/** Things of the report by their id, and by page, in order of the text. */
export const thingById = new Map();
export const thingsByPage = new Map();

/** Values by key, and claims and other things by the experiment that they come from. */
export const thingsByKey = new Map();
export const thingsByExperiment = new Map();

/** Take a model, and index it; its samples, code and data may come later. */
export function setModel(taken) {
  model = { samples: [], code: {}, data: {}, ...taken };
  for (const named of [model.keys, model.experiments, model.code, model.data]) ownOnly(named);
  for (const index of [thingById, thingsByPage, thingsByKey, thingsByExperiment]) index.clear();
  for (const thing of model.things) {
    thingById.set(thing.id, thing);
    for (const page of new Set(thing.at.map((box) => box[0]))) filed(thingsByPage, page, thing);
    if (thing.kind === "value") for (const key of thing.keys) filed(thingsByKey, key, thing);
    for (const name of experimentsOf(thing)) filed(thingsByExperiment, name, thing);
  }
}

/** Take what of a model may come after its first page is shown, which is most of it. */
export function takeRest({ samples, code, data }) {
  Object.assign(model, { samples, code: ownOnly(code), data: ownOnly(data) });
}

/** Let an object hold what it is made of alone: people name experiments and code, and "constructor" is in any other. */
function ownOnly(named) {
  return Object.setPrototypeOf(named, null);
}

function filed(index, key, thing) {
  if (index.has(key)) index.get(key).push(thing);
  else index.set(key, [thing]);
}

/** Return the names of the experiments that a thing comes from. */
export function experimentsOf(thing) {
  if (thing.experiments) return thing.experiments;
  if (thing.experiment) return [thing.experiment];
  const named = (thing.keys ?? []).map((key) => model.keys[key]?.experiment);
  return [...new Set(named)].filter((name) => Object.hasOwn(model.experiments, name));
}

/** Return the things that a thing lies in, the outermost first. */
export function around(thing) {
  const claims = thing.kind === "value" ? thing.claims.map((id) => thingById.get(id)) : [];
  const table = thing.table ? [thingById.get(thing.table)] : [];
  return [...answersAround(thing), ...table, ...claims].filter(Boolean);
}

function answersAround(thing) {
  const first = thing.at[0];
  if (thing.kind === "answer" || first === undefined) return [];
  return (thingsByPage.get(first[0]) ?? []).filter(
    (other) => other.kind === "answer" && other.at.some((box) => box[0] === first[0] && holdsY(box, first)),
  );
}

const holdsY = (box, inner) => box[2] - 1 <= inner[2] && inner[2] < box[2] + box[4];

/** Return what tells a thing from others, from one build of the report to the next, in which ids change. */
export function identity(thing) {
  const mark = markOf(thing);
  const alike = model.things.filter((other) => markOf(other) === mark);
  return { mark, nth: alike.indexOf(thing) };
}

/** Return the thing of this model that had an identity in another, or null. */
export function thingLike({ mark, nth }) {
  const alike = model.things.filter((other) => markOf(other) === mark);
  return alike[Math.min(nth, alike.length - 1)] ?? null;
}

/** Return what a thing has in common with those alone that stand for the same in the same template. */
export function markOf(thing) {
  const name = thing.name ?? thing.question ?? thing.key ?? thing.keys?.join();
  return [thing.kind, thing.document, thing.template, name].join("\n");
}

const NAMES = { value: "Value", claim: "Claim", figure: "Figure", excerpt: "Code", table: "Table", answer: "Answer" };

/** Return what a thing is, in a word. */
export const kindOf = (thing) => NAMES[thing.kind];

/** Return a short name of a thing, as lists and screen readers tell it. */
export function nameOf(thing) {
  switch (thing.kind) {
    case "value": return clipped(thing.text, 90);
    case "claim": return clipped(thing.sentence, 90);
    case "figure": return clipped(titleOf(thing) || thing.alt || thing.key, 90);
    case "excerpt": return thing.name;
    case "table": return clipped(titleOf(thing), 90) || `${thing.values.length} values of ${thing.keys[0] ?? thing.expression}`;
    default: return thing.question;
  }
}

/** Return a verdict in words, which a reader may take amiss where the sentence has `said` so itself. */
export const verdictIn = (verdict, said) => (said && verdict !== "holds" ? `${verdict}, as the sentence says` : verdict);

/** Return where a thing stands, in words. */
export function whereOf(thing) {
  if (thing.cell !== null) return `${thing.document}, cell ${thing.cell}`;
  return thing.page === null ? "on no page" : `p. ${thing.page}`;
}

export function clipped(text, length) {
  return text.length <= length ? text : `${text.slice(0, length).replace(/\s+\S*$/u, "")}\u00a0…`;
}

/** Return the caption of a figure or a table; "" if it is not known. */
export const titleOf = (thing) => thing.caption ?? "";

/** Return a caption in two: its number, as "Figure 7", or "", and what it says. */
export function captionParts(caption) {
  const [, label = "", said = caption] = /^(\D{1,30}\d[\d.]*?)\s?[.:|]\s+(.*)$/su.exec(caption) ?? [];
  return [label, said];
}
