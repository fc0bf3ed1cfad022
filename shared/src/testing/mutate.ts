/** Pseudo-random numbers from 0 up to 1, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Half of all mutations begin within this many bytes of an input stream's start, where its header is. */
const START_BYTES = 600;
const MAX_MUTATIONS = 4;

/**
 * An input stream with one to four mutations: bits flipped, bytes set to an extreme, pieces cut out, moved
 * or repeated, or the end cut off. The same for the same seed.
 */
export function mutated(inputStream: Buffer, seed: number): Buffer {
  const random = randomNumbers(seed);
  const upTo = (limit: number) => Math.floor(random() * limit);
  let bytes = Buffer.from(inputStream);
  const place = () => upTo(random() < 0.5 ? Math.min(START_BYTES, bytes.length) : bytes.length);
  const piece = (from: number) => bytes.subarray(from, from + 1 + upTo(2 ** (1 + upTo(12))));
  const insert = (at: number, inserted: Buffer) =>
    Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
  const mutations = [
    () => void (bytes[place()]! ^= 1 << upTo(8)),
    () => void (bytes[place()] = [0x00, 0x01, 0x7f, 0x80, 0xff][upTo(5)]!),
    () => void bytes.fill(upTo(256), place(), place()),
    () => {
      const from = place();
      bytes = Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + piece(from).length)]);
    },
    () => void (bytes = insert(place(), piece(place()))),
    () => {
      const from = place();
      const repeated = piece(from);
      bytes = insert(from, Buffer.concat(Array<Buffer>(1 + upTo(20)).fill(repeated)));
    },
    () => void (bytes = bytes.subarray(0, place())),
  ];
  for (let count = 1 + upTo(MAX_MUTATIONS); count > 0 && bytes.length > 0; count--)
    mutations[upTo(mutations.length)]!();
  return bytes;
}
