// Finds sections, terms and entries of the reference while one types. book.js loads this when a
// search field is first used; search.json holds what can be found, page by page.
import MiniSearch from "./minisearch.js";

const root = document.documentElement.dataset.content_root;
// what every sentence holds finds nothing; "how" and "what" would outweigh what is asked for
const EMPTY = new Set(("a an and are as at be but by can do does for from has have how i if in into is it its my of " +
  "on or that the their then there these this to use was what when where which who why will with you your").split(" "));

function stem(term) {
  const word = term.toLowerCase();
  if (EMPTY.has(word)) return null;
  return word.length > 3 ? word.replace(/(?<!s)s$/, "") : word;
}

const index = new MiniSearch({
  idField: "u",
  fields: ["t", "k", "p", "x"],
  storeFields: ["t", "p", "x"],
  processTerm: stem,
});

const ready = fetch(new URL("search.json", new URL(root, location)), { cache: "no-cache" })
  .then((answer) => answer.json())
  .then((pages) => {
    const all = Object.values(pages).flatMap((entries) => entries.map((entry, i) => ({ ...entry, p: i ? entries[0].t : "" })));
    index.addAll(all);
  });

function split(text) {
  return text.split(/[\s\p{P}$^=+<>|]+/u).map(stem).filter(Boolean);
}

const BOOST = { boost: { t: 4, k: 4, p: 2 } };

// The word nearest to one that stands nowhere, at most two letters away; of several the commonest.
function nearest(word) {
  for (const fuzzy of word.length > 4 ? [1, 2] : [1]) {
    const count = {};
    for (const { terms } of index.search(word, { fuzzy })) for (const term of terms) count[term] = (count[term] ?? 0) + 1;
    const [best] = Object.entries(count).sort(([, a], [, b]) => b - a);
    if (best) return best[0];
  }
  return null;
}

// Hits, best first, and what was looked for in place of words that stand nowhere.
export async function find(query, most = 20) {
  await ready;
  let asked = split(query);
  if (!asked.length) return { hits: [], instead: {} };
  const last = asked.length - 1;
  const prefix = (term, i) => i === last && term.length > 1; // the last word may go on
  const look = (combineWith) => index.search(asked.join(" "), { ...BOOST, prefix, combineWith });
  const instead = {};
  let hits = look("AND");
  if (!hits.length) {
    asked = asked.map((word, i) => {
      if (index.search(word, { prefix: i === last }).length) return word;
      return (instead[word] = nearest(word)) ?? word;
    });
    hits = look("AND");
    if (!hits.length) hits = look("OR");
  }
  for (const word in instead) if (!instead[word]) delete instead[word];
  // what is called exactly so comes first
  const called = ({ t }) => ` ${split(t).join(" ")}`.endsWith(` ${asked.join(" ")}`);
  hits = [...hits.filter(called), ...hits.filter((hit) => !called(hit))];
  return { hits: hits.slice(0, most), instead };
}

// The text around the first word that was found, as nodes with that word marked.
function excerpt({ x: text, match }) {
  const terms = Object.keys(match).sort((a, b) => b.length - a.length);
  const pattern = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + "\\p{L}*").join("|");
  const words = new RegExp(`(?<![\\p{L}\\p{N}])(?:${pattern})`, "giu");
  const first = text.search(words);
  const start = first < 70 ? 0 : text.indexOf(" ", first - 60) + 1;
  const end = text.length <= start + 170 ? text.length : text.lastIndexOf(" ", start + 170);
  const part = (start ? "… " : "") + text.slice(start, end) + (end < text.length ? " …" : "");
  const line = document.createElement("p");
  let at = 0;
  for (const found of part.matchAll(words)) {
    const mark = document.createElement("mark");
    mark.textContent = found[0];
    line.append(part.slice(at, found.index), mark);
    at = found.index + found[0].length;
  }
  line.append(part.slice(at));
  return line;
}

// Shows what a query finds in a box that holds a line for what is said and a list.
export async function show(query, box, most) {
  const [line, list] = box.children;
  const asked = (box.dataset.asked = query.trim());
  const answer = asked ? await find(asked, most).catch(() => null) : { hits: [], instead: {} };
  if (box.dataset.asked !== asked) return; // typed on meanwhile
  const { hits, instead } = answer ?? { hits: [], instead: {} };
  const said = Object.entries(instead).map(([word, near]) => `“${word}” stands nowhere; this is what “${near}” finds.`);
  if (!answer) said.push("What can be found could not be fetched. Is there a network?");
  else if (!hits.length) said.push(asked && `Nothing was found for “${asked}”.`);
  else said.push(hits.length === 1 ? "One place" : hits.length < most ? `${hits.length} places` : `The first ${most} places`);
  line.textContent = said.join(" ");
  list.replaceChildren(...hits.map((hit) => {
    const link = document.createElement("a");
    link.href = root + hit.id;
    link.textContent = hit.t;
    const item = document.createElement("li");
    item.append(link);
    if (hit.p) item.append(Object.assign(document.createElement("span"), { textContent: hit.p }));
    if (hit.x) item.append(excerpt(hit));
    return item;
  }));
}
