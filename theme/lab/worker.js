// Python in a worker of its own, so that the page can always be used and a stuck cell can be ended.
//
// In:  { base, files, rnnlib, shell }      start Python; answered by { ready } or { failed: why }
//      { run, cells: [{ id, source, seconds }] }   run these; each is answered by { run, id, running },
//      { run, id, text }, { run, id, picture } and { run, id, ended: what went wrong, or "" }, all by { run, done }
// Out: also { loaded: bytes } while files come

let python, shell, files;

// What a page waits for, in bytes over the wire, although the browser hands them over unpacked. A file
// that does not come is said here, since Pyodide itself would wait for ever.
const fetched = self.fetch.bind(self);
self.fetch = async (address, ...rest) => {
  const name = new URL(address, self.location).pathname.split("/").at(-1);
  const missing = (error) => { postMessage({ failed: `${name} could not be fetched` }); throw error; };
  const answer = await fetched(address, ...rest).catch(missing);
  if (!answer.ok) missing(new Error(answer.statusText));
  const [size, wire] = files?.[name] ?? [0, 0];
  if (!size) return answer;
  const reader = answer.body.getReader();
  const counted = new ReadableStream({
    async pull(out) {
      const { done, value } = await reader.read().catch(missing);
      if (done) return out.close();
      postMessage({ loaded: (value.length * wire) / size });
      out.enqueue(value);
    },
  });
  // not every host knows the type that a browser compiles as it comes
  return new Response(counted, name.endsWith(".wasm") ? { headers: { "Content-Type": "application/wasm" } } : {});
};

async function start(how) {
  files = how.files;
  const { loadPyodide } = await import(how.base + "pyodide.mjs");
  const parts = [fetch(how.rnnlib), fetch(how.shell)];
  python = await loadPyodide({ indexURL: how.base, packages: ["numpy"] });
  const [rnnlib, code] = await Promise.all(parts);
  python.unpackArchive(await rnnlib.arrayBuffer(), "bztar");
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
