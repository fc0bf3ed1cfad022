import { findBox, listBoxes } from '@facecast/shared/media/iso-boxes';

/** Bytes of a visual sample entry's fields before the boxes in it (ISO/IEC 14496-12, 12.1.3). */
const VISUAL_SAMPLE_ENTRY_BYTES = 78;
/** Bytes before the first entry of `stsd` (ISO/IEC 14496-12, 8.5.2). */
const SAMPLE_DESCRIPTION_BYTES = 8;
/** AAC-LC, the only profile that the segmenter makes (RFC 6381). */
const AAC_LC = 'mp4a.40.2';

/** MIME type of an initialization section, with its codecs as RFC 6381 writes them. */
export function mimeTypeOf(init: Buffer): string {
  const codecs = unlessDamaged(() => codecsOf(init)) ?? [];
  return codecs.length === 0 ? 'video/mp4' : `video/mp4; codecs="${codecs.join(',')}"`;
}

/** Ticks a second of an initialization section's first track; undefined if it has none. */
export function timescaleOf(init: Buffer): number | undefined {
  return unlessDamaged(() => {
    const header = findBox(init, 'moov', 'trak', 'mdia', 'mdhd');
    // Version 1 has times of 64 bits.
    return header?.readUInt32BE(header[0] === 1 ? 20 : 12);
  });
}

/** Decode time of a fragment of the first track, in ticks; undefined if it has none. */
export function decodeTimeOf(fragment: Buffer): number | undefined {
  return unlessDamaged(() => {
    const time = findBox(fragment, 'moof', 'traf', 'tfdt');
    return time && (time[0] === 1 ? Number(time.readBigUInt64BE(4)) : time.readUInt32BE(4));
  });
}

function codecsOf(init: Buffer): string[] {
  const tracks = listBoxes(findBox(init, 'moov') ?? Buffer.of());
  return tracks.flatMap(({ type, content }) => (type === 'trak' ? codecOf(content) : []));
}

function codecOf(track: Buffer): string[] {
  const table = findBox(track, 'mdia', 'minf', 'stbl', 'stsd');
  const entries = table?.subarray(SAMPLE_DESCRIPTION_BYTES) ?? Buffer.of();
  if (findBox(entries, 'mp4a')) return [AAC_LC];
  const picture = findBox(entries, 'avc1')?.subarray(VISUAL_SAMPLE_ENTRY_BYTES);
  const avcC = picture && findBox(picture, 'avcC');
  return avcC ? [`avc1.${avcC.toString('hex', 1, 4)}`] : [];
}

/** What `read` returns; undefined if the bytes are no boxes. */
function unlessDamaged<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
