import {abridged, copyButton, el, prose, short} from "./dom.js";
import {dataTable} from "./datatable.js";
import {numeral} from "./explore_data.js";
import {hashOf} from "./route.js";
import {listings, source, sourceOf} from "./source.js";
import {around, captionParts, clipped, experimentsOf, kindOf, model, nameOf, thingById, thingsByExperiment, thingsByKey, titleOf, verdictIn, whereOf} from "./store.js";
import {strip} from "./strip.js";

const SHOWN = 6;
const HEADLINE = 120;
const TOLD_BY_SAMPLE = new Set(["n", "mean", "std", "median", "min", "max"]);
const OF_KIND = {
  value: valueSections, claim: claimSections, figure: figureSections,
  excerpt: excerptSections, table: tableSections, answer: answerSections,
};

/** Return all that is known of a thing, from what a reader asks first to what they ask last. */
export function detailsOf(thing) {
  return [
    el("p", { class: "kicker" }, kindOf(thing), " · ", el("a", { href: `#${thing.id}` }, whereOf(thing))),
    trail(thing),
    ...OF_KIND[thing.kind](thing),
    section("Written in", el("p", {}, el("code", {}, `${thing.template}:${thing.line}`)),
      thing.expression && el("pre", { class: "expression" }, thing.expression)),
  ].filter(Boolean);
}

/** Return what an experiment is, and what of it the report shows. */
export function experimentDetails(name) {
  const things = thingsByExperiment.get(name) ?? [];
  return [
    el("p", { class: "kicker" }, "Experiment"),
    el("h2", { class: "name" }, name),
    ...experimentFacts(name),
    code("Code", model.experiments[name].code),
    section("In the report", things.filter((thing) => thing.kind !== "value").map(entry),
      el("p", { class: "muted" }, `${things.filter((thing) => thing.kind === "value").length} printed values`)),
  ].filter(Boolean);
}

/** Return a function's source, and the experiments that it is part of. */
export function codeDetails(key) {
  const users = Object.entries(model.experiments).filter(([, { code: keys, draw_code: drawn = [] }]) =>
    keys.includes(key) || drawn.includes(key));
  return [
    el("p", { class: "kicker" }, "Code"),
    el("h2", { class: "name" }, model.code[key].name),
    sourceOf(model.code[key]),
    section("Runs in", users.map(([name]) => experimentEntry(name))),
  ].filter(Boolean);
}

/** Return a thing as an entry of a list: where it leads, where it stands, what it says. */
export function entry(thing) {
  return el("a", { class: `entry ${thing.kind}`, href: `#${thing.id}` },
    el("span", { class: "what" }, thing.kind === "claim" && sign(thing.verdict, thing.said), nameOf(thing)),
    el("span", { class: "where" }, whereOf(thing)));
}

/** Return an experiment as an entry of a list: its name, and what it asks. */
export function experimentEntry(name) {
  return el("a", { class: "entry stacked", href: hashOf({ experiment: name }) },
    el("span", { class: "what" }, name), el("span", { class: "muted" }, prose(clipped(model.experiments[name].question, 160))));
}

const VERDICT_SIGNS = { holds: "✓", undecided: "?", fails: "✗" };

/** Return the sign of a verdict, which differs by its form; its colour warns unless the sentence has `said` it. */
export function sign(verdict, said = false) {
  return el("span", { class: `sign ${verdict}${said ? " said" : ""}`, role: "img", "aria-label": verdictIn(verdict, said) }, VERDICT_SIGNS[verdict]);
}

function trail(thing) {
  const outer = around(thing);
  return outer.length > 0 && el("nav", { class: "trail", "aria-label": "Stands in" },
    outer.map((other) => el("a", { href: `#${other.id}` },
      `${other.kind === "answer" ? "Answer" : kindOf(other)}${other.kind === "answer" ? ` ${other.question}` : ""}`)));
}

function section(title, ...children) {
  const found = children.flat().filter(Boolean);
  return found.length > 0 && el("section", {}, el("h3", {}, title), found);
}

