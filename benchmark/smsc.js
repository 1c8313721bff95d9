// An SMSC under load, by npm's `smpp`: subscribers' messages out, replies in, both counted here.
//
// It is told what to do by lines of JSON on stdin, answers each with one line, and ends with stdin.
// What it costs is taken from the machine that is measured, so it says how much that was.
const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const told = JSON.parse(process.argv[2]);
const PIN = /xac thuc ([0-9]{6}),/;
const LOOK_MS = 20;
const STRANGERS = 1e7; // numbers that begin as strangers' do
const bound = new Map(); // the session of each system_id
const open = new Map(); // by number: the message that is under way
const between = {}; // faults that no round was there to see
let people = [];
let person = 0;
let stranger = 0;
let given = 0;
let round = null;

const say = (words) => fs.writeSync(1, JSON.stringify(words) + '\n');
const now = () => performance.now();
const fault = (what, times = 1) => {
  const faults = round ? round.faults : between;
  faults[what] = (faults[what] || 0) + times;
};

// What one turn of the event loop writes leaves together.
const gather = (session) => {
  if (session.gathers) return;
  session.gathers = true;
  session.socket.cork();
  setImmediate(() => { session.gathers = false; session.socket.uncork(); });
};

const ofStranger = () => {
  do {
    stranger = (stranger + 1) % STRANGERS;
  } while (open.has(told.strangers + String(stranger).padStart(7, '0')));
  return { number: told.strangers + String(stranger).padStart(7, '0'), text: 'HD', due: 'reply' };
};
const ofPerson = () => {
  if (person >= people.length) { round.used_up = true; return null; }
  const [number, id] = people[person++];
  return { number, id, text: `DC ${id}`, due: 'PIN' };
};

const fresh = () => {
  if (round.ended || round.used_up) return null;
  if (open.size >= round.order.at_once) {
    // Nobody waits for replies here, so this is as much as may wait at the other end.
    if (round.order.load === 'ingest') round.ended = now();
    return null;
  }
  const one = round.order.load === 'lookup' ? ofPerson() : ofStranger();
  if (one) open.set(one.number, { ...one, began: now() });
  return one && open.get(one.number);
};

const pump = () => {
  while (round.in_flight < round.order.window) {
    const one = round.next.shift() || fresh();
    if (!one) return;
    deliver(one);
  }
};

const deliver = (one) => {
  const of = round;
  gather(of.session);
  of.in_flight += 1;
  one.sent = now();
  of.session.deliver_sm({
    source_addr: one.number, source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: told.short_code, data_coding: 0, short_message: Buffer.from(one.text),
  }, (answer) => answered(of, one, answer.command_status));
};

const answered = (of, one, status) => {
  if (of !== round) { fault('answer-after-its-round'); return; }
  round.heard = now();
  round.in_flight -= 1;
  if (status) {
    fault(`status-${status.toString(16)}`);
    open.delete(one.number);
  } else {
    round.accepted += 1;
    if (!round.ended) round.accepted_in_time += 1;
    one.accepted = round.heard;
    round.spans.accept.push(one.accepted - one.sent);
    if (one.reply !== undefined) advance(one);
  }
  pump();
};

const handedOver = (number, text) => {
  const one = open.get(number);
  if (!round || !one) { fault('reply-to-nothing-open'); return; }
  round.heard = now();
  if (one.reply !== undefined) { fault('reply-handed-over-twice'); return; }
  one.reply = text;
  one.replied = round.heard;
  if (one.accepted) advance(one);
  pump();
};

const recognise = (one) => {
  if (one.due === 'PIN') return PIN.test(one.reply) ? 'PIN' : 'other';
  if (one.due === 'RESULT') return one.reply.includes(`...${one.id.slice(-3)}`) ? 'RESULT' : 'other';
  return 'reply';
};

