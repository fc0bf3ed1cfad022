import { setImmediate as otherWork } from 'node:timers/promises';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import { isFull } from '@facecast/shared/runtime/retry-on-disk-full';
import { hidesFaces } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { DetectJob, Face } from '@facecast/shared/protocol/messages';
import { detectJobId } from '@facecast/shared/redis/queues';
import { applyEffect } from './effects/effect.js';
import type { FaceFinder } from './finders/face-finder.js';
import { clip } from './geometry/rect.js';
import { framesOf, type I420Frame } from './i420.js';
import type { DetectorMetrics } from './metrics.js';
import type { FrameFace, FrameFaces } from './tracking/frame-faces.js';
import type { SceneFaces } from './tracking/scene-search.js';
import type { SearchSchedule } from './tracking/search-schedule.js';
import { trackRun } from './tracking/tracker.js';
import type { TrackerState } from './tracking/tracker-state.js';
import type { TrackerStateStore } from './tracking/tracker-state-store.js';
import { unsearchedFaces } from './tracking/unsearched.js';

/**
 * Live video cannot wait: a batch that is older than this when its turn comes goes out with the last
 * known faces instead of a search, so that a machine with too much to search stays in time.
 */
export const SEARCH_BUDGET_MS = 300;

/** At most one line about failing searches and writes in this time; the metrics count all of them. */
const FAILURE_LOG_INTERVAL_MS = 10_000;

/** Marks batches, one at a time: finds the faces, applies the effect, and hands the batch on. */
export class Detector {
  /** Why the newest search failed. */
  private failure: Error | undefined;
  private failureLoggedAt = -Infinity;
  /** The batch that was marked last: its job, and when it was decoded, for one that is made again is another. */
  private markedLast: string | undefined;
  /** The last batch's frames, whose place the next takes: each need not leave garbage of megabytes. */
  private spareBuffer: Buffer | undefined;

  constructor(
    private readonly deps: {
      frameStore: FrameStore;
      renderedLog: RenderedBatchLog;
      finder: FaceFinder;
      states: TrackerStateStore;
      schedule: SearchSchedule;
      metrics: DetectorMetrics;
      log: Logger;
    },
  ) {}

  /**
   * Marks one batch; not to be called again before that is done. A search that fails costs the batch
   * nothing but its faces: its frames go out unsearched. A batch whose session has ended is dropped, and
   * so is one that was asked for again while it was at work here.
   *
   * @throws where the batch cannot be read, written or announced
   */
  async mark(job: DetectJob): Promise<void> {
    const { sessionId, batch } = job;
    const id = `${detectJobId(job)} ${job.decodedAt}`;
    if (this.markedLast === id) return this.drop('done');
    const bytes = await this.deps.frameStore.read(
      { sessionId, batch, kind: 'decoded' },
      this.spareBuffer,
    );
    if (!bytes) return this.drop('gone');
    this.spareBuffer = bytes;
    await this.markFrames(job, bytes);
    this.markedLast = id;
  }

  /** Rejects while searches fail. */
  async checkSearch(): Promise<void> {
    if (this.failure) throw this.failure;
  }

  private async markFrames(job: DetectJob, bytes: Buffer): Promise<void> {
    const { renderedLog, metrics } = this.deps;
    const { effect, sessionId, batch } = job;
    const pictures = framesOf(bytes, job);
    const searched = await this.search(job, pictures);
    pictures.forEach((picture, n) => applyEffect(effect, picture, searched[n]!));
    if (!(await this.write(sessionId, batch, bytes))) return this.drop('gone');

    const markedAt = Date.now();
    const frames = searched.map(({ searched, faces }) => ({
      searched,
      hidden: !faces && hidesFaces(effect),
      faces: (faces ?? []).filter(({ sure }) => sure).flatMap((face) => visibleFace(face, job)),
    }));
    await renderedLog.append(sessionId, { ...job, kind: 'batch', markedAt, frames });
    metrics.batches.inc({ outcome: 'marked' });
    metrics.stage.observe(Math.max(0, markedAt - job.decodedAt) / 1000);
  }

  private async write(sessionId: string, batch: number, bytes: Buffer): Promise<boolean> {
    try {
      return await this.deps.frameStore.write({ sessionId, batch, kind: 'marked' }, bytes);
    } catch (error) {
      // The segmenter does without the search in time, and makes room by that.
      if (isFull(error)) this.logFailure({ sessionId, batch, err: error }, 'there is no room');
      throw error;
    }
  }

  private drop(outcome: 'gone' | 'done'): void {
    this.deps.metrics.batches.inc({ outcome });
  }

  /** Searches a batch's frames in order, from the session's newest state on, which it brings up to date. */
  private async search(job: DetectJob, pictures: I420Frame[]): Promise<FrameFaces[]> {
    const { states, schedule, metrics } = this.deps;
    const before = await states.load(job.sessionId);
    const searched: FrameFaces[] = [];
    let state = before;
    while (searched.length < pictures.length) {
      const firstFrame = job.firstFrame + searched.length;
      const frames = pictures.slice(searched.length, searched.length + schedule.run);
      const found = isInTime(job)
        ? await this.searchRun(job, firstFrame, frames, state)
        : undefined;
      state = found?.state ?? state;
      searched.push(
        ...(found?.frames ??
          frames.map(({ y }, n) => unsearchedFaces(state, y, firstFrame + n, schedule))),
      );
      metrics.frames.inc({ searched: String(!!found) }, frames.length);
      // Locks must be renewed however long a batch is.
      await otherWork();
    }
    if (state && state !== before) await states.save(job.sessionId, job.batch, state);
    return searched;
  }

  /** Where the faces of a run are, or undefined if its search failed. */
  private async searchRun(
    { sessionId, batch, effect }: DetectJob,
    firstFrame: number,
    frames: I420Frame[],
    known: TrackerState | undefined,
  ): Promise<SceneFaces | undefined> {
    const { finder, schedule, metrics } = this.deps;
    const stopClock = metrics.search.startTimer();
    try {
      const wanted = { schedule, hiding: hidesFaces(effect) };
      const found = await trackRun(finder, { firstFrame, frames }, known, wanted);
      stopClock();
      for (const { faces = [] } of found.frames)
        metrics.faces.inc(faces.filter(({ sure }) => sure).length);
      this.failure = undefined;
      return found;
    } catch (error) {
      metrics.failures.inc({ what: 'search' });
      this.failure = error as Error;
      this.logFailure({ sessionId, batch, frame: firstFrame, err: error }, 'a search failed');
      return undefined;
    }
  }

  private logFailure(details: object, what: string): void {
    const now = performance.now();
    if (now - this.failureLoggedAt < FAILURE_LOG_INTERVAL_MS) return;
    this.failureLoggedAt = now;
    const { log } = this.deps;
    log.error(details, `${what}; more such failures are counted, not logged, for a while`);
  }
}

/** A file that is sent faster than it plays is ahead of its time and has all the time it needs. */
function isInTime({ capturedAt, decodedAt }: DetectJob): boolean {
  return Date.now() - Math.max(capturedAt, decodedAt) <= SEARCH_BUDGET_MS;
}

/** What of a face is in the picture; none if nothing is. */
function visibleFace({ id, score, ...box }: FrameFace, picture: DetectJob): Face[] {
  const visible = clip(box, picture);
  return visible ? [{ id, score, ...visible }] : [];
}