/** Return facts as a list of terms and what is said of them; a fact without content is left out. */
function facts(pairs) {
  const told = pairs.filter(([, content]) => content !== null && content !== undefined && content !== false);
  return told.length > 0 && el("dl", {}, told.map(([term, content]) => [el("dt", {}, term), el("dd", {}, content)]));
}

function valueSections(thing) {
  const [value, others] = [thing.value, alsoPrinted(thing)];
  const full = typeof value === "number" || typeof value === "boolean" ? String(value) : null;
  const claims = claimsOf(thing);
  return [
    el("h2", { class: "big" }, clipped(thing.text, HEADLINE)),
    thing.text.length > HEADLINE && el("pre", { class: "expression long", tabindex: 0, role: "region", "aria-label": "Text" }, thing.text),
    facts([
      ["Row", thing.row],
      ["Column", thing.column],
      ["Computed", full !== null && full !== thing.text && el("span", { class: "copyable" },
        el("code", { class: "full" }, full), copyButton(full, "the value"))],
    ]),
    thing.keys.length === 0 && section("No key", el("p", {}, "It comes from no result: the template computes it from a constant, or has it as one.")),
    section(thing.keys.length === 1 ? "Key" : "Keys", abridged(thing.keys.map((key) => keyOf(key, thing)), SHOWN, "keys")),
    ...origin(thing),
    section(`Printed also (${others.length})`, abridged(others.map(entry), SHOWN, "places")),
    section("Claims on it", abridged(claims.map(entry), SHOWN, "claims")),
  ];
}

function alsoPrinted(thing) {
  const others = new Set(thing.keys.length === 1 ? thingsByKey.get(thing.keys[0]) : []);
  others.delete(thing);
  return [...others];
}

function claimsOf(thing) {
  const keys = new Set(thing.keys);
  return model.things.filter((other) => other.kind === "claim"
    && (thing.claims.includes(other.id) || other.keys.some((key) => keys.has(key))));
}

function keyOf(key, thing) {
  const known = model.keys[key];
  const mark = typeof thing.value === "number" ? thing.value : known?.value ?? null;
  const samples = (known?.samples ?? []).map((at) => sampleOf(model.samples[at], mark));
  const spread = Object.entries(known?.spread ?? {}).filter(([name]) => samples.length === 0 || !TOLD_BY_SAMPLE.has(name))
    .map(([name, value]) => `${name} ${short(value)}`).join(" · ");
  // as the result has it, where what is printed is computed from it, or from several
  const value = known?.value !== thing.value && typeof known?.value === "number" && el("span", { class: "muted" }, `= ${numeral(known.value)}`);
  return el("div", { class: "key" },
    el("span", { class: "copyable" }, el("code", {}, ...breakable(key)), value, copyButton(key, "the key")),
    spread && el("p", { class: "muted" }, spread), samples);
}

/** Return a dotted name that may break after its dots. */
function breakable(key) {
  return key.split(/(?<=[.:/])/).flatMap((part) => [part, el("wbr")]);
}

function sampleOf(sample, mark) {
  const shown = sample.values.length;
  return el("div", { class: "sample" },
    strip(sample, mark),
    el("p", { class: "muted" }, `The sample is ${pointOf(sample)}`, " in ", el("code", {}, ...breakable(sample.table)),
      shown < sample.n && `; ${shown} of ${sample.n} points are shown`));
}

/** Return what a point of a sample is, in words; of a difference, from what to what. */
function pointOf({ column, where, minus }) {
  const conditions = Object.entries(where).map((pair) => pair.join(" = ")).join(", ");
  const one = conditions ? `${column} where ${conditions}` : column;
  if (!minus) return one;
  const isSamePlace = JSON.stringify(minus.where) === JSON.stringify(where);
  return isSamePlace ? `${column} minus ${pointOf(minus)}` : `${one}, minus ${pointOf(minus)}`;
}

