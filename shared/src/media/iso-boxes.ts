/**
 * Boxes of the ISO base media file format, ISO/IEC 14496-12 section 4.2: a size, a type of four
 * letters, and a content of further boxes or of fields.
 */

/** One box around `content`. */
export function box(type: string, ...content: Uint8Array[]): Buffer {
  const bytes = content.reduce((sum, part) => sum + part.length, BOX_HEADER_BYTES);
  return Buffer.concat([u32(bytes), Buffer.from(type, 'latin1'), ...content], bytes);
}

/** A box with a version and 24 bits of flags before its content. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...content: Uint8Array[]
): Buffer {
  return box(type, u32(version * 0x1000000 + flags), ...content);
}

export function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16BE(value, index * 2));
  return bytes;
}

export function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** Content of the box at `path`, the first of each type, without its header; undefined if there is none. */
export function findBox(bytes: Buffer, ...path: string[]): Buffer | undefined {
  const [type, ...deeper] = path;
  if (type === undefined) return bytes;
  const found = listBoxes(bytes).find((candidate) => candidate.type === type);
  return found && findBox(found.content, ...deeper);
}

/**
 * The boxes that lie one after another in `bytes`.
 * @throws {RangeError} if they do not fill it exactly
 */
export function listBoxes(bytes: Buffer): { type: string; content: Buffer }[] {
  const boxes = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size < BOX_HEADER_BYTES || at + size > bytes.length) throw new RangeError('not a box');
    boxes.push({
      type: bytes.toString('latin1', at + 4, at + BOX_HEADER_BYTES),
      content: bytes.subarray(at + BOX_HEADER_BYTES, at + size),
    });
    at += size;
  }
  return boxes;
}

export const BOX_HEADER_BYTES = 8;
