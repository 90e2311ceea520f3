// Python's worker as the page sees it: started once, ended where nothing else ends a cell, started again.

export class Runner {
  // how: what worker.js needs to start; told(state, part): "loading" with the share that is there,
  // "ready", "running", "off", or "failed" with the reason
  constructor(how, told) {
    // grace: seconds beyond a cell's limit, after which the worker is ended: the loop is not Python's
    Object.assign(this, { how, told, ran: new Map(), runs: 0, grace: 4 });
  }

  // Resolves when Python is ready
  start() {
    return (this.started ??= new Promise((resolve, reject) => {
      let loaded = 0;
      this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      this.told("loading", 0);
      this.worker.onerror = (event) => this.fail(event.message || "a file of the page could not be fetched", reject);
      this.worker.onmessage = ({ data }) => {
        if (data.loaded) this.told("loading", Math.min(1, (loaded += data.loaded) / this.how.bytes));
        else if (data.ready) { this.told("ready"); resolve(); }
        else if (data.failed && !data.run) this.fail(data.failed, reject);
        else this.heard?.(data);
      };
      this.worker.postMessage(this.how);
    }));
  }

  fail(why, reject) {
    this.end();
    this.told("failed", why);
    reject(new Error(why));
  }

  end() {
    clearTimeout(this.watch);
    this.worker?.terminate();
    this.worker = this.started = null;
    this.ran.clear(); // nothing of what has run is left
  }

  // Run cells, [{ id, source, seconds }], one after the other. say(id, what, detail): "fetching", "running",
  // "text", "picture", "ended" with "" or what went wrong. Resolves when all have run or were ended.
  async run(cells, say) {
    await this.start();
    const run = ++this.runs;
    this.told("running");
    const state = await new Promise((resolve) => {
      let now = cells[0]?.id;
      this.stopped = (why) => {
        this.end();
        say(now, "ended", why);
        resolve("off");
      };
      this.heard = (data) => {
        if (data.run !== run) return;
        if (data.failed) return this.stopped(`Python itself gave up: ${data.failed}`);
        if (data.done) return resolve("ready");
        if ("ended" in data) {
          const { source, seconds } = cells.find(({ id }) => id === data.id);
          clearTimeout(this.watch);
          this.ran.set(data.id, source);
          const late = `It was ended after ${seconds} seconds. Does a loop in it never end?`;
          return say(data.id, "ended", data.ended === "time" ? late : data.ended);
        }
        now = data.id;
        if (data.running) {
          const seconds = cells.find(({ id }) => id === data.id).seconds + this.grace;
          const late = `It was ended after ${seconds} seconds: a function that it calls did not come back. ` +
            "Python was started again, and the cells above were run again.";
          this.watch = setTimeout(() => this.stopped(late), seconds * 1000);
        }
        for (const what of ["fetching", "running", "text", "picture"]) if (data[what]) say(data.id, what, data[what]);
      };
      this.worker.postMessage({ run, cells });
    });
    this.heard = this.stopped = null;
    this.told(state);
    return state;
  }

  stop() {
    this.stopped?.("You stopped it. Python was started again, and the cells above were run again.");
  }
}
