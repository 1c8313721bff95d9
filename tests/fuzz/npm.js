// Reads packets, a line of hexadecimal each, by npm's `smpp`, and says what they hold.
const smpp = require('smpp');

const text = (value) => (value === undefined ? null : String(value));
const read = (line) => {
  try {
    const pdu = smpp.PDU.fromBuffer(Buffer.from(line, 'hex'));
    const udh = pdu.short_message && pdu.short_message.udh;
    return {
      command: pdu.command_id, status: pdu.command_status, sequence: pdu.sequence_number,
      source: text(pdu.source_addr), source_ton: pdu.source_addr_ton,
      destination: text(pdu.destination_addr), esm_class: pdu.esm_class,
      coding: pdu.data_coding, message_id: text(pdu.message_id), system_id: text(pdu.system_id),
      receipted: text(pdu.receipted_message_id), state: pdu.message_state,
      sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
      udh: udh ? Buffer.concat(udh.map ? udh : [udh]).toString('hex') : null,
    };
  } catch (error) {
    return null;
  }
};

const lines = require('fs').readFileSync(0, 'ascii').split('\n').filter(Boolean);
process.stdout.write(JSON.stringify(lines.map(read)));
