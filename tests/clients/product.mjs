// What a person does with the product, through whichever client: sign in, buy a ticket, follow the feed.
import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";

const PASSWORD = "Spotlight1!";
export const FAN = "fan@spotlight.test";
export const ARTIST = "artist@spotlight.test";

/** Milliseconds that an answer may take on a busy machine; a bound, not a wait. */
const SOON = 20_000;

const SESSION = "session { accessToken refreshToken expiresAt } userErrors { code message }";
const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) { ${SESSION} } }`;
const REFRESH = `mutation Refresh($input: SessionRefreshInput!) { sessionRefresh(input: $input) { ${SESSION} } }`;
const EVENTS = `query Events($filter: EventFilter, $after: String) {
  events(filter: $filter, sort: SOONEST, first: 20, after: $after) { nodes { id title ticketTypes { id price remaining } } } }`;
const BOOK = `mutation Book($input: BookingStartInput!) { bookingStart(input: $input) {
  booking { id status amountDue } payment { id status redirect { pcUrl } } userErrors { code message } } }`;
const BOOKING = `query Booking($id: ID!) { node(id: $id) { ... on Booking { id status payment { status } tickets { code status } } } }`;
const NEWEST = "query Newest { viewer { notifications(first: 1) { edges { cursor node { id } } } } }";

/** One entry for each purchase: reminders of the demo world come when they come. */
export const FEED = `subscription Feed($after: String, $kinds: [NotificationKind!]) { notifications(after: $after, kinds: $kinds) {
  cursor isReset notification { id kind title event { id title } } } }`;

/** The plain way to ask: a document and its variables to `data`; fails on `errors`. */
export function asker(server, token) {
  return async (query, variables) => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${await token()}` }) };
    const response = await fetch(server.graphql, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined);
    return data;
  };
}

/** A payload without `userErrors`. */
function done(payload) {
  assert.deepEqual(payload.userErrors, []);
  return payload;
}

export async function signIn(server, email = FAN) {
  const input = { email, password: PASSWORD };
  return done((await asker(server)(SIGN_IN, { input })).signIn).session;
}

/** Who is signed in, with a fresh access token whenever the present one has run out. */
export class Member {
  #server;
  #refreshing;

  static async signIn(server, email) {
    const member = new Member();
    member.#server = server;
    member.session = await signIn(server, email);
    return member;
  }

  /** A second early: it must still be good when it arrives. */
  isSpent() {
    return Date.parse(this.session.expiresAt) - 1000 <= Date.now();
  }

  /** The access token; two who ask at once share one refresh, because a refresh token works once. */
  async token() {
    if (this.isSpent()) await (this.#refreshing ??= this.refresh().finally(() => (this.#refreshing = undefined)));
    return this.session.accessToken;
  }

  async refresh() {
    const input = { refreshToken: this.session.refreshToken };
    this.session = done((await asker(this.#server)(REFRESH, { input })).sessionRefresh).session;
  }

  ask = (query, variables) => asker(this.#server, () => this.token())(query, variables);

  /** The cursor to follow one's feed from: behind it is what comes after this moment, even before anybody listens. */
  async newest() {
    const cursor = async () => (await this.ask(NEWEST)).viewer.notifications.edges[0]?.cursor;
    const found = await cursor();
    if (found) return found;
    // Nobody was told anything yet. A job writes the first entry in a moment.
    await purchase(this.ask);
    const late = performance.now() + SOON;
    while (performance.now() < late) {
      const first = await cursor();
      if (first) return first;
    }
    throw new Error("no notification of a purchase");
  }
}

/** Books one seat of something that costs money, other than `but`, pays on the sandbox's page, and holds the ticket. */
export async function purchase(ask, but) {
  const filter = { isBookable: true, priceMin: 1000 };
  const { nodes } = (await ask(EVENTS, { filter })).events;
  const event = nodes.find(({ id, ticketTypes: [first] }) => id !== but?.id && first.price > 0 && first.remaining > 0);
  const lines = [{ ticketTypeId: event.ticketTypes[0].id, quantity: 1 }];
  const input = { eventId: event.id, lines, idempotencyKey: randomUUID() };
  const { booking, payment } = done((await ask(BOOK, { input })).bookingStart);
  assert.deepEqual([booking.status, booking.amountDue, payment.status], ["HELD", event.ticketTypes[0].price, "READY"]);
  await pay(payment.redirect.pcUrl);
  const { node } = await ask(BOOKING, { id: booking.id });
  assert.deepEqual([node.status, node.payment.status, node.tickets.length], ["CONFIRMED", "APPROVED", 1]);
  return { event, booking: node };
}

/** As a browser does: opens the page, presses 결제하기, follows the way back. */
async function pay(address) {
  const page = await (await fetch(address)).text();
  const action = /<form name="approve" method="post" action="([^"]+)"/.exec(page)?.[1];
  assert(action, `no way to pay on ${address}`);
  const response = await fetch(action, { method: "POST", body: new URLSearchParams({ fault: "none" }) });
  assert.equal(response.status, 200);
}

/**
 * Follows one's purchases. A client takes `request` and `sink`; a client that comes back sends the request again, and `after` is
 * then the last cursor seen: nothing is missed, nothing comes twice.
 */
export class Feed {
  #entries = [];
  #waiting = [];
  #end;

  constructor(after) {
    const feed = this;
    this.cursor = after;
    this.variables = {
      kinds: ["PAYMENT_CONFIRMED"],
      get after() {
        return feed.cursor;
      },
    };
    this.request = { query: FEED, variables: this.variables };
    this.sink = {
      next: (result) => (result.errors ? this.#fail(result.errors) : this.#add(result.data.notifications)),
      error: (error) => this.#fail(error),
      complete: () => this.#fail("the server completed it"),
    };
  }

  #add(entry) {
    this.cursor = entry.cursor;
    this.#entries.push(entry);
    this.#waiting.shift()?.();
  }

  #fail(reason) {
    this.#end ??= new Error(`the feed is over: ${reason instanceof Error ? reason.stack : JSON.stringify(reason)}`);
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  /** The next entry is this purchase's. */
  async brings({ event }) {
    if (!this.#entries.length && !this.#end) await soon(new Promise((resolve) => this.#waiting.push(resolve)), "a notification");
    if (!this.#entries.length) throw this.#end;
    const { isReset, notification } = this.#entries.shift();
    assert.deepEqual([isReset, notification.kind, notification.event.id], [false, "PAYMENT_CONFIRMED", event.id]);
    return notification;
  }

  /** Nothing that was not asked for. */
  get left() {
    return this.#entries.length;
  }
}

/** Somebody waits until somebody else opens. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { open, opened };
}

/** A client's wait before its next try, which a test can hold: `hold` gives the moment it begins, and the way to end it. */
export class Wait {
  #held;

  wait = async () => {
    this.#held?.begun.open();
    await this.#held?.over.opened;
  };

  hold() {
    this.#held = { begun: gate(), over: gate() };
    return { begun: this.#held.begun.opened, end: this.#held.over.open };
  }
}

/** What must come before long. */
export async function soon(promise, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what} did not come`)), SOON)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
