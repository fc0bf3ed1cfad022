import type { Container } from '../demux/container.js';

/** Maximum bytes of a header that are searched for an audio track. */
const MAX_HEADER_BYTES = 64 * 1024;

/** CodecID (RFC 9559, section 5.1.4.1.21) of an audio track: its id, a size of one byte, and "A_". */
const MATROSKA_AUDIO = /\x86[\x80-\xff]A_/;
const MATROSKA_CLUSTER = '\x1f\x43\xb6\x75';
/** An audio track's handler box (ISO/IEC 14496-12, section 8.4.3): its type, 8 bytes, then `soun`. */
const MP4_AUDIO = /hdlr[^]{8}soun/;
const MP4_MEDIA = /moof|mdat/;

/**
 * Whether an input stream that begins with these bytes has an audio track; undefined if they are too few to
 * tell.
 */
export function hasAudioTrack(container: Container, start: Buffer): boolean | undefined {
  const text = start.toString('latin1', 0, MAX_HEADER_BYTES);
  const [audio, media] =
    container === 'matroska' ? [MATROSKA_AUDIO, MATROSKA_CLUSTER] : [MP4_AUDIO, MP4_MEDIA];
  const mediaAt = text.search(media);
  const header = mediaAt < 0 ? text : text.slice(0, mediaAt);
  if (audio.test(header)) return true;
  return mediaAt >= 0 || start.length >= MAX_HEADER_BYTES ? false : undefined;
}
