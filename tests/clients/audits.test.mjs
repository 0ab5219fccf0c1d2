// Every audit of the GraphQL-over-HTTP specification: what it demands, what it recommends, what it allows.
import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { auditServer } from "graphql-http";
import { Server } from "./server.mjs";

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

test("all audits of GraphQL over HTTP are ok", async () => {
  const results = await auditServer({ url: server.graphql });
  assert.deepEqual(results.filter(({ status }) => status !== "ok").map(({ name, reason }) => `${name}: ${reason}`), []);
  assert.equal(results.length, 61);
});
