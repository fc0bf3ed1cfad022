import { hidesFaces, type Stats } from '@facecast/shared/protocol/ingest-protocol';

type Searched = Pick<Stats, 'recent' | 'shown'>;

/** Pictures of a second that may go unsearched before that is worth a sentence. */
const MAX_UNSEARCHED = 3;

/** The number of faces in the newest picture; undefined if it was not searched. */
export function facesSeen({ faces, recent }: Pick<Stats, 'faces' | 'recent'>): number | undefined {
  const { frames, unsearched } = recent;
  const mostly = unsearched * 2 > frames;
  return mostly || (faces === 0 && unsearched > 0) ? undefined : faces;
}

const NOT_YET_DRAWN =
  'Whole pictures are hidden, until faces are hidden in them as the publisher wishes.';

/** A sentence if faces are not searched in time, or whole pictures are hidden; else empty. */
export function searchNote({ recent, shown }: Searched): string {
  const { frames, unsearched, hidden } = recent;
  if (!shown || shown.hidden) return '';
  if (unsearched <= MAX_UNSEARCHED) return hidden > 0 && hidden === frames ? NOT_YET_DRAWN : '';
  const late = 'The server is too busy to look for faces in time';
  if (hidden > 0) return `${late}: until it has looked, whole pictures are hidden.`;
  if (hidesFaces(shown.effect)) return `${late}: what has moved is hidden, too.`;
  return shown.effect === 'box' ? `${late}: some may be without an outline.` : '';
}
