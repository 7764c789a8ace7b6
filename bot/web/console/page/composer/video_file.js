// A video before it is sent: its container and codecs, from the boxes of the file, without its frames.

const MOST_BOXES = 512;
// The list of tracks of sixteen megabytes of film is far smaller.
const LARGEST_MOOV = 4 * 2 ** 20;

const letters = (view, at) => String.fromCharCode(...[0, 1, 2, 3].map((number) => view.getUint8(at + number)));

/** A box at a place, or undefined where no whole box stands: `{ name, start, end }`. */
function boxAt(view, at, limit, whole = limit) {
  if (limit - at < 8) return undefined;
  let [size, header] = [view.getUint32(at), 8];
  if (size === 1 && limit - at >= 16) [size, header] = [view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12), 16];
  if (size === 0) size = whole - at;
  return size < header ? undefined : { name: letters(view, at + 4), start: at + header, end: at + size };
}

function* boxes(view, { start, end }) {
  for (let [at, count] = [start, 0]; count < MOST_BOXES; count += 1) {
    const box = boxAt(view, at, end);
    if (!box || box.end > end) return;
    yield box;
    at = box.end;
  }
}

const find = (view, within, name) => within && [...boxes(view, within)].find((box) => box.name === name);

function trackOf(view, trak) {
  const media = find(view, trak, "mdia");
  const handler = find(view, media, "hdlr");
  const samples = find(view, find(view, find(view, media, "minf"), "stbl"), "stsd");
  return { handler: handler && letters(view, handler.start + 8), codec: samples && letters(view, samples.start + 12) };
}

const part = async (file, start, end) => new DataView(await file.slice(start, end).arrayBuffer());

/** The brand and the tracks of an MP4 file; no tracks where it is none, or broken. */
async function filmOf(file) {
  let [brand, tracks] = ["", []];
  for (let [at, count] = [0, 0]; at < file.size && count < MOST_BOXES; count += 1) {
    const head = await part(file, at, at + 16);
    const box = boxAt(head, 0, head.byteLength, file.size - at);
    if (!box) break;
    if (box.name === "ftyp" && box.start + 4 <= head.byteLength) brand = letters(head, box.start);
    if (box.name === "moov" && box.end - box.start <= LARGEST_MOOV) {
      const view = await part(file, at + box.start, at + box.end);
      tracks = [...boxes(view, { start: 0, end: view.byteLength })].filter(({ name }) => name === "trak").map((trak) => trackOf(view, trak));
    }
    at += box.end;
  }
  return { brand, tracks };
}

/** The name of the text that says why WhatsApp would not play a video; undefined where it would. */
export async function videoProblem(file) {
  const { brand, tracks } = await filmOf(file).catch(() => ({ brand: "", tracks: [] }));
  if (!brand || brand === "qt  ") return "video_container";
  const codecs = (handler) => tracks.filter((track) => track.handler === handler).map(({ codec }) => codec);
  const [seen, heard] = [codecs("vide"), codecs("soun")];
  if (!seen.length) return "video_broken";
  if (!seen.every((codec) => codec === "avc1" || codec === "avc3")) return "video_codec";
  return heard.length > 1 || heard.some((codec) => codec !== "mp4a") ? "video_sound" : undefined;
}
