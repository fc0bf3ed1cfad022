/** The kinds of media files that a session's folder has for players. */
export type MediaKind = 'init' | 'segment' | 'part';

const NUMBER = '(0|[1-9][0-9]{0,14})';
const NAMES: [MediaKind, RegExp][] = [
  ['part', new RegExp(`^${NUMBER}\\.${NUMBER}\\.m4s$`)],
  ['segment', new RegExp(`^${NUMBER}\\.m4s$`)],
  ['init', new RegExp(`^init-${NUMBER}\\.mp4$`)],
];

/** What a file name means to a player; undefined for names that are not served. */
export function mediaKind(name: string): MediaKind | undefined {
  return NAMES.find(([, pattern]) => pattern.test(name))?.[0];
}
