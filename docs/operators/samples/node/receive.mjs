// Take the gateway's replies, with Node 18 or newer and nothing else.
// Usage: node receive.mjs PORT SECRET_FILE
// Prints each genuine reply once. In earnest the ids are kept in a table with a unique key, and the
// status is answered once the reply is stored.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [port, secretFile] = process.argv.slice(2);
const secret = readFileSync(secretFile, "utf8").trim();
const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
const seen = new Set();

function isGenuine(id, timestamp, body, header) {
  if (!/^[0-9]{1,11}$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  const expected = Buffer.from("v1," + mac.digest("base64"));
  // Compared in constant time; several signatures may stand there.
  return header.split(" ").some((given) => {
    const bytes = Buffer.from(given);
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}

const server = createServer(async (request, answer) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  const named = (name) => String(request.headers[name] ?? "");
  const id = named("webhook-id");
  const genuine = isGenuine(id, named("webhook-timestamp"), body, named("webhook-signature"));
  // webhook-id is the reply's id: the same on each attempt.
  if (genuine && !seen.has(id)) {
    seen.add(id);
    console.log(body.toString());
  }
  answer.writeHead(genuine ? 204 : 401).end();
});
server.listen(Number(port), "127.0.0.1", () => console.log(`listening on port ${port}`));
