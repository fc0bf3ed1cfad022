import { ProtocolError } from './protocol-error.js';

const CONTAINERS = ['video/webm', 'video/x-matroska', 'video/mp4'];

/** Whether a declared MIME type is of a container that can be decoded; parameters do not matter. */
export function isSupportedMedia(mimeType: string): boolean {
  const [container = ''] = mimeType.split(';');
  return CONTAINERS.includes(container.trim().toLowerCase());
}

/** Why an input stream of this MIME type cannot be taken; undefined if it can. */
export function mediaProblem(mimeType: string): ProtocolError | undefined {
  if (isSupportedMedia(mimeType)) return undefined;
  return new ProtocolError('unsupported_media', 'Only WebM, Matroska and MP4 can be sent.');
}
