const CONTAINERS = ['video/webm', 'video/x-matroska', 'video/mp4'];

/** Whether a declared MIME type is of a container that can be decoded; parameters do not matter. */
export function isSupportedMedia(mimeType: string): boolean {
  const [container = ''] = mimeType.split(';');
  return CONTAINERS.includes(container.trim().toLowerCase());
}
