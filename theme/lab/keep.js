// Where the reader's work is: in the browser's storage, and in notebooks that are downloaded and opened.

const key = (slug, release) => `unrolled:exercise:${slug}:${release}`;
const SCRATCH = "scratch-";

// Work is { saved: date, cells: { id: text }, given: { id: the text that the reader found there },
// scratch: { id: text }, passed: [test], tries: { id: number } }
const nothing = () => ({ cells: {}, given: {}, scratch: {}, passed: [], tries: {} });

// The work on this release; else that on the newest other one, with what has become of it as `news`
export function recall({ slug, release }, given) {
  let found = [];
  try {
    found = Object.keys(localStorage)
      .filter((name) => name.startsWith(key(slug, "")))
      .map((name) => ({ ...nothing(), ...JSON.parse(localStorage.getItem(name)), name }))
      .sort((a, b) => (a.saved < b.saved ? 1 : -1));
  } catch { /* forbidden, or no work of ours */ }
  const own = found.find(({ name }) => name === key(slug, release));
  if (own) return { work: own, news: [] };
  const [old] = found;
  if (!old) return { work: nothing(), news: [] };
  const work = nothing();
  const changed = [], lost = [];
  for (const [id, text] of Object.entries(old.cells)) {
    if (!(id in given)) { lost.push(id); continue; }
    work.cells[id] = text;
    work.given[id] = given[id];
    if (old.given[id] !== given[id]) changed.push(id);
  }
  for (const [id, text] of Object.entries(old.scratch)) if (id in given) work.scratch[id] = text;
  const news = ["This exercise has a new release. Your answers were carried over; run their tests again."];
  if (changed.length) news.push(`What is given has changed in: ${changed.join(", ")}. Compare your lines with the new text.`);
  if (lost.length) news.push(`No longer asked, and still kept in this browser: ${lost.join(", ")}.`);
  return { work, news };
}

// Whether the browser keeps it
export function keep({ slug, release }, work) {
  try {
    localStorage.setItem(key(slug, release), JSON.stringify({ ...work, saved: new Date().toISOString() }));
    return true;
  } catch {
    return false;
  }
}

// How far one is, for the chapter's page
export function tell({ slug }, done) {
  try { localStorage.setItem(`unrolled:done:${slug}`, done); } catch { /* it is not shown there */ }
}

const nameOf = (cell) => cell.metadata?.nbgrader?.grade_id ?? cell.id;
const textOf = (cell) => [cell.source].flat().join("");
const linesOf = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

// The released notebook with the reader's lines in it, and nothing else changed
export function filled(notebook, { cells, scratch }) {
  const all = notebook.cells.flatMap((cell) => {
    const name = nameOf(cell), own = [];
    if (name in cells) cell.source = linesOf(cells[name]);
    if (scratch[name]?.trim()) {
      own.push({
        cell_type: "code", execution_count: null, id: SCRATCH + name, metadata: {}, outputs: [],
        source: linesOf(scratch[name]),
      });
    }
    return [cell, ...own];
  });
  return JSON.stringify({ ...notebook, cells: all }, null, 1) + "\n";
}

// What a notebook holds for this exercise: { cells, scratch, unused: sentences }; an Error says why it is none
export function read(text, { slug }, given, released) {
  let notebook;
  try {
    notebook = JSON.parse(text);
    if (!Array.isArray(notebook.cells)) throw 0;
  } catch {
    throw new Error("That file is no notebook, or it is damaged.");
  }
  const other = notebook.metadata?.unrolled?.exercise;
  if (other && other !== slug) throw new Error(`That is the notebook of the exercise ${other}; this page is ${slug}.`);
  const cells = {}, scratch = {}, unused = [];
  const known = new Set(released.cells.map(nameOf));
  for (const cell of notebook.cells) {
    const name = nameOf(cell) ?? "", source = textOf(cell);
    if (name in given) cells[name] = source;
    else if (name.startsWith(SCRATCH) && name.slice(SCRATCH.length) in given) scratch[name.slice(SCRATCH.length)] = source;
    else if (!known.has(name) && source.trim()) unused.push(`a cell of your own: “${source.trim().split("\n")[0].slice(0, 40)}”`);
    else if (cell.metadata?.nbgrader?.locked && textOf(released.cells.find((one) => nameOf(one) === name)) !== source) {
      unused.push(`${name}, which is not yours to change or has another text in this release`);
    }
  }
  if (!Object.keys(cells).length) throw new Error("That notebook holds no answer to this exercise.");
  const missing = Object.keys(given).filter((id) => !(id in cells));
  if (missing.length) unused.push(`nothing was there for ${missing.join(", ")}`);
  return { cells, scratch, unused };
}
