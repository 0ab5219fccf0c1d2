// Opens the playground in a real browser, as a person would, against a running server:
//
//   npm install --no-save playwright-core && node .ci/playground-check.mjs http://127.0.0.1:8080 [SCREENSHOT.png]
//
// Fails on a request to another host, an error on the console, a broken editor, or a query or subscription without an answer.
// CHROMIUM names the browser (default /usr/bin/chromium); PLAYWRIGHT the folder that holds playwright-core, if not here.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [address, screenshot] = process.argv.slice(2);
if (!address) throw new Error("usage: node .ci/playground-check.mjs http://127.0.0.1:PORT [SCREENSHOT.png]");
const origin = new URL(address).origin;
const { chromium } = createRequire(resolve(process.env.PLAYWRIGHT ?? ".", "package.json"))("playwright-core");
const limit = 30_000;

const problems = [];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});
const context = await browser.newContext({ viewport: { width: 1500, height: 950 }, locale: "ko-KR" });

// Nothing may even try to leave; workers' requests come by here too.
const isOurs = (url) => url.startsWith(`${origin}/`) || url.startsWith("data:") || url.startsWith(`blob:${origin}/`);
await context.route("**/*", (route) => {
  const url = route.request().url();
  if (isOurs(url)) return route.continue();
  problems.push(`a request to another host: ${url}`);
  return route.abort();
});

const page = await context.newPage();
page.setDefaultTimeout(limit);
const workers = [];
page.on("worker", (worker) => workers.push(new URL(worker.url()).pathname));
page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()}`));
page.on("pageerror", (error) => problems.push(`page: ${error.message}`));
page.on("requestfailed", (request) => isOurs(request.url()) && !isAborted(request) && problems.push(`failed: ${request.url()}`));
page.on("response", (response) => response.status() >= 400 && problems.push(`${response.status()}: ${response.url()}`));

// What a reload or the stop button breaks off is no failure.
const isAborted = (request) => request.failure()?.errorText === "net::ERR_ABORTED";

async function step(name, action) {
  try {
    await action();
    console.log(`ok: ${name}`);
  } catch (error) {
    problems.push(`${name}: ${String(error.message).split("\n")[0]}`);
  }
}

async function open(document) {
  await page.goto(`${origin}/playground?query=${encodeURIComponent(document)}`);
  await page.locator(".graphiql-query-editor .view-lines").waitFor();
  await page.locator(".graphiql-execute-button").waitFor();
}

const answer = (text) => page.locator(".graphiql-response .view-lines", { hasText: text }).waitFor();

await step("the page opens with the examples as tabs, the first with its text and variables", async () => {
  await page.goto(`${origin}/playground`);
  await page.locator(".graphiql-query-editor .view-lines", { hasText: "BrowseEvents" }).waitFor();
  const tabs = await page.locator(".graphiql-tab").allTextContents();
  for (const name of ["BrowseEvents", "SignInAsFan", "Book", "Notifications"]) {
    if (!tabs.some((tab) => tab.includes(name))) throw new Error(`no tab ${name} in ${tabs.join(", ")}`);
  }
  await page.locator(".graphiql-editor-tool .view-lines", { hasText: "filter" }).first().waitFor();
});

await step("a reload keeps the tabs as they are", async () => {
  const before = await page.locator(".graphiql-tab").count();
  await page.reload();
  await page.locator(".graphiql-query-editor .view-lines", { hasText: "BrowseEvents" }).waitFor();
  const after = await page.locator(".graphiql-tab").count();
  if (after !== before) throw new Error(`${before} tabs became ${after}`);
});

await step("the schema is read, and the editor's workers run", async () => {
  await page.locator('button[aria-label*="Documentation Explorer"]').first().click();
  await page.locator(".graphiql-doc-explorer", { hasText: "Root Types" }).waitFor();
  const began = Date.now();
  while (!["editor", "graphql", "json"].every((name) => workers.includes(`/playground/${name}.worker.js`))) {
    if (Date.now() - began > limit) throw new Error(`only these workers: ${workers.join(", ")}`);
    await page.waitForTimeout(50);
  }
});

if (screenshot) await page.screenshot({ path: screenshot });

await step("signing in is remembered", async () => {
  await page.locator(".graphiql-tab-button", { hasText: "SignInAsFan" }).click();
  await page.locator(".graphiql-tab-active", { hasText: "SignInAsFan" }).waitFor();
  await page.locator(".graphiql-query-editor .view-lines", { hasText: "SignInAsFan" }).waitFor();
  await page.locator(".graphiql-execute-button").click();
  await page.locator("#who", { hasText: "fan@spotlight.test" }).waitFor();
});

await step("a query is answered", async () => {
  await open("query Check { answered: __typename }");
  await page.locator(".graphiql-execute-button").click();
  await answer('"answered": "Query"');
});

await step("a subscription starts and is stopped", async () => {
  await open("subscription Check { notifications { cursor } }");
  const started = page.waitForResponse((r) => r.headers()["content-type"]?.startsWith("text/event-stream"));
  await page.locator(".graphiql-execute-button").click();
  const stream = (await started).request();
  const ended = page.waitForEvent("requestfailed", (request) => request === stream);
  await page.locator('.graphiql-execute-button[aria-label*="Stop"]').click();
  await ended;
});

await browser.close();
if (problems.length) {
  console.error(problems.map((problem) => `PROBLEM: ${problem}`).join("\n"));
  process.exit(1);
}
console.log("the playground works");
