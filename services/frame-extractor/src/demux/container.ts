import { z } from 'zod';

/** The containers that can be read, by the names of ffmpeg's demuxers. */
export const containerSchema = z.enum(['matroska', 'mov']);
export type Container = z.infer<typeof containerSchema>;

const CONTAINERS: Record<string, Container> = {
  'video/webm': 'matroska',
  'video/x-matroska': 'matroska',
  'video/mp4': 'mov',
};

/** The container that a MIME type declares, whatever its parameters say. */
export function declaredContainer(mimeType: string): Container | undefined {
  const [essence = ''] = mimeType.split(';');
  return CONTAINERS[essence.trim().toLowerCase()];
}

/** With this many bytes of a stream it is certain whether they begin a container. */
export const SNIFFED_BYTES = 8;

/** Every Matroska file begins with an EBML header (RFC 8794, section 11.2.1). */
const EBML_MAGIC = Buffer.from([0x1a, 0x45, 0xdf, 0xa3]);

/** Boxes that a fragmented MP4 may begin with (ISO/IEC 14496-12, section 4.3): size, then type. */
const FIRST_BOXES = ['ftyp', 'styp', 'moov'];

/** The container that the first `SNIFFED_BYTES` of a stream begin, if any. */
export function sniffContainer(bytes: Buffer): Container | undefined {
  if (bytes.subarray(0, EBML_MAGIC.length).equals(EBML_MAGIC)) return 'matroska';
  return FIRST_BOXES.includes(bytes.toString('latin1', 4, 8)) ? 'mov' : undefined;
}
