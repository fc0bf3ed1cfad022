import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { samplesBefore } from '@facecast/shared/media/audio';
import { RECORDING_FILES, type ProtectionChange } from '@facecast/shared/protocol/recording-folder';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { AAC_FRAME_SAMPLES } from '../encode/audio-encoder.js';
import type { EncodedAudio } from '../encode/audio-track.js';
import { lineOf } from '../hls/timeline-file.js';
import { writeFragment } from '../mp4/fragment.js';
import { readFragments } from '../mp4/read-fragments.js';
import { NO_FACES, type RecordingFiles } from './recording-files.js';
import type { RecordingReader } from './recording-reader.js';

/**
 * Copies a recording from the first segment on that begins at frame `cutBefore` or later. Frames, times and
 * faces count from there. Nothing is encoded.
 * @returns the number of its first frame in the source
 * @throws {Error} if no segment begins there
 */
export async function cutRecording(
  source: RecordingReader,
  target: RecordingFiles,
  cutBefore: number,
  cadence: Cadence,
): Promise<number> {
  const kept = source.segments.filter(({ firstFrame }) => firstFrame >= cutBefore);
  const from = kept[0]?.firstFrame;
  if (from === undefined) throw new Error('nothing would be left of the recording');
  const { fps, framesPerBatch } = cadence;
  // Audio has its own grid: at most half an AAC frame, 11 ms, is between the two.
  const audioFrom = Math.round(samplesBefore(from, fps) / AAC_FRAME_SAMPLES);
  await target.keepProtection(Buffer.from(JSON.stringify(since(source.protection, from))));
  for (const segment of kept) {
    const { media, init } = await source.read(segment);
    const parts = readFragments(media).map(({ batch, firstFrame, pictures, audio }) =>
      writeFragment(
        { batch: batch - from / framesPerBatch, firstFrame: firstFrame - from },
        pictures,
        audioSince(audio, audioFrom),
      ),
    );
    const capturedAt = source.capturedAt + (from / fps) * 1000;
    const { frames } = segment;
    await target.add({ capturedAt, frames, init, media: Buffer.concat(parts), faces: NO_FACES });
  }
  return from;
}

/** Copies the faces of frames from number `from` on, renumbered from there. */
export async function cutFaces(
  sourceFolder: string,
  targetFolder: string,
  from: number,
  cadence: Cadence,
): Promise<void> {
  const source = createReadStream(join(sourceFolder, RECORDING_FILES.faces));
  const lines = createInterface({ input: source, crlfDelay: Infinity });
  const target = createWriteStream(join(targetFolder, RECORDING_FILES.faces));
  await pipeline(Readable.from(renumbered(lines, from, cadence.fps)), target);
}

async function* renumbered(lines: AsyncIterable<string>, from: number, fps: number) {
  for await (const line of lines) {
    const { frame, faces } = JSON.parse(line) as { frame: number; faces: unknown };
    if (frame >= from) yield lineOf(frame - from, faces, fps);
  }
}

/** The AAC frames from number `from` on, renumbered from there. */
function audioSince({ firstFrame, frames }: EncodedAudio, from: number): EncodedAudio {
  return {
    firstFrame: Math.max(0, firstFrame - from),
    frames: frames.slice(Math.max(0, from - firstFrame)),
  };
}

/** The changes from a frame on, renumbered from there. */
function since(changes: readonly ProtectionChange[], from: number): ProtectionChange[] {
  const later = changes.filter(({ fromFrame }) => fromFrame > from);
  const before = changes.filter(({ fromFrame }) => fromFrame <= from).at(-1);
  return [
    ...(before ? [{ ...before, fromFrame: 0 }] : []),
    ...later.map((change) => ({ ...change, fromFrame: change.fromFrame - from })),
  ];
}
