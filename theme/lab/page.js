// An exercise solved in the page: editors in place of the cells to write, verdicts below them, and the
// bar at the foot. runner.js runs the cells, keep.js keeps the work.
import { filled, keep, read, recall, tell } from "./keep.js";
import { Runner } from "./runner.js";

const HINT_AFTER = 3; // tries
const SECONDS = { given: 60, try: 60 }; // that a cell may run: what is given trains networks
const LIMIT = 10; // for all others
const bar = document.getElementById("lab-bar");
const about = JSON.parse(document.getElementById("lab-data").textContent);
const address = (name) => new URL(name, document.baseURI).href;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}
const button = (words, onclick, more) => make("button", { type: "button", onclick, ...more }, words);
const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

// ── the cells, in the page's order: given, answer, test, try, words ─────────

const cells = [...document.querySelectorAll(".lab")].map((box) => {
  const { cell: id, kind } = box.dataset;
  const code = box.querySelector(kind === "words" ? ".given" : ".highlight");
  const given = kind === "words" ? box.querySelector("script").textContent : code.querySelector("pre").textContent;
  return { id, kind, box, code, given };
});
const byId = new Map(cells.map((cell) => [cell.id, cell]));
const answers = about.answers.map(({ cell, heading, tests }) =>
  Object.assign(byId.get(cell), { heading, tests: Object.keys(tests).map((id) => Object.assign(byId.get(id), { points: tests[id] })) }));
for (const answer of answers) for (const test of answer.tests) test.answer = answer;
const editable = cells.filter(({ kind }) => kind === "answer" || kind === "words" || kind === "try");
const given = Object.fromEntries(editable.map(({ id, given }) => [id, given]));

const { work, news } = recall(about, given);
const sourceOf = ({ id, kind, given, of }) => (kind === "scratch" ? work.scratch[of.id] : work.cells[id]) ?? given;

// ── keeping ─────────────────────────────────────────────────────────────────

const notes = make("div", { class: "lab-notes", role: "status" });
function note(...sentences) {
  for (const words of sentences) notes.append(make("p", {}, words));
}

let saving, unsaved = false;
function save() {
  clearTimeout(saving);
  const was = unsaved;
  unsaved = !keep(about, work);
  if (unsaved && !was) {
    note("This browser keeps nothing of this page: its storage is full, or forbidden. Download the notebook before you leave.");
  }
  kept.textContent = unsaved ? "Not kept: download the notebook before you leave." : `Kept in this browser at ${new Date().toLocaleTimeString([], { timeStyle: "short" })}.`;
}
addEventListener("pagehide", () => saving && save());
addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
addEventListener("storage", function elsewhere({ key }) {
  if (!key?.startsWith(`unrolled:exercise:${about.slug}:`)) return;
  removeEventListener("storage", elsewhere);
  note("This exercise was changed in another tab. What is written last is kept: reload one of the two before you go on.");
});

function wrote(cell, text) {
  const place = cell.kind === "scratch" ? work.scratch : work.cells;
  const id = cell.kind === "scratch" ? cell.of.id : cell.id;
  if (text === cell.given) delete place[id];
  else place[id] = text;
  if (cell.kind !== "scratch") work.given[id] = cell.given;
  if (cell.kind === "answer") {
    work.passed = work.passed.filter((id) => !cell.tests.some((test) => test.id === id));
    progress();
  }
  clearTimeout(saving);
  saving = setTimeout(save, 300);
}

// ── how far one is ──────────────────────────────────────────────────────────

const done = ({ tests }) => tests.every(({ id }) => work.passed.includes(id));

