import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import {
  aboutRecordingSchema,
  RECORDING_FILES,
  recordingEditSchema,
  type AboutRecording,
  type RecordingEdit,
} from '@facecast/shared/protocol/recording-folder';
import { consume, JobQueue, putBack } from '@facecast/shared/redis/queues';
import { type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { orMissing, readIfThere, writeWhole } from '../atomic-files.js';
import { cutFaces, cutRecording } from './cut-recording.js';
import { hideFaces } from './hide-faces.js';
import { RecordingFiles } from './recording-files.js';
import { RecordingReader } from './recording-reader.js';
import { renderAgain } from './render-again.js';

/** How often an edit is begun, by whatever replica, before it counts as failed. */
export const MAX_ATTEMPTS = 5;

/** Prefix, before the edit's id, of the folder of a complete outcome, inside the recording's. */
const OUTCOME = 'edited-';
/** Prefix of folders in which an outcome grows. */
const UNFINISHED = 'editing-';

export interface RecordingEditsDeps {
  redis: Redis;
  registry: SessionRegistry;
  recordingsDir: string;
  hlsDir: string;
  cadence: Cadence;
  /** An edit is not begun if the disk would have less free space after it. */
  minFreeBytes: number;
  log: Logger;
}

/**
 * Edits recordings, one at a time in a replica. The gateway writes the order into the recording's folder,
 * and withholds the recording until it reads there that the edit is done. So an edit may break off
 * anywhere: its outcome grows beside the recording, is committed by one rename, and then replaces the
 * files.
 */
export class RecordingEdits {
  private readonly queue: JobQueue<'edit'>;
  private readonly worker: ReturnType<typeof consume>;
  private readonly closing = new AbortController();

  /** Consumes the queue of edits; `redis` must be a `worker` connection. */
  constructor(private readonly deps: RecordingEditsDeps) {
    const { redis, log } = deps;
    this.queue = new JobQueue(redis, { kind: 'edit' });
    this.worker = consume<'edit'>(
      redis,
      { kind: 'edit' },
      async ({ sessionId }, job, token, lost) => {
        const signal = AbortSignal.any([lost, this.closing.signal]);
        await this.edit(sessionId, signal);
        if (this.closing.signal.aborted) await putBack(job, token);
      },
      // How often an edit is begun is counted in the recording's folder.
      { concurrency: 1, maxStalledCount: Number.MAX_SAFE_INTEGER },
    );
    this.worker.on('error', (error) => warnUnlessOutage(log, error, 'edit queue error'));
  }

  /** Queues all edits that are due: of sessions that have ended since, or whose job was lost. */
  async sweep(): Promise<void> {
    const { recordingsDir, log } = this.deps;
    for (const sessionId of (await orMissing(() => readdir(recordingsDir))) ?? []) {
      try {
        if ((await this.read(sessionId))?.state === 'pending')
          await this.queue.add({ sessionId }, { jobId: sessionId });
      } catch (error) {
        warnUnlessOutage(log, error, 'could not queue an edit', { sessionId });
      }
    }
  }

  /** Breaks off a running edit; another replica begins it again. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.worker.close();
    await this.queue.close();
  }

  /** Edits a recording as its folder says. No effect while its session runs, or if nothing is to be done. */
  async edit(sessionId: string, signal: AbortSignal): Promise<void> {
    const { registry, recordingsDir, log } = this.deps;
    const edit = await this.read(sessionId);
    const hasEnded = await readIfThere(join(recordingsDir, sessionId, RECORDING_FILES.summary));
    if (edit?.state !== 'pending' || !hasEnded || (await registry.get(sessionId))) return;
    try {
      if (edit.attempts >= MAX_ATTEMPTS) throw new Error('whoever began it died of it');
      const begun = { ...edit, attempts: edit.attempts + 1 };
      await this.write(sessionId, begun);
      await this.carryOut(sessionId, begun, signal);
      log.info({ sessionId, ...edit.wanted }, 'edited a recording');
    } catch (error) {
      await this.failed(sessionId, edit, error, signal).catch((failure: unknown) =>
        log.error({ sessionId, err: failure }, 'could not say that an edit failed'),
      );
    }
  }

  private async carryOut(sessionId: string, edit: RecordingEdit, signal: AbortSignal) {
    const { recordingsDir, hlsDir } = this.deps;
    const folder = join(recordingsDir, sessionId);
    // The live folder may have the same frames.
    await rm(join(hlsDir, sessionId), { recursive: true, force: true });
    await putInPlace(folder, edit);
    const about = await this.about(sessionId);
    if (about.editId === edit.id) return this.write(sessionId, { ...edit, state: 'done' });
    const unfinished = join(folder, `${UNFINISHED}${randomUUID()}`);
    try {
      const files = await RecordingFiles.begin(unfinished, this.deps.cadence, {
        ...about,
        editId: edit.id,
      });
      await this.make(files, folder, edit, signal);
      const done: RecordingEdit = { ...edit, state: 'done' };
      await writeWhole(join(unfinished, RECORDING_FILES.edit), JSON.stringify(done));
      signal.throwIfAborted();
      // Another edit may have been ordered, or a replica that took this one for dead may have finished it.
      const isWanted = (await this.read(sessionId))?.id === edit.id;
      if (!isWanted || (await this.about(sessionId)).editId === edit.id)
        throw new Error('the edit is not wanted any more');
      await rename(unfinished, join(folder, `${OUTCOME}${edit.id}`));
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    await putInPlace(folder, edit);
  }

  /** Makes the outcome of an edit, which is the files that change. */
  private async make(
    files: RecordingFiles,
    folder: string,
    { wanted }: RecordingEdit,
    signal: AbortSignal,
  ): Promise<void> {
    const { cadence } = this.deps;
    await this.checkFreeSpace(folder);
    const source = await RecordingReader.open(folder, cadence, signal);
    try {
      if ('effect' in wanted) {
        await hideFaces(source, files, wanted.effect, (stream, effect) =>
          renderAgain(stream, effect, { ...this.deps, signal }),
        );
        await files.finish();
        // The faces' places stay as they are.
        await rm(join(files.folder, RECORDING_FILES.faces), { force: true });
      } else {
        const cutBefore = Math.ceil(wanted.cutBefore * cadence.fps - ROUNDING_FRAMES);
        const from = await cutRecording(source, files, cutBefore, cadence);
        await files.finish();
        await cutFaces(folder, files.folder, from, cadence);
      }
    } finally {
      await source.close();
    }
  }

  /** Rejects if a second copy of a recording would fill the disk. */
  private async checkFreeSpace(folder: string): Promise<void> {
    const { size } = await stat(join(folder, RECORDING_FILES.media));
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < this.deps.minFreeBytes + size) throw new Error('the disk is almost full');
  }

  /** Handles a failed attempt; one that was broken off does not count. */
  private async failed(
    sessionId: string,
    edit: RecordingEdit,
    error: unknown,
    { aborted }: AbortSignal,
  ): Promise<void> {
    const { log } = this.deps;
    const newest = await this.read(sessionId);
    // The recording was deleted meanwhile, or another edit was ordered.
    if (newest?.id !== edit.id || newest.state !== 'pending') return;
    if (this.closing.signal.aborted) return this.write(sessionId, edit);
    // The replica that has the edit now reports on it.
    if (aborted) return;
    const state = newest.attempts >= MAX_ATTEMPTS ? 'failed' : 'pending';
    await this.write(sessionId, { ...newest, state });
    log.error({ sessionId, err: error, state }, 'could not edit a recording');
  }

  private async about(sessionId: string): Promise<AboutRecording> {
    const path = join(this.deps.recordingsDir, sessionId, RECORDING_FILES.about);
    return aboutRecordingSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  }

  private async read(sessionId: string): Promise<RecordingEdit | undefined> {
    const text = await readIfThere(join(this.deps.recordingsDir, sessionId, RECORDING_FILES.edit));
    return text && recordingEditSchema.parse(JSON.parse(text.toString()));
  }

  private async write(sessionId: string, edit: RecordingEdit): Promise<void> {
    const path = join(this.deps.recordingsDir, sessionId, RECORDING_FILES.edit);
    await writeWhole(path, JSON.stringify(edit));
  }
}

/** A time that was rounded to a hundredth of a frame still names that frame. */
const ROUNDING_FRAMES = 0.01;

/** Files that say that an edit is done, in the order in which they are replaced. */
const NEWS: string[] = [RECORDING_FILES.about, RECORDING_FILES.edit];

/**
 * Replaces the recording's files with those of a complete outcome, `NEWS` last, and removes incomplete
 * outcomes. May break off anywhere, and run twice at the same time.
 */
async function putInPlace(folder: string, edit: RecordingEdit): Promise<void> {
  const names = await readdir(folder);
  for (const name of names.filter((each) => each.startsWith(UNFINISHED)))
    await rm(join(folder, name), { recursive: true, force: true });
  for (const outcome of names.filter((each) => each.startsWith(OUTCOME))) {
    const isOurs = outcome === `${OUTCOME}${edit.id}`;
    const files = (await orMissing(() => readdir(join(folder, outcome)))) ?? [];
    const media = files.filter((file) => !NEWS.includes(file));
    for (const file of isOurs ? [...media, ...NEWS] : [...media, RECORDING_FILES.about])
      await orMissing(() => rename(join(folder, outcome, file), join(folder, file)));
    await rm(join(folder, outcome), { recursive: true, force: true });
  }
}
