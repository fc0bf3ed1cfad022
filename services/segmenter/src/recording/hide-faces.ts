import {
  clearStretches,
  type FrameStretch,
  type ProtectionChange,
} from '@facecast/shared/protocol/recording-folder';
import type { HidingEffect } from '@facecast/shared/protocol/ingest-protocol';
import { writeFragment } from '../mp4/fragment.js';
import { readFragments, type Fragment } from '../mp4/read-fragments.js';
import { NO_FACES, type RecordingFiles } from './recording-files.js';
import type { RecordingReader } from './recording-reader.js';
import type { ListedSegment } from './recording-playlist.js';

/** Segments that have been encoded. */
export interface EncodedSegment {
  init: Buffer;
  media: Buffer;
}

/**
 * Renders a stream again, with an effect.
 * @param stream fragmented MP4, in pieces: the initialization section with the first part, then a part each
 * @returns its segments: as many parts, of the same frames
 */
export type Renderer = (
  stream: AsyncIterable<Buffer>,
  effect: HidingEffect,
) => AsyncIterable<EncodedSegment>;

/**
 * Copies a recording; the segments that may show a face are rendered again with an effect that hides it.
 * Their audio is copied byte for byte.
 * @throws {Error} if the number of frames differs
 */
export async function hideFaces(
  source: RecordingReader,
  target: RecordingFiles,
  effect: HidingEffect,
  render: Renderer,
): Promise<void> {
  const { capturedAt } = source;
  const clear = clearStretches(source.protection, source.frames);
  const runs = runsOf(source.segments, clear);
  const hidden = protectedBy(
    source.protection,
    runs.filter(({ isClear }) => isClear),
    effect,
  );
  await target.keepProtection(Buffer.from(JSON.stringify(hidden)));
  for (const run of runs) {
    const segments = run.isClear
      ? renderedAgain(source, run.segments, effect, render)
      : copied(source, run.segments);
    for await (const segment of segments)
      await target.add({ capturedAt, faces: NO_FACES, ...segment });
    if (target.frames !== run.to) throw new Error('frames were lost while faces were hidden');
  }
}

/** Consecutive segments with one initialization section, of which all or none may show faces. */
interface Run extends FrameStretch {
  isClear: boolean;
  segments: ListedSegment[];
}

function runsOf(segments: readonly ListedSegment[], clear: readonly FrameStretch[]): Run[] {
  const runs: Run[] = [];
  for (const segment of segments) {
    const { firstFrame: from, frames, init } = segment;
    const to = from + frames;
    const isClear = clear.some((stretch) => stretch.from < to && stretch.to > from);
    const last = runs.at(-1);
    if (last?.isClear === isClear && last.segments[0]?.init.offset === init.offset) {
      last.segments.push(segment);
      last.to = to;
    } else runs.push({ isClear, from, to, segments: [segment] });
  }
  return runs;
}

async function* copied(source: RecordingReader, segments: readonly ListedSegment[]) {
  for (const segment of segments) yield { ...(await source.read(segment)), frames: segment.frames };
}

async function* renderedAgain(
  source: RecordingReader,
  segments: readonly ListedSegment[],
  effect: HidingEffect,
  render: Renderer,
) {
  const originals = partsOf(source, segments);
  for await (const { init, media } of render(streamOf(source, segments), effect)) {
    const parts: Buffer[] = [];
    let frames = 0;
    for (const { pictures } of readFragments(media)) {
      const { value: original } = await originals.next();
      if (original?.fragment.pictures.length !== pictures.length)
        throw new Error('another number of frames came out than went in');
      parts.push(writeFragment(original.fragment, pictures, original.fragment.audio));
      frames += pictures.length;
    }
    yield { init, media: Buffer.concat(parts), frames };
  }
}

async function* partsOf(
  source: RecordingReader,
  segments: readonly ListedSegment[],
): AsyncGenerator<{ fragment: Fragment; init: Buffer }, undefined> {
  for (const segment of segments) {
    const { media, init } = await source.read(segment);
    for (const fragment of readFragments(media)) yield { fragment, init };
  }
  return undefined;
}

async function* streamOf(source: RecordingReader, segments: readonly ListedSegment[]) {
  let isFirst = true;
  for await (const { fragment, init } of partsOf(source, segments)) {
    const part = writeFragment(fragment, fragment.pictures, fragment.audio);
    yield isFirst ? Buffer.concat([init, part]) : part;
    isFirst = false;
  }
}

/** The changes with these stretches protected by `effect`. */
function protectedBy(
  changes: readonly ProtectionChange[],
  stretches: readonly FrameStretch[],
  effect: HidingEffect,
): ProtectionChange[] {
  const outside = changes.filter(
    ({ fromFrame }) => !stretches.some(({ from, to }) => fromFrame >= from && fromFrame < to),
  );
  const begins = stretches.map(({ from }) => ({ fromFrame: from, effect, hidden: false }));
  // The protection at the end of a stretch holds on after it.
  const ends = stretches.flatMap(({ to }) => {
    const last = changes.filter(({ fromFrame }) => fromFrame <= to).at(-1);
    return last ? [{ ...last, fromFrame: to }] : [];
  });
  const all = [...begins, ...ends, ...outside].sort((a, b) => a.fromFrame - b.fromFrame);
  return all.filter(({ fromFrame }, n) => fromFrame !== all[n - 1]?.fromFrame);
}
