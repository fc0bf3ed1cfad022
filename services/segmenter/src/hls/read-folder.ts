import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { orMissing, readIfThere, UNFINISHED } from '../atomic-files.js';
import { readPartHeader } from '../mp4/fragment.js';
import { nextPart, parsePlaylist, partName, type MediaPlaylist } from './media-playlist.js';

/** What a session's folder holds for a segmenter that resumes it. */
export interface FoundFolder {
  playlist: MediaPlaylist | undefined;
  /** How many batches and frames are listed, or were. */
  batches: number;
  frames: number;
  /** Contents of the parts of the segment that is not complete. */
  openSegment: readonly Buffer[];
  /** A part that was written under the hinted name, but not listed. */
  hintedPart: { batch: number; content: Buffer } | undefined;
  /** First number that no initialization section has. */
  nextInit: number;
  /** Names of files that the playlist listed once, and does not any more. */
  unlisted: string[];
  /** Names of files that no playlist ever listed. */
  orphans: string[];
}

/** The folder of a session that has not begun. */
export const FRESH: FoundFolder = {
  playlist: undefined,
  batches: 0,
  frames: 0,
  openSegment: [],
  hintedPart: undefined,
  nextInit: 0,
  unlisted: [],
  orphans: [],
};

/**
 * Reads a session's folder back; undefined if there is none. The playlist says what is listed, and the last
 * part says its batch's number, so no other state is needed.
 */
export async function readFolder(
  folder: string,
  cadence: Cadence,
): Promise<FoundFolder | undefined> {
  const names = await orMissing(() => readdir(folder));
  if (!names) return undefined;
  const nextInit = Math.max(-1, ...names.map(initNumber)) + 1;
  const text = await readIfThere(join(folder, HLS_FILES.playlist));
  const unfinished = names.filter((name) => name.endsWith(UNFINISHED));
  if (!text) {
    return { ...FRESH, nextInit, orphans: [...unfinished, ...names.filter(isMedia)] };
  }
  const playlist = parsePlaylist(text.toString(), cadence);
  const read = (name: string) => readIfThere(join(folder, name));
  const last = playlist.segments.at(-1);
  const openSegment =
    last && !last.complete
      ? await readAll(
          last.parts.map(({ uri }) => uri),
          read,
        )
      : [];
  const position = await readPosition(playlist, names, read);
  const hintedPart = await readHintedPart(playlist, nextInit, position.batches, read);
  const next = nextPart(playlist);
  const strays = strayNames(names, playlist);
  return {
    playlist,
    ...position,
    openSegment,
    hintedPart,
    nextInit,
    unlisted: strays.filter((name) => mediaSequence(name) < next.msn),
    orphans: [
      ...unfinished,
      ...strays.filter(
        (name) => mediaSequence(name) >= next.msn && !(hintedPart && name === partName(next)),
      ),
    ],
  };
}

type Read = (name: string) => Promise<Buffer | undefined>;

async function readAll(names: string[], read: Read): Promise<Buffer[]> {
  const contents = await Promise.all(names.map(read));
  const missing = names.filter((_, index) => contents[index] === undefined);
  if (missing.length > 0) throw new Error(`listed but not there: ${missing.join(', ')}`);
  return contents.filter((content) => content !== undefined);
}

async function readPosition({ segments }: MediaPlaylist, names: string[], read: Read) {
  const last = segments.at(-1);
  // A playlist that has ended lists no parts.
  const name = last && (last.parts.at(-1)?.uri ?? newestPart(names, last.msn));
  const content = name && (await read(name));
  const header = content && readPartHeader(content);
  if (!header) throw new Error('the last part that is listed cannot be read');
  return {
    batches: header.batch + 1,
    frames: header.firstFrame + header.frameCount,
  };
}

/** Name of a segment's last part that is there; undefined if none is. */
function newestPart(names: string[], msn: number): string | undefined {
  const parts = names.filter((name) => name.startsWith(`${msn}.`)).map(partNumber);
  const part = Math.max(-1, ...parts);
  return part < 0 ? undefined : partName({ msn, part });
}

/** The hinted part; undefined if a later encoder began, whose part it may be. */
async function readHintedPart(
  playlist: MediaPlaylist,
  nextInit: number,
  batch: number,
  read: Read,
) {
  const init = playlist.segments.at(-1)?.init ?? '';
  if (playlist.ended || initNumber(init) !== nextInit - 1) return undefined;
  const content = await read(partName(nextPart(playlist)));
  return content && readPartHeader(content)?.batch === batch ? { batch, content } : undefined;
}

/** Names of media files that the playlist does not list. */
function strayNames(names: string[], { segments }: MediaPlaylist): string[] {
  const listed = new Set(
    segments.flatMap(({ uri, init, parts, complete }) => [
      ...(complete ? [uri] : []),
      init,
      ...parts.map((part) => part.uri),
    ]),
  );
  return names.filter((name) => isMedia(name) && !listed.has(name));
}

const MEDIA = /^(\d+)(?:\.(\d+))?\.m4s$/;
const INIT = /^init-(\d+)\.mp4$/;

function isMedia(name: string): boolean {
  return MEDIA.test(name) || INIT.test(name);
}

/** The number of an initialization section; -1 of anything else. */
function initNumber(name: string): number {
  return Number(INIT.exec(name)?.[1] ?? -1);
}

/** The number of a part in its segment; -1 of anything else. */
function partNumber(name: string): number {
  return Number(MEDIA.exec(name)?.[2] ?? -1);
}

/** The media sequence number of a part or segment; -1 of anything else. */
function mediaSequence(name: string): number {
  return Number(MEDIA.exec(name)?.[1] ?? -1);
}
