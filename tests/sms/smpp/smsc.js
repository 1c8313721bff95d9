// An SMSC by npm's `smpp`, driven by lines of JSON on stdin; what happens is told on stdout.
const fs = require('fs');
const smpp = require('smpp');

const told = JSON.parse(process.argv[2]);
const sessions = new Set();
let mode = told.mode || {};
let given = told.first_id || 0;

const tell = (event) => fs.writeSync(1, JSON.stringify(event) + '\n');
const octets = (value) => {
  if (value && value.hex !== undefined) return Buffer.from(value.hex, 'hex');
  if (value && value.udh) return { udh: Buffer.from(value.udh, 'hex'), message: octets(value.message) };
  return value;
};

const submit = (session, pdu) => {
  const message = pdu.message_payload ? pdu.message_payload.message : pdu.short_message.message;
  tell({
    event: 'submit', source: pdu.source_addr, destination: pdu.destination_addr,
    source_ton: pdu.source_addr_ton, destination_ton: pdu.dest_addr_ton, coding: pdu.data_coding,
    text: Buffer.isBuffer(message) ? message.toString('latin1') : message,
    seconds: Math.round((pdu.validity_period - Date.now()) / 1000), registered: pdu.registered_delivery,
  });
  const id = (++given).toString(16);
  switch (mode.submit || 'ok') {
    case 'ok': session.send(pdu.response({ message_id: id })); break;
    case 'late': setTimeout(() => session.send(pdu.response({ message_id: id })), mode.after); break;
    case 'refuse': session.send(pdu.response({ command_status: mode.status })); break;
    case 'reset': session.socket.resetAndDestroy(); break;
    case 'unbind': session.unbind(); break;
    case 'silent': break;
  }
};

const bound = (kind) => function (pdu) {
  tell({ event: 'bind', kind, system_id: pdu.system_id, password: pdu.password });
  if (mode.bind) return this.send(pdu.response({ command_status: mode.bind }));
  this.send(pdu.response({ system_id: 'smsc' }));
  if (kind !== 'transmitter') sessions.add(this);
  return undefined;
};

const options = told.key ? { key: told.key, cert: told.cert } : {};
const server = smpp.createServer(options, (session) => {
  session.socket.setNoDelay(true);
  session.on('error', (error) => { tell({ event: 'error', text: error.message }); session.destroy(); });
  session.on('close', () => { sessions.delete(session); tell({ event: 'close' }); });
  session.on('bind_transceiver', bound('transceiver'));
  session.on('bind_receiver', bound('receiver'));
  session.on('bind_transmitter', bound('transmitter'));
  session.on('submit_sm', (pdu) => submit(session, pdu));
  session.on('enquire_link', (pdu) => {
    tell({ event: 'enquire_link' });
    if (!mode.deaf) session.send(pdu.response());
  });
  session.on('enquire_link_resp', () => tell({ event: 'enquire_link_resp' }));
  session.on('generic_nack', (pdu) => tell({ event: 'nack', status: pdu.command_status }));
  session.on('unbind', (pdu) => {
    tell({ event: 'unbind' });
    session.send(pdu.response());
    session.close();
  });
});

const deliver = (one) => {
  const pdu = { ...one.pdu };
  for (const name of ['short_message', 'message_payload', 'receipted_message_id']) {
    if (pdu[name] !== undefined) pdu[name] = octets(pdu[name]);
  }
  const session = [...sessions].pop();
  session.deliver_sm(pdu, (answer) => tell({ event: 'answer', name: one.name, status: answer.command_status }));
};

const obey = (command) => {
  switch (command.do) {
    case 'mode': mode = command.mode; tell({ event: 'mode' }); break;
    case 'deliver': command.all.forEach(deliver); break;
    case 'enquire': sessions.forEach((session) => session.enquire_link()); break;
    case 'unbind': sessions.forEach((session) => session.unbind()); break;
    case 'reset': sessions.forEach((session) => session.socket.resetAndDestroy()); break;
    case 'freeze': sessions.forEach((session) => session.socket.pause()); break;
    case 'raw': sessions.forEach((session) => session.socket.write(Buffer.from(command.hex, 'hex'))); break;
  }
};

let rest = '';
process.stdin.on('data', (data) => {
  const lines = (rest + data).split('\n');
  rest = lines.pop();
  lines.forEach((line) => obey(JSON.parse(line)));
});
process.stdin.on('end', () => process.exit(0));
server.listen(told.port, '127.0.0.1', () => tell({ event: 'listening' }));