function progress() {
  const sections = Map.groupBy(answers, ({ heading }) => heading);
  for (const [heading, parts] of sections) {
    const all = parts.every(done);
    for (const place of [document.getElementById(heading), document.querySelector(`.outline a[href="#${heading}"]`)]) {
      place?.querySelector(".lab-done")?.remove();
      if (all) place?.append(make("span", { class: "lab-done" }, " ✓", make("span", { class: "visually-hidden" }, " done")));
    }
  }
  const earned = answers.flatMap(({ tests }) => tests).filter(({ id }) => work.passed.includes(id));
  const points = earned.reduce((sum, test) => sum + test.points, 0);
  score.firstChild.textContent = `${points} of ${about.points} points`;
  tell(about, `${[...sections.values()].filter((parts) => parts.every(done)).length} of ${sections.size}`);
}

// ── editors ─────────────────────────────────────────────────────────────────

let editor, writing; // the module, once somebody writes
const write = () => (writing ??= import("./editor.js").then((module) => {
  editor = module;
  for (const cell of cells) if (cell.kind === "answer" || cell.kind === "try") open(cell);
  for (const { scratch } of answers) if (scratch) open(scratch);
  return true;
}, () => {
  writing = null;
  note("The editor could not be fetched: is there a network?");
  return false;
}));

function open(cell) {
  const label = cell.kind === "answer" ? `${cell.id}: your lines` : cell.kind === "try" ? `${cell.id}, to play with` : `Scratch cell beside ${cell.of.id}`;
  cell.editor = editor.edit(cell.code, {
    text: sourceOf(cell), label, changed: (text) => wrote(cell, text), run: () => press(cell),
  });
  cell.writing?.remove();
}

function put(cell, text) {
  if (cell.editor) cell.editor.set(text);
  else {
    wrote(cell, text);
    if (cell.kind === "words") cell.area.value = text;
    else cell.code.querySelector("pre").textContent = text;
  }
}

// The scratch cell beside an answer
function scratchOf(answer) {
  if (answer.scratch) return answer.scratch;
  const cell = { id: `scratch-${answer.id}`, kind: "scratch", of: answer, given: "" };
  cell.code = make("div", { class: "highlight" }, make("pre", {}, sourceOf(cell)));
  cell.box = make("div", { class: "lab lab-scratch" }, cell.code);
  answer.box.after(cell.box);
  tools(cell, button("Run", () => press(cell)), make("span", { class: "lab-aside" }, "Only for trying things out. It is not marked."));
  if (editor) open(cell);
  return (answer.scratch = cell);
}

function tools(cell, ...buttons) {
  cell.out = make("div", { class: "lab-out", role: "status" });
  cell.box.append(make("div", { class: "lab-tools" }, ...buttons), cell.out);
}

// ── running ─────────────────────────────────────────────────────────────────

// What has to run before a cell: what is given, the answers, and in its own exercise what is to play with
function before(cell) {
  const here = cell.kind === "scratch" ? cell.of : cell;
  const above = cells.slice(0, cells.indexOf(here));
  const exercise = above.findLastIndex(({ kind }) => kind === "answer");
  return above.filter((other, place) =>
    other.kind === "given" || other.kind === "answer" || (cell.kind === "try" && other.kind === "try" && place > exercise))
    .concat(cell.kind === "scratch" ? [cell.of] : [])
    .filter((other) => runner.ran.get(other.id) !== sourceOf(other));
}

const task = (cell) => ({ id: cell.id, source: sourceOf(cell), seconds: SECONDS[cell.kind] ?? LIMIT });

let busy = false, waiting = null; // what was pressed while something ran: the last of it runs next
async function press(cell) {
  if (!about.python) return;
  if (busy) return void (waiting = cell);
  busy = true;
  write();
  // the last cell of a notebook tells what all tests said
  const tests = cell.id === "summary" ? answers.flatMap(({ tests }) => tests) : [];
  const order = [...before(cell), ...tests, cell, ...(cell.tests ?? [])];
  for (const { out, tests } of order) out?.replaceChildren(...(tests ?? []).map((test) => test.out));
  try {
    const state = await runner.run(order.map(task), say);
    if (state === "off") await runner.run(before(cell).map(task), working);
  } catch { /* the bar says why */ }
  busy = false;
  const next = waiting;
  waiting = null;
  if (next) await press(next);
}

