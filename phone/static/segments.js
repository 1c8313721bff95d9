// How a text travels as SMS: the same rule as sms/segments.py, held to it by a test.
// Source: 3GPP TS 23.038 (alphabets), 3GPP TS 23.040 9.2.3.24.1 (joined messages).

const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const EXTENSION = new Set("\f^{}\\[~]|€");
const ALONE = { gsm7: 160, ucs2: 70 };
const JOINED = { gsm7: 153, ucs2: 67 };

/** Say how a text is encoded, its units, its segments, and how many units one segment holds. */
export function measure(text) {
  const characters = [...text];
  const plain = characters.every((each) => BASIC.has(each) || EXTENSION.has(each));
  const encoding = plain ? "gsm7" : "ucs2";
  const costs = characters.map((each) => (plain ? 1 + EXTENSION.has(each) : each.length));
  const units = costs.reduce((sum, cost) => sum + cost, 0);
  if (units <= ALONE[encoding]) {
    return { encoding, units, segments: 1, room: ALONE[encoding] };
  }
  let segments = 1;
  let filled = 0;
  for (const cost of costs) {
    // A character of two units is never cut.
    if (filled + cost > JOINED[encoding]) {
      segments += 1;
      filled = 0;
    }
    filled += cost;
  }
  return { encoding, units, segments, room: segments * JOINED[encoding] };
}
