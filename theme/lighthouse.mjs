// Lighthouse on pages of the served site: `node theme/lighthouse.mjs CHROMIUM URL …` prints a JSON
// list, one entry a page: scores from 0 to 100, key timings, and the audits that are not perfect.
import * as chromeLauncher from "chrome-launcher";
import lighthouse from "lighthouse";

const [chromePath, ...urls] = process.argv.slice(2);
const chromeFlags = [
  "--headless", "--disable-gpu", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-first-run",
];
if (process.getuid?.() === 0) chromeFlags.push("--no-sandbox"); // Chromium refuses to sandbox root
// two minutes for what comes in the end, also on a busy machine: Chromium, asked twice a second, and a page
const chrome = await chromeLauncher.launch({ chromePath, chromeFlags, maxConnectionRetries: 240 });
const patience = { maxWaitForFcp: 120_000, maxWaitForLoad: 120_000 };
const pages = [];
try {
  for (const url of urls) {
    const { lhr } = await lighthouse(url, { ...patience, port: chrome.port, logLevel: "error", output: "json" });
    const scores = {};
    const imperfect = [];
    for (const category of Object.values(lhr.categories)) {
      scores[category.id] = Math.round(100 * category.score);
      for (const { id, weight } of category.auditRefs) {
        const { score, title } = lhr.audits[id];
        if (weight > 0 && score !== null && score < 1) imperfect.push(`${category.id}: ${title} (${id})`);
      }
    }
    const timings = Object.fromEntries(
      ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift", "speed-index"]
        .map((id) => [id, lhr.audits[id].numericValue]));
    const bytes = lhr.audits["total-byte-weight"].numericValue;
    pages.push({ url, version: lhr.lighthouseVersion, runtimeError: lhr.runtimeError?.code ?? null, scores, timings, bytes, imperfect });
  }
} finally {
  await chrome.kill();
}
console.log(JSON.stringify(pages));
