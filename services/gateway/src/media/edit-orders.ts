import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  clearStretches,
  protectionSchema,
  RECORDING_FILES,
  type FrameStretch,
  type RecordingEdit,
  type WantedEdit,
} from '@facecast/shared/protocol/recording-folder';
import { JobQueue } from '@facecast/shared/redis/queues';
import { type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { Logger } from '@facecast/shared/runtime/logger';
import { HttpError } from '../errors.js';
import { noRecording, type Recordings } from './recordings.js';

/** State of a recording: which stretches may show faces, and its last edit. Times are in seconds. */
export interface RecordingStatus {
  state: 'none' | RecordingEdit['state'];
  seconds: number;
  clearSeconds: number;
  /** The stretches that may show faces, from and to. */
  clear: FrameStretch[];
  /** The largest possible `cutBefore`. */
  lastCut: number;
}

/** Takes orders to edit recordings. The segmenter carries them out. */
export class EditOrders {
  private readonly queue: JobQueue<'edit'>;

  constructor(
    private readonly parts: {
      redis: Redis;
      registry: Pick<SessionRegistry, 'get'>;
      recordings: Recordings;
      recordingsDir: string;
      hlsDir: string;
      /** Frames a second of every session. */
      fps: number;
      log: Logger;
    },
  ) {
    this.queue = new JobQueue(parts.redis, { kind: 'edit' });
  }

  /** @throws {HttpError} if there is no recording */
  async status(sessionId: string): Promise<RecordingStatus> {
    const { recordings, fps } = this.parts;
    const [edit, segments, changes] = await Promise.all([
      recordings.edit(sessionId),
      this.segments(sessionId),
      recordings.read(sessionId, 'protection'),
    ]);
    const seconds = segments.reduce((sum, segment) => sum + segment, 0);
    const protection = changes ? protectionSchema.parse(JSON.parse(changes.toString())) : [];
    const clear = clearStretches(protection, Math.round(seconds * fps)).map(({ from, to }) => ({
      from: rounded(from / fps),
      to: rounded(to / fps),
    }));
    const clearSeconds = rounded(clear.reduce((sum, { from, to }) => sum + to - from, 0));
    const lastCut = rounded(seconds - (segments.at(-1) ?? 0));
    const state = edit?.state ?? 'none';
    return { state, seconds: rounded(seconds), clearSeconds, clear, lastCut };
  }

  /**
   * Orders an edit; the recording is withheld until it is done. The same order again has no effect before
   * that.
   * @throws {HttpError} if there is no recording, nothing would be left, or another edit is under way
   */
  async order(sessionId: string, wanted: WantedEdit): Promise<void> {
    const { recordings, recordingsDir, registry, hlsDir } = this.parts;
    const { lastCut } = await this.status(sessionId);
    if ('cutBefore' in wanted && wanted.cutBefore > lastCut) {
      const latest = `the last moment to cut before is ${lastCut} s`;
      throw new HttpError(400, `Nothing would be left: ${latest}. DELETE removes all of it.`);
    }
    const before = await recordings.edit(sessionId);
    if (before?.state === 'pending') {
      if (JSON.stringify(before.wanted) === JSON.stringify(wanted)) return;
      throw new HttpError(409, 'The recording is being changed already: wait until that is done.');
    }
    const edit: RecordingEdit = { id: randomUUID(), wanted, state: 'pending', attempts: 0 };
    const folder = join(recordingsDir, sessionId);
    const unfinished = join(folder, `.${edit.id}`);
    await writeFile(unfinished, JSON.stringify(edit));
    await rename(unfinished, join(folder, RECORDING_FILES.edit));
    // The end of a live playlist is part of the recording, too.
    if (!(await registry.get(sessionId)))
      await rm(join(hlsDir, sessionId), { recursive: true, force: true, maxRetries: 3 });
    await this.queue
      .add({ sessionId }, { jobId: sessionId })
      // The segmenters look for edits without a job.
      .catch((error: unknown) =>
        warnUnlessOutage(this.parts.log, error, 'could not queue an edit', { sessionId }),
      );
  }

  async close(): Promise<void> {
    await this.queue.close();
  }

  /** Duration of each segment, in seconds. */
  private async segments(sessionId: string): Promise<number[]> {
    const playlist = await this.parts.recordings.read(sessionId, 'playlist');
    if (!playlist) throw noRecording();
    return [...playlist.toString().matchAll(/^#EXTINF:([\d.]+),$/gm)].map(([, text]) =>
      Number(text),
    );
  }
}

/** Rounds to a thousandth of a second: a playlist's durations have five digits, and a day of them adds up. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