// What the bar says meanwhile
function working(id, what) {
  if (what === "fetching") status(`Fetching Matplotlib for ${id} …`);
  else if (what === "running") status(`Running ${id} …`);
}

function say(id, what, detail) {
  const cell = byId.get(id) ?? answers.find(({ scratch }) => scratch?.id === id).scratch;
  const { out } = cell;
  working(id, what);
  if (what === "text") {
    if (cell.kind === "test") return; // its verdict follows
    const last = out.lastElementChild;
    if (last?.matches("pre:not(.lab-said)")) last.append(detail);
    else out.append(make("pre", {}, detail));
  } else if (what === "picture") {
    out.append(make("img", { src: `data:image/png;base64,${detail}`, alt: `What ${id} draws` }));
  } else if (what === "ended") {
    if (cell.kind === "test") verdict(cell, detail);
    else if (detail) out.append(make("pre", { class: "lab-said" }, detail));
  }
}

function verdict(test, wrong) {
  const { answer, points } = test;
  const title = test.box.querySelector("summary").textContent;
  test.out.append(
    make("p", { class: wrong ? "lab-wrong" : "lab-right" },
      wrong ? `Not right yet: 0 of ${plural(points, "point")}` : `✓ Right: ${points} of ${plural(points, "point")}`,
      make("span", {}, wrong ? (answer.tests.length > 1 ? title : "") : "These are the tests that you see; other numbers come when it is marked.")),
  );
  if (wrong) test.out.append(make("pre", { class: "lab-said" }, wrong));
  const stands = runner.ran.get(answer.id) === sourceOf(answer); // nothing was typed meanwhile
  work.passed = work.passed.filter((id) => id !== test.id).concat(wrong || !stands ? [] : [test.id]);
  if (test === answer.tests.at(-1)) {
    const right = done(answer);
    work.tries[answer.id] = right ? 0 : (work.tries[answer.id] ?? 0) + 1;
    if (!right && work.tries[answer.id] >= HINT_AFTER && answer.hint && !answer.hint.open) {
      test.out.append(button("Show the hint", () => {
        answer.hint.open = true;
        answer.hint.querySelector("summary").focus();
      }));
    }
  }
  progress();
  save();
}

// ── the bar ─────────────────────────────────────────────────────────────────

const state = make("span", { role: "status" });
const score = make("span", { class: "lab-score", title: "Of the tests that you see" }, "",
  ...(about.by_hand ? [make("span", {}, `+ ${about.by_hand} marked by hand`)] : []));
const starter = button("Start Python", () => { write(); runner.start().catch(() => {}); }, { class: "lab-main" });
const stopper = button("Stop", () => { waiting = null; runner.stop(); }, { hidden: true });
const loading = make("progress", { max: 1, hidden: true, "aria-label": "Loading Python" });
const status = (words) => { state.textContent = words; };

function told(what, part) {
  starter.hidden = what !== "failed";
  stopper.hidden = what !== "running";
  loading.hidden = what !== "loading";
  if (what === "loading") {
    loading.value = part;
    status(`Loading Python: ${(part * bar.dataset.megabytes).toFixed(1)} of ${bar.dataset.megabytes} MB`);
  } else if (what === "running") status("Running …");
  else if (what === "ready") status("Python is ready.");
  else if (what === "failed") {
    starter.textContent = "Try again";
    status(`Python did not start: ${part}. The notebook runs on your own machine, and in Colab.`);
  }
}

const files = Object.keys(about.files);
const runner = new Runner({
  base: about.python && address(about.python),
  files: about.files,
  rnnlib: address(about.rnnlib),
  shell: new URL("./shell.py", import.meta.url).href,
  bytes: files.filter((name) => !name.endsWith(".whl") || name.startsWith("numpy-"))
    .reduce((sum, name) => sum + about.files[name][1], 0),
}, told);

