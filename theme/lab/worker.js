// Python in a worker of its own, so that the page can always be used and a stuck cell can be ended.
//
// In:  { base, files, wheel, shell }      start Python; answered by { ready } or { failed: why }
//      { run, cells: [{ id, source, seconds }] }   run these; each is answered by { run, id, running },
//      { run, id, text }, { run, id, picture } and { run, id, ended: what went wrong, or "" }, all by { run, done }
// Out: also { loaded: bytes } while files come

let python, shell, files;

// what a page waits for, in bytes over the wire, although the browser hands them over unpacked
const fetched = self.fetch.bind(self);
self.fetch = async (address, ...rest) => {
  const answer = await fetched(address, ...rest);
  const name = decodeURIComponent(new URL(answer.url).pathname.split("/").at(-1));
  const [size, wire] = files?.[name] ?? [0, 0];
  if (!size || !answer.body) return answer;
  const count = new TransformStream({
    transform(part, out) {
      postMessage({ loaded: (part.length * wire) / size });
      out.enqueue(part);
    },
  });
  return new Response(answer.body.pipeThrough(count), { status: answer.status, headers: answer.headers });
};

async function start(how) {
  files = how.files;
  const { loadPyodide } = await import(how.base + "pyodide.mjs");
  const parts = [fetch(how.wheel), fetch(how.shell)];
  python = await loadPyodide({ indexURL: how.base, packages: ["numpy"] });
  const [wheel, code] = await Promise.all(parts);
  if (!wheel.ok || !code.ok) throw new Error("a file of the page could not be fetched");
  python.unpackArchive(await wheel.arrayBuffer(), "wheel");
  python.FS.writeFile("shell.py", await code.text());
  shell = python.pyimport("shell");
  python.runPython("import numpy.random, rnnlib.testing"); // else the first cell would wait for it
}

const DRAWS = /\bmatplotlib\b|\brnnlib\b.*\bplot\b/;

async function run({ run, cells }) {
  for (const { id, source, seconds } of cells) {
    if (DRAWS.test(source) && !python.loadedPackages.matplotlib) {
      postMessage({ run, id, fetching: true });
      await python.loadPackage("matplotlib", { messageCallback() {} });
      shell.prepare_figures();
    }
    postMessage({ run, id, running: true });
    const ended = shell.run(id, source, seconds, (kind, what) => postMessage({ run, id, [kind]: what }));
    postMessage({ run, id, ended });
  }
  postMessage({ run, done: true });
}

self.onmessage = async ({ data }) => {
  try {
    if (data.cells) return await run(data);
    await start(data);
    postMessage({ ready: true });
  } catch (error) {
    postMessage({ run: data.run, failed: String(error?.message ?? error) });
  }
};
