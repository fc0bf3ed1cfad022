/** The bytes are not AAC in ADTS frames. */
export class AdtsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AdtsError';
  }
}

/**
 * Extracts AAC frames from an ADTS stream as it arrives: each is given with its last byte, without the
 * header, as MP4 needs it.
 *
 * Source: ISO/IEC 14496-3, 1.A.2.2 and 1.A.3.2.
 */
export class AdtsParser {
  private rest: Buffer = Buffer.alloc(0);

  /**
   * The AAC frames that `bytes` completes.
   * @throws {AdtsError}
   */
  push(bytes: Buffer): Buffer[] {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const frames: Buffer[] = [];
    while (this.rest.length >= MIN_HEADER_BYTES) {
      const { headerBytes, frameBytes } = readHeader(this.rest);
      if (this.rest.length < frameBytes) break;
      frames.push(this.rest.subarray(headerBytes, frameBytes));
      this.rest = this.rest.subarray(frameBytes);
    }
    return frames;
  }
}

const MIN_HEADER_BYTES = 7;
const CHECKSUM_BYTES = 2;
const SYNC_WORD = 0xfff;

function readHeader(bytes: Buffer): { headerBytes: number; frameBytes: number } {
  const head = bytes.readUInt16BE(0);
  if (head >> 4 !== SYNC_WORD) throw new AdtsError('not an ADTS stream');
  const unprotected = (head & 1) === 1;
  const headerBytes = MIN_HEADER_BYTES + (unprotected ? 0 : CHECKSUM_BYTES);
  const frameBytes = (bytes.readUInt32BE(3) >>> 13) & 0x1fff;
  if (frameBytes <= headerBytes) throw new AdtsError(`a frame of ${frameBytes} bytes`);
  if ((bytes.readUInt8(6) & 3) !== 0) throw new AdtsError('several blocks in one frame');
  return { headerBytes, frameBytes };
}