const advance = (one) => {
  const reply = recognise(one);
  open.delete(one.number);
  round.replies[reply] = (round.replies[reply] || 0) + 1;
  if (reply !== one.due) { fault(`${reply}-instead-of-${one.due}`); return; }
  const inTime = !round.ended;
  round.spans.trip.push(one.replied - one.sent);
  if (inTime) round.in_time += 1;
  if (reply === 'PIN') {
    const text = `XN ${PIN.exec(one.reply)[1]}`;
    const following = { number: one.number, id: one.id, text, due: 'RESULT', began: one.began };
    open.set(one.number, following);
    round.next.push(following);
  } else if (reply === 'RESULT') {
    round.spans.lookup.push(one.replied - one.began);
    if (inTime) round.lookups_in_time += 1;
  }
};

const begin = (order) => {
  const session = bound.get(order.who);
  if (!session) { say({ error: `${order.who} is not bound` }); return; }
  round = {
    order, session, faults: {}, replies: {}, spans: { accept: [], trip: [], lookup: [] },
    next: [], in_flight: 0, accepted: 0, accepted_in_time: 0, in_time: 0, lookups_in_time: 0,
    cpu: process.cpuUsage(), began: now(), heard: now(), ended: 0, used_up: false,
  };
  for (const what of Object.keys(between)) { fault(what, between[what]); delete between[what]; }
  pump();
  round.looking = setInterval(look, LOOK_MS);
};

const look = () => {
  const at = now();
  if (!round.ended && (round.used_up || at - round.began >= round.order.seconds * 1000)) round.ended = at;
  if (bound.get(round.order.who) !== round.session) giveUp('session-lost');
  else if (at - round.heard > round.order.patience * 1000) giveUp('given-up');
  if (round.ended && open.size === 0 && round.in_flight === 0) finish();
};

const giveUp = (why) => {
  round.ended = round.ended || now();
  if (open.size || round.in_flight) fault(why, Math.max(open.size, round.in_flight));
  open.clear();
  round.next = [];
  round.in_flight = 0;
};

const percentiles = (times) => {
  const ordered = Float64Array.from(times).sort();
  const at = (share) => Math.round(ordered[Math.ceil(share * ordered.length) - 1] * 1000) / 1000;
  return { count: ordered.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) };
};

const finish = () => {
  const done = round;
  const { user, system } = process.cpuUsage(done.cpu);
  clearInterval(done.looking);
  round = null;
  const spans = {};
  for (const [name, times] of Object.entries(done.spans)) {
    if (times.length) spans[name] = percentiles(times);
  }
  say({ outcome: {
    seconds: (done.ended - done.began) / 1000, accepted: done.accepted,
    accepted_in_time: done.accepted_in_time, in_time: done.in_time,
    lookups_in_time: done.lookups_in_time, replies: done.replies, faults: done.faults, spans,
    cpu: (user + system) / 1e6, used_up: done.used_up,
  } });
};

const read = (path) => {
  people = fs.readFileSync(path, 'ascii').trim().split('\n').map((line) => line.split(' '));
  person = 0;
  say({ people: people.length });
};

const obey = (command) => {
  const [[word, value]] = Object.entries(command);
  switch (word) {
    case 'round': begin(value); break;
    case 'people': read(value); break;
    case 'bound': say({ bound: bound.has(value) }); break;
    default: throw new Error(`no such order: ${word}`);
  }
};

const textOf = (pdu) => {
  const { message } = pdu.message_payload && pdu.message_payload.message !== undefined
    ? pdu.message_payload : pdu.short_message;
  return Buffer.isBuffer(message) ? message.toString('latin1') : message;
};

const server = smpp.createServer((session) => {
  session.socket.setNoDelay(true);
  // After a PDU that it cannot read, this version reads no further.
  session.on('error', (error) => { process.stderr.write(`${error.message}\n`); session.destroy(); });
  session.on('bind_transceiver', (pdu) => {
    session.send(pdu.response({ system_id: 'smsc' }));
    session.name = pdu.system_id;
    bound.set(session.name, session);
  });
  session.on('close', () => { if (bound.get(session.name) === session) bound.delete(session.name); });
  session.on('submit_sm', (pdu) => {
    gather(session);
    session.send(pdu.response({ message_id: (++given).toString(16) }));
    handedOver(pdu.destination_addr, textOf(pdu));
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
});

stranger = told.first_stranger;
readline.createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line)))
  .on('close', () => process.exit(0));
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
