// The real server: the binary of SPOTLIGHT_BINARY on a free port of this machine, with a data folder and a demo world of its own.
//
// What always holds: it says when it is ready and is never asked before; it stops on SIGTERM, promptly and without complaint, or
// the test fails; nothing of it outlives the test's process.
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ready = /^spotlight is ready at (http:\S+)$/;
/** Seconds. Open streams are told to come back, not waited for. */
const promptly = 5;

// A signal ends in "exit", too.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

export class Server {
  #settings;
  #folder = mkdtempSync(join(tmpdir(), "spotlight-clients-"));
  #child;
  #exited;
  #listen = "127.0.0.1:0";

  /** `settings` as the environment has them: `{ SPOTLIGHT_AUTH__ACCESS_SECONDS: 3 }`. */
  static async start(settings = {}) {
    const server = new Server(settings);
    await server.start();
    return server;
  }

  constructor(settings) {
    this.#settings = settings;
    process.on("exit", () => {
      this.#child?.kill("SIGKILL");
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  get graphql() {
    return `${this.url}/graphql`;
  }

  get socket() {
    return this.graphql.replace("http:", "ws:");
  }

  /** Also again after `stop`: at the same address, with the same data. */
  async start() {
    const binary = process.env.SPOTLIGHT_BINARY;
    assert(binary, "SPOTLIGHT_BINARY must name the server's binary: run .ci/clients");
    // What this machine's own server is told is not for this one.
    const foreign = ([name]) => !name.startsWith("SPOTLIGHT_");
    const env = { ...Object.fromEntries(Object.entries(process.env).filter(foreign)), SPOTLIGHT_LOG__FILTER: "warn", ...this.#settings };
    const options = { env, stdio: ["ignore", "pipe", "inherit"] };
    const child = spawn(binary, ["serve", "--listen", this.#listen, "--data-dir", this.#folder], options);
    this.#child = child;
    this.#exited = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => resolve({ code, signal }));
    });
    this.url = await Promise.race([this.#readyLine(child), this.#exited.then((end) => Promise.reject(new Error(`it ended: ${JSON.stringify(end)}`)))]);
    this.#listen = new URL(this.url).host;
  }

  #readyLine(child) {
    return new Promise((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const url = ready.exec(line)?.[1];
        if (url) resolve(url);
      });
    });
  }

  /** Its memory in bytes, as the kernel counts it: `VmRSS` now, `VmHWM` at its highest. */
  memory(which = "VmRSS") {
    const line = new RegExp(`^${which}:\\s+(\\d+) kB$`, "m");
    return Number(line.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8"))[1]) * 1024;
  }

  /** From here on the highest is looked for anew. */
  forgetPeak() {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, "5");
  }

  /** The connections that it holds, as the kernel lists them. */
  hasConnectionFrom(port) {
    const here = Number(new URL(this.url).port);
    const hex = (number) => number.toString(16).toUpperCase().padStart(4, "0");
    const established = new RegExp(`^ *\\d+: \\w+:${hex(here)} \\w+:${hex(port)} 01 `, "m");
    return established.test(readFileSync("/proc/net/tcp", "utf8"));
  }

  async stop() {
    const began = performance.now();
    this.#child.kill("SIGTERM");
    const end = await this.#exited;
    const seconds = (performance.now() - began) / 1000;
    assert.deepEqual(end, { code: 0, signal: null });
    assert(seconds < promptly, `it took ${seconds.toFixed(1)} s to stop`);
  }
}
