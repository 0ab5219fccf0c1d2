// `@urql/core`: a purchase, and a subscription both over its own SSE and over graphql-ws, as its documentation sets them up.
import { strict as assert } from "node:assert";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { FEED, Feed, Member, purchase } from "./product.mjs";
import { Server } from "./server.mjs";

describe("@urql/core", () => {
  let server, fan, socket;
  before(async () => (server = await Server.start()));
  after(() => server.stop());
  beforeEach(async () => (fan = await Member.signIn(server)));
  afterEach(() => socket?.dispose());

  const connect = (exchanges, options) => {
    const authorization = `Bearer ${fan.session.accessToken}`;
    return new Client({ url: server.graphql, exchanges, fetchOptions: () => ({ headers: { authorization } }), ...options });
  };

  const overWebSocket = () => {
    const connectionParams = { authorization: `Bearer ${fan.session.accessToken}` };
    socket = createClient({ url: server.socket, webSocketImpl: WebSocket, connectionParams });
    const forwardSubscription = ({ query, variables }) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
    });
    return connect([subscriptionExchange({ forwardSubscription }), fetchExchange]);
  };

  const asking = (client) => async (query, variables) => {
    const isMutation = query.startsWith("mutation");
    const { data, error } = await (isMutation ? client.mutation(query, variables) : client.query(query, variables)).toPromise();
    assert.equal(error, undefined);
    return data;
  };

  const ways = {
    "over SSE": () => connect([fetchExchange], { fetchSubscriptions: true }),
    "over WebSocket": overWebSocket,
  };
  for (const [way, connecting] of Object.entries(ways)) {
    test(`buys, and is told at once ${way}`, async () => {
      const client = connecting();
      const feed = new Feed(await fan.newest());
      const { unsubscribe } = client.subscription(FEED, { ...feed.variables }).subscribe(({ data, error }) =>
        error ? feed.sink.error(error) : feed.sink.next({ data }),
      );
      await feed.brings(await purchase(asking(client)));
      await feed.brings(await purchase(asking(client)));
      assert.equal(feed.left, 0);
      unsubscribe();
    });
  }

  test("a refusal is told with its code", async () => {
    const { error } = await connect([fetchExchange]).query("{ nothing }", {}).toPromise();
    assert.equal(error.graphQLErrors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  });
});
