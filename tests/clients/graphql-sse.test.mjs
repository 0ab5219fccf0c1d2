// The client `graphql-sse`, in both of its modes: it listens, comes back by its own means, and misses nothing.
import { strict as assert } from "node:assert";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { createClient } from "graphql-sse";
import { Feed, Member, Wait, gate, purchase, soon } from "./product.mjs";
import { Server } from "./server.mjs";

const clients = [];
afterEach(() => clients.splice(0).forEach((client) => client.dispose()));

for (const [mode, singleConnection] of [["distinct connections", false], ["a single connection", true]]) {
  /** `retry` is asked when a stream ended that was not complete, or could not be opened. */
  const connect = (server, token, retry = async () => {}) => {
    const lost = gate();
    const client = createClient({
      url: server.graphql,
      singleConnection,
      headers: async () => ({ authorization: `Bearer ${await token()}` }),
      retry: () => {
        lost.open();
        return retry();
      },
    });
    clients.push(client);
    return { client, lost: lost.opened };
  };

  const asking = (client) => async (query, variables) => {
    const { value } = await client.iterate({ query, variables }).next();
    assert.equal(value.errors, undefined);
    return value.data;
  };

  describe(`graphql-sse over ${mode}`, () => {
    let server, fan;
    before(async () => (server = await Server.start()));
    after(() => server.stop());
    beforeEach(async () => (fan = await Member.signIn(server)));

    test("buys, and is told at once", async () => {
      const { client } = connect(server, () => fan.token());
      const feed = new Feed(await fan.newest());
      client.subscribe(feed.request, feed.sink);
      await feed.brings(await purchase(asking(client)));
      await feed.brings(await purchase(asking(client)));
      assert.equal(feed.left, 0);
    });

    test("a new client resumes after the cursor of the last", async () => {
      const feed = new Feed(await fan.newest());
      const stopped = gate();
      const stop = connect(server, () => fan.token()).client.subscribe(feed.request, { ...feed.sink, complete: stopped.open });
      await feed.brings(await purchase(fan.ask));
      stop();
      await soon(stopped.opened, "the end of the subscription");
      const missed = [await purchase(fan.ask), await purchase(fan.ask)];
      connect(server, () => fan.token()).client.subscribe(feed.request, feed.sink);
      for (const bought of missed) await feed.brings(bought);
      assert.equal(feed.left, 0);
    });

    test("a restart is survived, and what came meanwhile is not lost", async () => {
      const back = gate();
      const cursor = await fan.newest();
      // Several, because what a stream hears last when the server stops could be a race.
      const listeners = Array.from({ length: 8 }, () => {
        const { client, lost } = connect(server, () => fan.token(), () => back.opened);
        const feed = new Feed(cursor);
        client.subscribe(feed.request, feed.sink);
        return { feed, lost };
      });
      const all = (what) => Promise.all(listeners.map(what));
      const before = await purchase(fan.ask);
      await all(({ feed }) => feed.brings(before));
      await server.stop();
      await soon(all(({ lost }) => lost), "the end of the streams");
      await server.start();
      const meanwhile = await purchase(fan.ask);
      back.open();
      await all(({ feed }) => feed.brings(meanwhile));
      const live = await purchase(fan.ask);
      await all(({ feed }) => feed.brings(live));
      assert(listeners.every(({ feed }) => feed.left === 0));
    });

    test("a token that is not valid is refused, and the next one taken", async () => {
      const tokens = ["nonsense"];
      const { client, lost } = connect(server, async () => tokens.shift() ?? fan.token());
      const { viewer } = await soon(asking(client)("{ viewer { email } }"), "an answer");
      assert.equal(viewer.email, "fan@spotlight.test");
      await lost;
    });
  });

  describe(`graphql-sse over ${mode} with tokens that live for seconds`, () => {
    let server;
    before(async () => (server = await Server.start({ SPOTLIGHT_AUTH__ACCESS_SECONDS: 3 })));
    after(() => server.stop());

    test("a token that runs out ends the stream, and the client comes back with a fresh one", async () => {
      const buyer = await Member.signIn(server);
      const feed = new Feed(await buyer.newest());
      const listener = await Member.signIn(server);
      const retries = new Wait();
      const { client } = connect(server, () => listener.token(), retries.wait);
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
      assert.equal(feed.left, 0);
    });
  });
}
