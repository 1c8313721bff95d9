// Hand one message of a citizen to the gateway, with Node 18 or newer and nothing else.
// Usage: node send.mjs URL SECRET_FILE FROM TO TEXT
// Prints the status and the answer; ends 0 if the message is kept, else 1.

import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const [url, secretFile, from, to, text] = process.argv.slice(2);

/** Sign the very bytes that go out. */
function sign(secret, id, timestamp, body) {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return "v1," + createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
}

const secret = readFileSync(secretFile, "utf8").trim();
const now = new Date().toISOString();
const id = `mo-${randomBytes(8).toString("hex")}`;
const body = JSON.stringify({
  type: "message.received",
  timestamp: now,
  data: { id, from, to, text, received_at: now },
});
const event = `evt-${randomBytes(8).toString("hex")}`;
const timestamp = String(Math.floor(Date.now() / 1000));

const answer = await fetch(url, {
  method: "POST",
  headers: {
    "content-type": "application/json",
    "webhook-id": event,
    "webhook-timestamp": timestamp,
    "webhook-signature": sign(secret, event, timestamp, body),
  },
  body,
  redirect: "manual",
  signal: AbortSignal.timeout(10_000),
});
console.log(answer.status, await answer.text());
process.exitCode = answer.status === 202 ? 0 : 1;
