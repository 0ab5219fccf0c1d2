// The playground in a real browser that can reach nothing but the server: a query, a mutation, a live subscription.
//
// Fails on a request to another host, an error on the console, a broken editor, or an answer that does not come. CHROMIUM names the
// browser (default /usr/bin/chromium). SCREENSHOT names a file to keep the page's picture in.
import { strict as assert } from "node:assert";
import { after, afterEach, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { FAN, Member, purchase } from "./product.mjs";
import { Server } from "./server.mjs";

/** Milliseconds: a bound, not a wait. */
const limit = 30_000;
const problems = [];

// What a reload or the stop button breaks off is no failure.
const isAborted = (request) => request.failure()?.errorText === "net::ERR_ABORTED";

function watch(page, isOurs) {
  page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => problems.push(`page: ${error.message}`));
  page.on("requestfailed", (request) => isOurs(request.url()) && !isAborted(request) && problems.push(`failed: ${request.url()}`));
  page.on("response", (response) => response.status() >= 400 && problems.push(`${response.status()}: ${response.url()}`));
}

describe("the playground", () => {
  let server, browser, page;
  const workers = [];

  before(async () => {
    server = await Server.start();
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        // No network: no proxy, and no name of any other host is ever found.
        "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    });
    const context = await browser.newContext({ viewport: { width: 1500, height: 950 }, locale: "ko-KR" });
    // Nothing may even try to leave; workers' requests come by here too.
    const isOurs = (url) => url.startsWith(`${server.url}/`) || url.startsWith("data:") || url.startsWith(`blob:${server.url}/`);
    await context.route("**/*", (route) => {
      const url = route.request().url();
      if (isOurs(url)) return route.continue();
      problems.push(`a request to another host: ${url}`);
      return route.abort();
    });
    page = await context.newPage();
    page.setDefaultTimeout(limit);
    page.on("worker", (worker) => workers.push(new URL(worker.url()).pathname));
    watch(page, isOurs);
  });
  after(async () => {
    await browser?.close();
    await server.stop();
  });
  afterEach(() => assert.deepEqual(problems.splice(0), []));

  const editor = (text) => page.locator(".graphiql-query-editor .view-lines", text && { hasText: text }).waitFor();
  const answer = (text) => page.locator(".graphiql-response .view-lines", { hasText: text }).waitFor();
  const run = () => page.locator(".graphiql-execute-button").click();
  const open = async (document) => {
    await page.goto(`${server.url}/playground?query=${encodeURIComponent(document)}`);
    await editor();
    await page.locator(".graphiql-execute-button").waitFor();
  };

  test("opens with the examples as tabs, the first with its text and variables", async () => {
    await page.goto(`${server.url}/playground`);
    await editor("BrowseEvents");
    const tabs = await page.locator(".graphiql-tab").allTextContents();
    for (const name of ["BrowseEvents", "SignInAsFan", "Book", "Notifications"]) {
      assert(tabs.some((tab) => tab.includes(name)), `no tab ${name} in ${tabs.join(", ")}`);
    }
    await page.locator(".graphiql-editor-tool .view-lines", { hasText: "filter" }).first().waitFor();
  });

  test("keeps the tabs over a reload", async () => {
    const count = await page.locator(".graphiql-tab").count();
    await page.reload();
    await editor("BrowseEvents");
    assert.equal(await page.locator(".graphiql-tab").count(), count);
  });

  test("reads the schema, and runs the editor's workers", async () => {
    await page.locator('button[aria-label*="Documentation Explorer"]').first().click();
    await page.locator(".graphiql-doc-explorer", { hasText: "Root Types" }).waitFor();
    const missing = () => ["editor", "graphql", "json"].filter((name) => !workers.includes(`/playground/${name}.worker.js`));
    while (missing().length) await page.waitForEvent("worker", { timeout: limit });
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  });

  test("runs a query", async () => {
    await open("query Check { answered: __typename }");
    await run();
    await answer('"answered": "Query"');
  });

  test("runs a mutation, and remembers who signed in", async () => {
    await page.locator(".graphiql-tab-button", { hasText: "SignInAsFan" }).click();
    await page.locator(".graphiql-tab-active", { hasText: "SignInAsFan" }).waitFor();
    await editor("SignInAsFan");
    await run();
    await answer('"role": "USER"');
    await page.locator("#who", { hasText: FAN }).waitFor();
  });

  test("runs a subscription, shows what comes, and stops", async () => {
    const fan = await Member.signIn(server);
    const cursor = await fan.newest();
    await open(`subscription Live { notifications(after: "${cursor}", kinds: [PAYMENT_CONFIRMED]) { notification { kind event { id } } } }`);
    const started = page.waitForResponse((response) => response.headers()["content-type"]?.startsWith("text/event-stream"));
    await run();
    const stream = (await started).request();
    const first = await purchase(fan.ask);
    await answer(first.event.id);
    const second = await purchase(fan.ask, first.event);
    await answer(second.event.id);
    const ended = page.waitForEvent("requestfailed", (request) => request === stream);
    await page.locator('.graphiql-execute-button[aria-label*="Stop"]').click();
    await ended;
  });
});
