/** When a track's packets are shown, in seconds of the file's time. */
export interface ShownTimes {
  from: number;
  /** Infinity if all that follows is shown. */
  until: number;
}

/** Maximum size of a movie's description, in bytes; a larger one is not read. */
const MAX_MOVIE_BYTES = 256 * 1024 * 1024;
/** Boxes whose content is read. */
const CONTAINERS = ['moov', 'trak', 'edts'];

/**
 * When each track of an MP4 is shown, by its id; tracks without an edit list (ISO/IEC 14496-12, section
 * 8.6.6) are left out. `pieces`: its list shows anything but one stretch at its own speed.
 */
export async function readEditLists(file: Blob): Promise<Map<number, ShownTimes | 'pieces'>> {
  const movie = await readMovie(file);
  const lists = new Map<number, ShownTimes | 'pieces'>();
  let [timescale, track] = [0, 0];
  for (const { type, content } of movie ? boxes(movie) : []) {
    const isLong = content.getUint8(0) === 1;
    if (type === 'mvhd') timescale = content.getUint32(isLong ? 20 : 12);
    if (type === 'tkhd') track = content.getUint32(isLong ? 20 : 12);
    if (type === 'elst' && content.getUint32(4) > 0)
      lists.set(track, shownTimes(readEdits(content), timescale));
  }
  return lists;
}

/** `duration` is in units of the movie; `start` is where it begins in the media, negative: it shows nothing. */
interface Edit {
  duration: number;
  start: number;
  rate: number;
}

function readEdits(content: DataView): Edit[] {
  const isLong = content.getUint8(0) === 1;
  const bytes = isLong ? 20 : 12;
  return Array.from({ length: content.getUint32(4) }, (_, n) => {
    const at = 8 + n * bytes;
    const [duration, start] = isLong
      ? [Number(content.getBigUint64(at)), Number(content.getBigInt64(at + 8))]
      : [content.getUint32(at), content.getInt32(at + 4)];
    return { duration, start, rate: content.getUint32(at + bytes - 4) / 0x10000 };
  });
}

function shownTimes(edits: Edit[], timescale: number): ShownTimes | 'pieces' {
  const delays = edits.findIndex(({ start }) => start >= 0);
  const [edit, ...more] = edits.slice(delays);
  if (delays < 0 || !edit || edit.rate !== 1 || timescale === 0) return 'pieces';
  if (more.some(({ start }) => start >= 0)) return 'pieces';
  const delay = edits.slice(0, delays).reduce((sum, { duration }) => sum + duration, 0);
  const from = delay / timescale;
  // The duration of fragments is unknown when the list is written.
  return { from, until: edit.duration === 0 ? Infinity : from + edit.duration / timescale };
}

/** The box with a movie's description, and what follows in its file; undefined if there is none. */
async function readMovie(file: Blob): Promise<DataView | undefined> {
  for (let at = 0; at + 8 <= file.size;) {
    const head = new DataView(await file.slice(at, at + 16).arrayBuffer());
    const { type, size } = readHead(head, 0, file.size - at);
    if (type === 'moov' && size <= MAX_MOVIE_BYTES)
      return new DataView(await file.slice(at, at + size).arrayBuffer());
    if (size < 8) return undefined;
    at += size;
  }
  return undefined;
}

/** The boxes within a box, those within them included. */
function* boxes(view: DataView): Generator<{ type: string; content: DataView }> {
  for (let at = 0; at + 8 <= view.byteLength;) {
    const { type, size, headBytes } = readHead(view, at, view.byteLength - at);
    if (size < headBytes || at + size > view.byteLength) return;
    const content = new DataView(view.buffer, view.byteOffset + at + headBytes, size - headBytes);
    if (CONTAINERS.includes(type)) yield* boxes(content);
    else yield { type, content };
    at += size;
  }
}

/** @param rest bytes up to the end of what contains the box: as long is one that says 0 */
function readHead(view: DataView, at: number, rest: number) {
  const type = String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at + 4, 4));
  const size = view.getUint32(at);
  if (size === 1 && at + 16 <= view.byteLength)
    return { type, size: Number(view.getBigUint64(at + 8)), headBytes: 16 };
  return { type, size: size === 0 ? rest : size, headBytes: 8 };
}
