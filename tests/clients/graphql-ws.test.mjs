// The client `graphql-ws` on a WebSocket: it listens, comes back by its own means, and misses nothing.
import { strict as assert } from "node:assert";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { Feed, Member, Wait, gate, purchase, soon } from "./product.mjs";
import { Server } from "./server.mjs";

const clients = [];

/** A client as its documentation has it for tokens that run out: a close with 4403 asks for a fresh one before the next try. */
function connect(server, member, retryWait = async () => {}) {
  const closed = gate();
  const codes = [];
  let isRefused = false;
  const client = createClient({
    url: server.socket,
    webSocketImpl: WebSocket,
    connectionParams: async () => {
      if (isRefused) await member.refresh();
      isRefused = false;
      return { authorization: `Bearer ${member.session.accessToken}` };
    },
    shouldRetry: () => true,
    retryWait,
    on: {
      closed: (event) => {
        isRefused = event.code === 4403;
        codes.push(event.code);
        closed.open(event.code);
      },
    },
  });
  clients.push(client);
  return { client, codes, closed: closed.opened };
}

afterEach(() => Promise.all(clients.splice(0).map((client) => client.dispose())));

describe("graphql-ws", () => {
  let server, fan;
  before(async () => (server = await Server.start()));
  after(() => server.stop());
  beforeEach(async () => (fan = await Member.signIn(server)));

  test("buys, and is told at once", async () => {
    const { client } = connect(server, fan);
    const feed = new Feed(await fan.newest());
    client.subscribe(feed.request, feed.sink);
    const ask = async (query, variables) => {
      const { value } = await client.iterate({ query, variables }).next();
      assert.equal(value.errors, undefined);
      return value.data;
    };
    await feed.brings(await purchase(ask));
    await feed.brings(await purchase(ask));
    assert.equal(feed.left, 0);
  });

  test("a new client resumes after the cursor of the last", async () => {
    const first = connect(server, fan);
    const feed = new Feed(await fan.newest());
    const stop = first.client.subscribe(feed.request, { ...feed.sink, complete: () => {} });
    await feed.brings(await purchase(fan.ask));
    stop();
    assert.equal(await soon(first.closed, "the end of the socket"), 1000);
    const missed = [await purchase(fan.ask), await purchase(fan.ask)];
    connect(server, fan).client.subscribe(feed.request, feed.sink);
    for (const bought of missed) await feed.brings(bought);
    assert.equal(feed.left, 0);
  });

  test("a restart is survived, and what came meanwhile is not lost", async () => {
    const back = gate();
    const cursor = await fan.newest();
    // Several, because what a socket hears last when the server stops is a race.
    const listeners = Array.from({ length: 8 }, () => {
      const { client, closed } = connect(server, fan, () => back.opened);
      const feed = new Feed(cursor);
      client.subscribe(feed.request, feed.sink);
      return { feed, closed };
    });
    const before = await purchase(fan.ask);
    await Promise.all(listeners.map(({ feed }) => feed.brings(before)));
    await server.stop();
    const codes = await soon(Promise.all(listeners.map(({ closed }) => closed)), "the end of the sockets");
    assert.deepEqual(new Set(codes), new Set([1012]));
    await server.start();
    const meanwhile = await purchase(fan.ask);
    back.open();
    await Promise.all(listeners.map(({ feed }) => feed.brings(meanwhile)));
    const live = await purchase(fan.ask);
    await Promise.all(listeners.map(({ feed }) => feed.brings(live)));
    assert(listeners.every(({ feed }) => feed.left === 0));
  });

  test("a token that is not valid is refused with 4403, and the next one taken", async () => {
    const { client, codes } = connect(server, fan);
    fan.session.accessToken = "nonsense";
    const { value } = await soon(client.iterate({ query: "{ viewer { email } }" }).next(), "an answer");
    assert.equal(value.data.viewer.email, "fan@spotlight.test");
    assert.equal(codes[0], 4403);
  });
});

describe("graphql-ws with tokens that live for seconds", () => {
  let server;
  before(async () => (server = await Server.start({ SPOTLIGHT_AUTH__ACCESS_SECONDS: 3 })));
  after(() => server.stop());

  test("a token that runs out closes with 4403, and the client comes back with a fresh one", async () => {
    const buyer = await Member.signIn(server);
    const feed = new Feed(await buyer.newest());
    const listener = await Member.signIn(server);
    const retries = new Wait();
    const { client, codes } = connect(server, listener, retries.wait);
    client.subscribe(feed.request, feed.sink);
    await feed.brings(await purchase(buyer.ask));
    const away = retries.hold();
    const first = listener.session.accessToken;
    await soon(away.begun, "the end of the token");
    const missed = await purchase(buyer.ask);
    away.end();
    await feed.brings(missed);
    assert.notEqual(listener.session.accessToken, first);
    await feed.brings(await purchase(buyer.ask));
    assert.deepEqual(new Set(codes), new Set([4403]));
    assert.equal(feed.left, 0);
  });
});