bar.append(starter, stopper, loading, state, score);
bar.hidden = false;
if (about.python) status(`${bar.dataset.megabytes} MB, and nothing to install`);
else {
  starter.hidden = true;
  status("This copy of the site has no Python for the browser. Write here, and run the notebook that you download.");
}

// ── files ───────────────────────────────────────────────────────────────────

const kept = make("p", { class: "lab-aside" }, "");
async function released() {
  const answer = await fetch(address(`${about.slug}/${about.slug}.ipynb`));
  if (!answer.ok) throw new Error("The released notebook could not be fetched.");
  return answer.json();
}
async function download() {
  try {
    const text = filled(await released(), work);
    const link = make("a", {
      href: URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" })), download: `${about.slug}.ipynb`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  } catch {
    note("The released notebook could not be fetched: is there a network? Your answers are still here.");
  }
}
async function take(file) {
  notes.replaceChildren();
  try {
    const found = read(await file.text(), about, given, await released());
    if (Object.keys(work.cells).length && !confirm("The answers in that notebook take the place of those on this page. Go on?")) return;
    for (const [id, text] of Object.entries(found.cells)) put(byId.get(id), text);
    for (const [id, text] of Object.entries(found.scratch)) put(scratchOf(byId.get(id)), text);
    save();
    note(`Read: ${plural(Object.keys(found.cells).length, "answer")} from ${file.name}.`);
    if (found.unused.length) note(`Not used: ${found.unused.join("; ")}.`);
  } catch (error) {
    note(error.message);
  }
  notes.scrollIntoView({ block: "nearest" });
}
const chooser = make("input", { type: "file", accept: ".ipynb", hidden: true, onchange: () => {
  if (chooser.files[0]) take(chooser.files[0]);
  chooser.value = "";
} });
document.getElementById("lab-files").append(
  make("div", { class: "lab-tools" },
    button("Download the notebook", download, { class: "lab-main" }), button("Open a notebook", () => chooser.click()), chooser),
  kept,
);
document.querySelector("article h1").after(notes);
note(...news);
if (news.length) save();

// ── the page ────────────────────────────────────────────────────────────────

for (const cell of cells) {
  if (cell.kind === "words") {
    cell.area = make("textarea", { rows: 6, "aria-label": "Your answer in words", oninput: () => wrote(cell, cell.area.value) });
    cell.area.value = sourceOf(cell);
    cell.code.replaceWith(cell.area);
    cell.box.append(make("p", { class: "lab-aside" }, "A person marks this one. It is kept, and handed in with the rest."));
  } else if (cell.kind === "answer" || cell.kind === "try") {
    if (cell.id in work.cells) cell.code.querySelector("pre").textContent = work.cells[cell.id];
    cell.writing = button("Write", async () => (await write()) && cell.editor.focus(), { "aria-label": `Write ${cell.id}` });
    const runs = about.python ? [button(cell.kind === "answer" ? "Run and test" : "Run", () => press(cell), { class: "lab-main" })] : [];
    const more = cell.kind === "answer" ? [button("Scratch cell", async () => (await write()) && scratchOf(cell).editor.focus())] : [];
    tools(cell, cell.writing, ...runs, ...more);
    cell.code.addEventListener("click", async () => !getSelection().toString() && (await write()) && cell.editor.focus());
  } else if (cell.kind === "given") {
    tools(cell);
  }
}
for (const [place, cell] of cells.entries()) {
  if (cell.kind !== "answer") continue;
  for (const test of cell.tests) cell.out.append((test.out = make("div")));
  const above = cells[place - 1]?.box;
  cell.hint = [...document.querySelectorAll("article details:not(.lab)")].findLast((fold) =>
    /^Hint/.test(fold.textContent.trim()) && fold.compareDocumentPosition(cell.box) & Node.DOCUMENT_POSITION_FOLLOWING &&
    (!above || above.compareDocumentPosition(fold) & Node.DOCUMENT_POSITION_FOLLOWING));
}
for (const id of Object.keys(work.scratch)) if (byId.has(id)) scratchOf(byId.get(id));
progress();
