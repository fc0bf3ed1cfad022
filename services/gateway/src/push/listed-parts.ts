/** A part that a live playlist lists. */
export interface ListedPart {
  /** Media sequence number of its segment, and its place in it from 0. */
  msn: number;
  part: number;
  uri: string;
  /** Name of its initialization section. */
  init: string;
  /** Whether it begins with a key frame. */
  isIndependent: boolean;
  /** When its first frame was captured, in milliseconds since the epoch; known of a segment's first part. */
  date: number | undefined;
}

/** The parts that a live playlist lists, the oldest first. */
export function listedParts(text: string): ListedPart[] {
  const parts: ListedPart[] = [];
  let [msn, part, init] = [0, 0, ''];
  let date: number | undefined;
  for (const line of text.split('\n')) {
    const value = line.slice(line.indexOf(':') + 1);
    if (line.startsWith('#EXT-X-MEDIA-SEQUENCE:')) msn = Number(value);
    else if (line.startsWith('#EXT-X-MAP:')) init = uriOf(value);
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) date = Date.parse(value);
    else if (line.startsWith('#EXT-X-PART:')) {
      const isIndependent = value.includes('INDEPENDENT=YES');
      parts.push({ msn, part, uri: uriOf(value), init, isIndependent, date });
      part++;
      date = undefined;
    } else if (line !== '' && !line.startsWith('#')) {
      msn++;
      part = 0;
      date = undefined;
    }
  }
  return parts;
}

function uriOf(attributes: string): string {
  return /URI="([^"]*)"/.exec(attributes)?.[1] ?? '';
}
