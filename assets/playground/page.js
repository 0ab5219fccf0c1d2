// Turns GraphiQL into the playground of this server:
// - the tabs are the examples, until a person changes them;
// - the access token of the last sign-in is sent along, unless the headers pane has an Authorization of its own;
// - in the variables, {{event}}, {{ticketType}}, {{booking}}, {{payment}} and {{notification}} stand for the first id of that kind in the
//   latest answer that had one, {{new}} for a fresh key, {{origin}} for this server, {{hours:N}} for the moment N hours from now;
// - subscriptions are read as server-sent events (graphql-sse, distinct connections).

const endpoint = "/graphql";
const signOutText = "로그아웃됨 · signed out";
const kinds = { evt: "event", ttp: "ticketType", bkg: "booking", pay: "payment", ntf: "notification" };
const element = (id) => document.getElementById(id);

// Lives as long as the browser's tab, so that it survives the way to the payment page and back.
const state = JSON.parse(sessionStorage.getItem("spotlight") ?? '{"known":{}}');

function keep() {
  sessionStorage.setItem("spotlight", JSON.stringify(state));
  element("who").textContent = state.accessToken ? `로그인됨 · signed in${state.email ? `: ${state.email}` : ""}` : signOutText;
  element("sign-out").hidden = !state.accessToken;
  element("pay").hidden = !state.payUrl;
  element("pay").href = state.payUrl ?? "";
  element("known").replaceChildren(
    ...Object.entries(state.known).map(([kind, id]) => {
      const code = document.createElement("code");
      code.textContent = `{{${kind}}} ${id.slice(0, 4)}…${id.slice(-4)}`;
      code.title = id;
      return code;
    }),
  );
}

// Reads an answer for what the next request may want.
function learn(answer) {
  const seen = {};
  const visit = (value) => {
    if (typeof value === "string") {
      const kind = /^[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}$/.test(value) ? kinds[value.slice(0, 3)] : undefined;
      if (kind) seen[kind] ??= value;
    } else if (value && typeof value === "object") {
      if (typeof value.accessToken === "string") state.accessToken = value.accessToken;
      if (typeof value.redirect?.pcUrl === "string") state.payUrl = value.redirect.pcUrl;
      Object.values(value).forEach(visit);
    }
  };
  visit(answer?.data);
  Object.assign(state.known, seen);
  for (const payload of Object.values(answer?.data ?? {})) {
    if (payload?.session && payload.viewer?.email) state.email = payload.viewer.email;
  }
  forgetIfOver(answer);
  if (answer?.data?.signOut && !answer.data.signOut.userErrors?.length) forgetSession();
  keep();
  return answer;
}

function forgetSession() {
  delete state.accessToken;
  delete state.email;
}

// An access token lives for minutes.
function forgetIfOver(answer) {
  const isOver = Boolean(state.accessToken) && answer?.errors?.some((e) => e.extensions?.code === "UNAUTHENTICATED");
  if (isOver) {
    forgetSession();
    keep();
  }
  return isOver;
}

function fill(value) {
  if (Array.isArray(value)) return value.map(fill);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fill(v)]));
  if (typeof value !== "string") return value;
  return value.replace(/\{\{([a-zA-Z]+)(?::(-?\d+))?\}\}/g, (whole, name, number) => {
    if (name === "origin") return location.origin;
    if (name === "new") return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    if (name === "hours") return momentIn(Number(number));
    if (state.known[name]) return state.known[name];
    throw new Error(`${whole}: no answer had such an id yet. Run the tab that reads or makes one first, or write an id here.`);
  });
}

// Rounded up to a whole minute, so that "in 0 hours" is not past when it arrives.
function momentIn(hours) {
  return new Date(Math.ceil((Date.now() + hours * 3_600_000) / 60_000) * 60_000).toISOString();
}

async function request(params, headers, accept, signal) {
  const own = Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
  return fetch(endpoint, {
    method: "POST",
    signal,
    headers: {
      accept,
      "content-type": "application/json",
      ...(state.accessToken && !own ? { authorization: `Bearer ${state.accessToken}` } : {}),
      ...headers,
    },
    body: JSON.stringify({ ...params, variables: fill(params.variables ?? {}) }),
  });
}

// Shown like an answer of the server, without a stack.
const problem = (error) => ({ errors: [{ message: error.message }] });