/** Return the experiments that a thing comes from, each with its code. */
function origin(thing) {
  return experimentsOf(thing).flatMap((name) => [
    section("Experiment", el("p", { class: "lead" }, experimentLink(name)), experimentFacts(name)),
    code("Code", nearest(model.experiments[name].code, thing.keys ?? [])),
  ]);
}

/** Return functions, those before others that name what a key ends in: they make it, or are next to that. */
function nearest(codes, keys) {
  const names = new Set(keys.map((key) => key.split(".").at(-1).replace(/\[\d+\]$/, "")));
  const isNear = (key) => model.code[key]?.lines.flat().some(([, text]) => text.match(/\w+/g)?.some((word) => names.has(word)));
  return [...codes.filter(isNear), ...codes.filter((key) => !isNear(key))];
}

function experimentLink(name) {
  return el("a", { href: hashOf({ experiment: name }) }, name);
}

function experimentFacts(name) {
  const found = model.experiments[name];
  const rerun = el("span", { class: "copyable" }, el("code", {}, found.rerun), copyButton(found.rerun, "the command"));
  const result = found.result && [el("code", {}, ...breakable(found.result)), found.digest && el("span", { class: "muted" }, ` sha256 ${found.digest}…`)];
  return [
    el("p", { class: "question" }, prose(found.question)),
    facts([
      ["File", el("code", {}, ...breakable(found.file))],
      ["Run again", rerun],
      ["Result", result],
      ["Reads", manyAs(found.read, "files and variables")],
      ["Results of", found.results?.length > 0 && spaced(found.results.map(experimentLink))],
      ["Used by", found.needed_by?.length > 0 && spaced(found.needed_by.map(experimentLink))],
      ["Versions", manyAs(Object.entries(found.versions ?? {}).map((pair) => pair.join(" ")), "packages")],
    ]),
    parameters(found.parameters),
  ];
}

/** Return texts beside each other, or behind a summary where they are many. */
function manyAs(texts, what) {
  if (!texts?.length) return null;
  const told = texts.join(", ");
  return texts.length < 4 ? told : el("details", {}, el("summary", {}, `${texts.length} ${what}`), told);
}

const spaced = (elements) => elements.flatMap((element) => [element, " "]);

/** Return the parameters as a table, those that are not at their defaults first. */
function parameters(found) {
  if (found.length === 0) return null;
  const sorted = [...found].sort((a, b) => a.is_default - b.is_default);
  const changed = found.filter((parameter) => !parameter.is_default).length;
  return el("details", { class: "parameters", open: changed > 0 },
    el("summary", {}, `${found.length} parameters`, changed > 0 && `, ${changed} not at the default`),
    el("table", {}, el("tbody", {}, sorted.map((parameter) => el("tr", { class: !parameter.is_default && "changed" },
      el("th", { scope: "row" }, parameter.name),
      el("td", {}, el("code", {}, plain(parameter.value)),
        !parameter.is_default && el("span", { class: "muted" }, ` default ${plain(parameter.default)}`)))))));
}

const plain = (value) => typeof value === "string" ? value : JSON.stringify(value);

function code(title, keys) {
  return section(title, abridged(listings(keys, model.code), SHOWN, "functions"));
}

function claimSections(thing) {
  const values = thing.values.map((id) => thingById.get(id)).filter(Boolean);
  const family = model.things.filter((other) => other.kind === "claim" && thing.family && other.family === thing.family && other !== thing);
  return [
    el("h2", { class: `verdict ${thing.verdict}${thing.said ? " said" : ""}` }, sign(thing.verdict, thing.said), thing.verdict,
      thing.said && thing.verdict !== "holds" && el("small", {}, ", as the sentence says")),
    el("blockquote", {}, thing.sentence),
    facts([["Name", el("code", {}, thing.name)], ["Family", thing.family]]),
    section("Predicate", el("pre", { class: "expression" }, thing.predicate)),
    section("Evidence", el("ul", { class: "evidence" }, thing.evidence.map((found) =>
      el("li", {}, found.verdict && sign(found.verdict, thing.said), el("span", {}, found.states ?? found.predicate))))),
    section("Values in the sentence", abridged(values.map(entry), SHOWN, "values")),
    section("Keys", abridged(thing.keys.map((key) => keyOf(key, {})), SHOWN, "keys")),
    section("Of the same family", abridged(family.map(entry), SHOWN, "claims")),
    ...origin(thing),
  ];
}

