/** Number of bytes of an access unit that are read: its SEI messages come before its picture. */
export const LOOKED_AT_BYTES = 1024;

/** Types of NAL units (ISO/IEC 14496-10, table 7-1). */
const SLICE = 1;
const IDR_SLICE = 5;
const SEI = 6;
/** Type of an SEI message (annex D.1). */
const RECOVERY_POINT = 6;

/**
 * Number of reference frames after which a decoder that begins here shows clean pictures: the recovery
 * point of an H.264 stream with intra refresh instead of key frames (ISO/IEC 14496-10, D.2.8). 0 if the
 * picture is complete by itself, or there is no recovery point.
 *
 * @param unit the first bytes of an access unit, its NAL units each behind their length in 4 bytes, or
 *   behind start codes
 */
export function refreshFrames(unit: Buffer): number {
  for (const nal of nalUnits(unit)) {
    const type = nal[0]! & 0x1f;
    if (type === IDR_SLICE || type === SLICE) return 0;
    const frames = type === SEI ? recoveryFrames(withoutEscapes(nal.subarray(1))) : undefined;
    if (frames !== undefined) return frames;
  }
  return 0;
}

function* nalUnits(unit: Buffer): Generator<Buffer> {
  if (unit.indexOf(START_CODE) === 0 || unit.indexOf(LONG_START_CODE) === 0) {
    for (let at = unit.indexOf(START_CODE); at >= 0;) {
      const next = unit.indexOf(START_CODE, at + 3);
      const nal = unit.subarray(at + 3, next < 0 ? unit.length : next);
      if (nal.length > 0) yield nal;
      at = next;
    }
    return;
  }
  for (let at = 0; at + 4 < unit.length;) {
    const bytes = unit.readUInt32BE(at);
    if (bytes === 0) return;
    yield unit.subarray(at + 4, at + 4 + bytes);
    at += 4 + bytes;
  }
}

const START_CODE = Buffer.from([0, 0, 1]);
const LONG_START_CODE = Buffer.from([0, 0, 0, 1]);

/** Removes emulation_prevention_three_byte (7.3.1). */
function withoutEscapes(bytes: Buffer): Buffer {
  return Buffer.from(
    bytes.filter((byte, n) => !(byte === 3 && !bytes[n - 1] && !bytes[n - 2] && n > 1)),
  );
}

/** `recovery_frame_cnt` of the first recovery point among SEI messages; undefined if there is none. */
function recoveryFrames(messages: Buffer): number | undefined {
  let at = 0;
  const readNumber = () => {
    let value = 0;
    while (messages[at] === 0xff) value += messages[at++]!;
    return value + (messages[at++] ?? 0);
  };
  while (at + 2 < messages.length) {
    const type = readNumber();
    const bytes = readNumber();
    if (type === RECOVERY_POINT) return readExpGolomb(messages.subarray(at, at + bytes));
    at += bytes;
  }
  return undefined;
}

/** The first number, ue(v), of these bits (9.1). */
function readExpGolomb(bytes: Buffer): number {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const zeros = bits.indexOf('1');
  return zeros < 0 ? 0 : Number.parseInt(bits.slice(zeros, 2 * zeros + 1), 2) - 1;
}