async function answerOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `${response.status} ${response.statusText}: ${text.slice(0, 500)}` }] };
  }
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The stream ended before it was complete. Run it again, with `after` set to the last cursor.");
    const blocks = (rest + value).split(/\r\n\r\n|\n\n|\r\r/);
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split(/\r\n|\n|\r/);
      const of = (field) => lines.filter((l) => l.startsWith(`${field}:`)).map((l) => l.slice(field.length + 1).replace(/^ /, ""));
      yield { type: of("event").at(-1), data: of("data").join("\n") };
    }
  }
}

async function* results(params, headers, signal) {
  try {
    const response = await request(params, headers, "text/event-stream", signal);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
      yield learn(await answerOf(response));
      return;
    }
    for await (const { type, data } of events(response)) {
      if (type === "complete") return;
      if (type === "next") yield learn(JSON.parse(data));
    }
  } catch (error) {
    if (!signal.aborted) yield problem(error);
  }
}

// Not the generator itself: its return() would wait for the next event, and the stop button must not.
function subscribe(params, headers) {
  const stop = new AbortController();
  const iterator = results(params, headers, stop.signal);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => iterator.next(),
    return: () => {
      stop.abort();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

// Right after a change of tabs GraphiQL still names the operation of the tab before, and knows that tab's document.
function named({ operationName, ...rest }) {
  const isStale = operationName && !new RegExp(`\\b${operationName}\\b`).test(rest.query);
  return { params: isStale ? rest : { operationName, ...rest }, isStale };
}

function isSubscription(params, documentAst) {
  if (!documentAst) return /\bsubscription\b/.test(params.query);
  const operations = documentAst?.definitions?.filter((d) => d.kind === "OperationDefinition") ?? [];
  const chosen = operations.find((o) => o.name?.value === params.operationName) ?? operations[0];
  return params.operationName !== "IntrospectionQuery" && chosen?.operation === "subscription";
}

async function fetcher(asked, options) {
  const { params, isStale } = named(asked);
  const headers = options?.headers ?? {};
  if (isSubscription(params, isStale ? undefined : options?.documentAST)) return subscribe(params, headers);
  const accept = "application/graphql-response+json, application/json;q=0.9";
  const ask = () => request(params, headers, accept).then(answerOf).catch(problem);
  if (params.operationName !== "IntrospectionQuery") return learn(await ask());
  const answer = await ask();
  return forgetIfOver(answer) ? ask() : answer; // a token that ran out must not hide the schema
}

// What was open before is open again; the first time, the examples are. A link may bring a document: /playground?query=…
function tabs() {
  const linked = new URL(location.href).searchParams.get("query");
  let stored;
  try {
    stored = JSON.parse(localStorage.getItem("graphiql:tabState"));
  } catch {
    // unreadable: as if there were none
  }
  const active = stored?.tabs?.[stored.activeTabIndex];
  const examples = JSON.parse(element("examples").textContent).map(({ document, variables }) => ({ query: document, variables }));
  const link = { query: linked, variables: "" }; // not null: then the last tab's variables would come along
  const first = linked ? link : (active ?? examples[0]);
  return {
    defaultTabs: linked ? [link, ...examples] : examples,
    initialQuery: first?.query ?? undefined,
    initialVariables: first?.variables ?? undefined,
  };
}

// The browser comes back from the payment page with ?paymentId=…&status=…
function comeBack() {
  const url = new URL(location.href);
  const payment = url.searchParams.get("paymentId");
  if (!payment) return;
  state.known.payment = payment;
  delete state.payUrl;
  element("outcome").textContent = `결제 · payment: ${url.searchParams.get("status") ?? "?"}`;
  history.replaceState({}, "", url.pathname);
}

self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => `/playground/${{ graphql: "graphql", json: "json" }[label] ?? "editor"}.worker.js`,
};

element("sign-out").addEventListener("click", () => {
  forgetSession();
  keep();
});
element("restore").addEventListener("click", () => {
  Object.keys(localStorage).filter((key) => key.startsWith("graphiql:")).forEach((key) => localStorage.removeItem(key));
  location.assign("/playground");
});

// Without transforms (page.css) a dragged tab would swap places unseen: tabs are for clicking.
element("graphiql").addEventListener("pointerdown", (event) => event.target.closest(".graphiql-tab") && event.stopPropagation(), true);

comeBack();
keep();
YogaGraphiQL.renderYogaGraphiQL(element("graphiql"), {
  title: "Spotlight Space",
  fetcher,
  shouldPersistHeaders: false,
  onEditQuery: () => {},
  ...tabs(),
});
