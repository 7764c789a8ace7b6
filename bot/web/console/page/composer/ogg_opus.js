// A voice note as WhatsApp takes it: Opus packets move from the browser's WebM into Ogg, without a new encoding.

const MASTERS = new Set([0x18538067, 0x1f43b675, 0x1654ae6b, 0xae, 0xa0]);
const [SIMPLE_BLOCK, BLOCK, CODEC_PRIVATE] = [0xa3, 0xa1, 0x63a2];
// https://www.rfc-editor.org/rfc/rfc6716#section-3.1, samples of a frame at 48 kHz by its configuration.
const FRAME = [480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960];
// https://www.rfc-editor.org/rfc/rfc3533#section-6
const MOST_SEGMENTS = 255;
const PACKETS_A_PAGE = 50;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

/** An Ogg file of the Opus packets of a WebM recording; undefined where there are none. */
export function oggOf(webm) {
  const { head, packets } = packetsOf(new Uint8Array(webm));
  if (!head || !packets.length) return undefined;
  const serial = crypto.getRandomValues(new Uint32Array(1))[0];
  const pages = [page([head], { serial, number: 0, flags: 2, granule: 0 }), page([tags()], { serial, number: 1, flags: 0, granule: 0 })];
  let granule = 0;
  for (const [at, group] of groups(packets).entries()) {
    granule += group.reduce((sum, packet) => sum + samples(packet), 0);
    pages.push(page(group, { serial, number: at + 2, flags: 0, granule }));
  }
  const last = pages.at(-1);
  last[5] |= 4;
  sign(last);
  return new Blob(pages, { type: "audio/ogg" });
}

/** The codec's head and the packets in their order. */
function packetsOf(bytes) {
  const found = { head: undefined, packets: [] };
  let at = 0;
  while (at < bytes.length) {
    const id = vint(bytes, at, false);
    const size = id && vint(bytes, at + id.length, true);
    if (!size) break;
    at += id.length + size.length;
    if (MASTERS.has(id.value)) continue;
    const data = bytes.subarray(at, at + size.value);
    if (id.value === CODEC_PRIVATE) found.head = data;
    if (id.value === SIMPLE_BLOCK || id.value === BLOCK) {
      const track = vint(data, 0, true);
      found.packets.push(data.subarray(track.length + 3));
    }
    at += size.value;
  }
  return found;
}

/** EBML's number of variable length; an id keeps its marker. */
function vint(bytes, at, cut) {
  const first = bytes[at];
  if (!first) return undefined;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return undefined;
  let value = cut ? first & (0xff >> length) : first;
  for (let next = 1; next < length; next += 1) value = value * 256 + bytes[at + next];
  return { value, length };
}

function samples(packet) {
  const frames = [1, 2, 2, packet[1] & 63][packet[0] & 3];
  return FRAME[packet[0] >> 3] * frames;
}

const segments = (packet) => Math.floor(packet.length / 255) + 1;

function groups(packets) {
  const all = [[]];
  let count = 0;
  for (const packet of packets) {
    if (all.at(-1).length === PACKETS_A_PAGE || count + segments(packet) > MOST_SEGMENTS) {
      all.push([]);
      count = 0;
    }
    all.at(-1).push(packet);
    count += segments(packet);
  }
  return all;
}

function tags() {
  const vendor = new TextEncoder().encode("Recado");
  const bytes = new Uint8Array(16 + vendor.length);
  bytes.set(new TextEncoder().encode("OpusTags"));
  new DataView(bytes.buffer).setUint32(8, vendor.length, true);
  bytes.set(vendor, 12);
  return bytes;
}

function page(packets, { serial, number, flags, granule }) {
  const lacing = packets.flatMap((packet) => [...Array(segments(packet) - 1).fill(255), packet.length % 255]);
  const bytes = new Uint8Array(27 + lacing.length + packets.reduce((sum, packet) => sum + packet.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("OggS"));
  bytes[5] = flags;
  view.setBigUint64(6, BigInt(granule), true);
  view.setUint32(14, serial, true);
  view.setUint32(18, number, true);
  bytes[26] = lacing.length;
  bytes.set(lacing, 27);
  let at = 27 + lacing.length;
  for (const packet of packets) {
    bytes.set(packet, at);
    at += packet.length;
  }
  sign(bytes);
  return bytes;
}

function sign(bytes) {
  const view = new DataView(bytes.buffer);
  view.setUint32(22, 0, true);
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ CRC[((crc >>> 24) ^ byte) & 0xff]) >>> 0;
  view.setUint32(22, crc, true);
}