function figureSections(thing) {
  const data = thing.data && model.data[thing.data];
  return [
    ...captionOf(thing, thing.key),
    thing.explore && data && el("p", {}, el("a", { class: "primary", href: hashOf({ explore: thing.id }) }, "Explore the data")),
    section("What it shows", el("p", {}, thing.alt)),
    section("Key", keyOf(thing.key, {})),
    data && section("Data", dataTable(thing.data, data)),
    section("Drawn by", abridged(listings(thing.code ?? [], model.code), SHOWN, "functions")),
    ...origin(thing),
  ];
}

/** Return a figure's or a table's number, or else a name, as the heading of its caption. */
function captionOf(thing, name) {
  const [label, said] = captionParts(titleOf(thing));
  return [el("h2", { class: "name" }, label || name), said && el("p", { class: "caption" }, said)];
}

function excerptSections(thing) {
  const known = model.code[thing.code];
  return [
    el("h2", { class: "name" }, thing.name),
    thing.since && el("p", { class: "muted" }, `The difference from ${thing.since}`),
    section("Source", known ? sourceOf(known) : source(thing.lines ?? [], thing.first)),
    facts([["File", el("code", {}, `${thing.source}, lines ${thing.first}–${thing.last}`)]]),
    runsIn(thing.code),
  ];
}

function runsIn(key) {
  const users = Object.keys(model.experiments).filter((name) => model.experiments[name].code.includes(key));
  return section("Runs in", users.map(experimentEntry));
}

function tableSections(thing) {
  const values = thing.values.map((id) => thingById.get(id)).filter(Boolean);
  return [
    ...captionOf(thing, `A table of ${thing.values.length} values`),
    section("Rows from", abridged(thing.keys.map((key) => keyOf(key, {})), SHOWN, "keys")),
    section("Values", grid(thing.heads ?? [], values)),
    ...origin(thing),
  ];
}

/** Return values as the table that they are printed in, if its columns are known, else one below the other. */
function grid(heads, values) {
  if (heads.length === 0 || values.length % heads.length !== 0) return abridged(values.map(entry), 12, "values");
  const rows = Array.from({ length: values.length / heads.length }, (_, at) =>
    values.slice(at * heads.length, (at + 1) * heads.length));
  const cell = (value) => el("td", {}, el("a", { href: `#${value.id}` }, value.text));
  return el("div", { class: "data" }, el("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": "Values of the table" },
    el("table", {}, el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell)))))));
}

function answerSections(thing) {
  const inside = model.things.filter((other) => around(other).includes(thing));
  const of = (kind) => inside.filter((other) => other.kind === kind);
  const pages = [...new Set(thing.at.map((box) => box[0]))];
  return [
    el("h2", { class: "name" }, `Answer to ${thing.question}`),
    facts([["Pages", pages.length > 0 && spaced(pages.map((page) => el("a", { href: hashOf({ page }) }, String(page))))],
      ["Notebooks", thing.cells?.length > 0 && thing.cells.map(cellOf).join(", ")]]),
    section("Claims", abridged(of("claim").map(entry), SHOWN, "claims")),
    section("Figures", of("figure").map(entry)),
    section("Tables", abridged(of("table").map(entry), SHOWN, "tables")),
    section("Code shown", of("excerpt").map(entry)),
    section("Values", abridged(of("value").map(entry), SHOWN, "values")),
    section("Experiments", spaced((thing.experiments ?? []).map(experimentLink))),
    code("Code", thing.code ?? []),
  ];
}

const cellOf = ([notebook, cell]) => `${notebook}, cell ${cell}`;
