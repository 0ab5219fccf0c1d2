// `@apollo/client` with its normalised cache: a purchase over HTTP, and a subscription over its link for graphql-ws.
import { strict as assert } from "node:assert";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { FEED, Feed, Member, purchase } from "./product.mjs";
import { Server } from "./server.mjs";

describe("@apollo/client", () => {
  let server, fan, socket, client;
  before(async () => (server = await Server.start()));
  after(() => server.stop());
  beforeEach(async () => {
    fan = await Member.signIn(server);
    const authorization = `Bearer ${fan.session.accessToken}`;
    socket = createClient({ url: server.socket, webSocketImpl: WebSocket, connectionParams: { authorization } });
    const isSubscription = ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION;
    const http = new HttpLink({ uri: server.graphql, headers: { authorization } });
    client = new ApolloClient({ link: ApolloLink.split(isSubscription, new GraphQLWsLink(socket), http), cache: new InMemoryCache() });
  });
  afterEach(async () => {
    client.stop();
    await socket.dispose();
  });

  const ask = async (document, variables) => {
    const query = gql(document);
    const { data, error } = document.startsWith("mutation")
      ? await client.mutate({ mutation: query, variables })
      : await client.query({ query, variables, fetchPolicy: "network-only" });
    assert.equal(error, undefined);
    return data;
  };

  test("buys, and is told at once", async () => {
    const feed = new Feed(await fan.newest());
    const subscription = client.subscribe({ query: gql(FEED), variables: { ...feed.variables } }).subscribe({
      next: ({ data, error }) => (error ? feed.sink.error(error) : feed.sink.next({ data })),
      error: feed.sink.error,
      complete: feed.sink.complete,
    });
    const bought = await purchase(ask);
    await feed.brings(bought);
    await feed.brings(await purchase(ask));
    assert.equal(feed.left, 0);
    // Ids are unique over all types, so the cache finds the booking that the purchase read.
    assert.equal(client.cache.extract()[`Booking:${bought.booking.id}`].status, "CONFIRMED");
    subscription.unsubscribe();
  });

  test("a refusal is told with its code", async () => {
    await assert.rejects(client.query({ query: gql("{ nothing }") }), (error) => {
      assert(CombinedGraphQLErrors.is(error));
      return error.errors[0].extensions.code === "GRAPHQL_VALIDATION_FAILED";
    });
  });
});
