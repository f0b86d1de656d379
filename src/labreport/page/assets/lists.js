import {announce, byId, el, heading} from "./dom.js";
import {entry, experimentEntry, sign} from "./details.js";
import {hashOf} from "./route.js";
import {model, thingById} from "./store.js";

const VERDICTS = ["holds", "undecided", "fails"];

/** Return the list of all claims, with a choice by verdict. */
export function claimsList() {
  const claims = model.things.filter((thing) => thing.kind === "claim");
  if (claims.length === 0) return [heading("Claims"), el("p", { class: "muted" }, "This report makes no claims.")];
  const list = el("div", { class: "list" });
  const choose = (verdict) => {
    const chosen = claims.filter((claim) => verdict === null || claim.verdict === verdict);
    list.replaceChildren(...byDocument(chosen));
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.dataset.verdict === String(verdict)));
    announce(`${chosen.length} claims`);
  };
  const choices = [null, ...VERDICTS].map((verdict) => {
    const count = verdict === null ? claims.length : claims.filter((claim) => claim.verdict === verdict).length;
    return el("button", { type: "button", "data-verdict": String(verdict), onclick: () => choose(verdict), disabled: count === 0 },
      verdict && sign(verdict), `${verdict ?? "All"} `, el("span", { class: "count" }, String(count)));
  });
  choose(null);
  return [heading("Claims"), el("div", { class: "choices", role: "group", "aria-label": "Verdict" }, choices), list];
}

/** Return claims as entries, those of each notebook under its name. */
function byDocument(claims) {
  const documents = [...new Set(claims.map((claim) => claim.document))];
  return documents.flatMap((name) => {
    const own = claims.filter((claim) => claim.document === name);
    return [name !== "report" && el("h3", {}, `${name} (${own.length})`), ...own.map(entry)].filter(Boolean);
  });
}

/** Return the list of what changed since the report before. */
export function changesList() {
  const { changes } = model;
  if (changes === null) return [heading("Changes"), el("p", { class: "muted" }, "There was no report before this one to compare it with.")];
  const sections = new Map();
  for (const change of changes.entries) {
    sections.set(change.section, [...(sections.get(change.section) ?? []), change]);
  }
  return [
    heading("Changes"),
    el("p", { class: "lead" }, changes.summary),
    el("p", { class: "muted" }, `Against ${changes.against}`),
    ...[...sections].map(([title, entries]) => el("section", {},
      el("h3", {}, `${title} (${entries.length})`), entries.map(changeEntry))),
  ];
}

function changeEntry(change) {
  const thing = thingById.get(change.thing);
  const content = [
    el("span", { class: "what" }, change.title),
    (change.old || change.new) && el("span", { class: "change" },
      el("del", {}, change.old ?? ""), el("span", { "aria-hidden": "true" }, " → "), el("ins", {}, change.new ?? "")),
    change.note && el("span", { class: "muted" }, change.note),
  ];
  return thing ? el("a", { class: "entry stacked", href: `#${thing.id}` }, content) : el("div", { class: "entry stacked" }, content);
}

/** Return the report's outline, the questions that it answers, and what this page is made with. */
export function contentsList() {
  const answers = model.things.filter((thing) => thing.kind === "answer" && thing.at.length > 0);
  return [
    heading("Contents"),
    el("nav", { "aria-label": "Sections" }, model.outline.map(({ title, level, page, y }) =>
      el("a", { class: "entry section", style: `--level:${level}`, href: hashOf({ page, y }) },
        el("span", { class: "what" }, title), el("span", { class: "where" }, String(page))))),
    answers.length > 0 && el("section", {}, el("h3", {}, "Answers"), answers.map(entry)),
    el("section", {}, el("h3", {}, "Experiments"), Object.keys(model.experiments).map(experimentEntry)),
    el("section", {}, el("h3", {}, "About this page"),
      el("p", { class: "muted" }, "It holds all that it shows and asks nothing of the network. Plots are drawn by Apache ECharts."),
      el("details", {}, el("summary", {}, "Licences"), el("pre", { class: "licences" }, byId("lr-licences").textContent))),
  ].filter(Boolean);
}
