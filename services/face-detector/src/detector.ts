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
 * A batch that is older than this when its turn comes, in milliseconds, is rendered with the last known
 * faces, without a search. So an overloaded machine stays in time.
 */
export const SEARCH_BUDGET_MS = 300;

/** Time in which at most one failing search or write is logged, in milliseconds; the metrics count all. */
const FAILURE_LOG_INTERVAL_MS = 10_000;

/**
 * Renders batches, one at a time: finds the faces, applies the effect, and appends the batch's entry to the
 * log.
 */
export class Detector {
  /** Why the newest search failed; undefined if it did not. */
  private failure: Error | undefined;
  private failureLoggedAt = -Infinity;
  /**
   * The batch that was rendered last: its job's id and time of decoding. A batch that is made again is
   * another one.
   */
  private renderedLast: string | undefined;
  /**
   * Buffer of the last batch's frames, reused for the next one: otherwise each batch would leave megabytes
   * of garbage.
   */
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
   * Renders one batch; to be called again only when that is done. If a search fails, the frames go out
   * unsearched. A batch whose session has ended is dropped, and so is one that was asked for again while
   * this replica rendered it.
   *
   * @throws if the batch cannot be read, written or announced
   */
  async render(job: DetectJob): Promise<void> {
    const { sessionId, batch } = job;
    const id = `${detectJobId(job)} ${job.decodedAt}`;
    if (this.renderedLast === id) return this.drop('done');
    const bytes = await this.deps.frameStore.read(
      { sessionId, batch, kind: 'decoded' },
      this.spareBuffer,
    );
    if (!bytes) return this.drop('gone');
    this.spareBuffer = bytes;
    await this.renderFrames(job, bytes);
    this.renderedLast = id;
  }

  /** Rejects while searches fail. */
  async checkSearch(): Promise<void> {
    if (this.failure) throw this.failure;
  }

  private async renderFrames(job: DetectJob, bytes: Buffer): Promise<void> {
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
      // The segmenter shows the batch without a search when it is late, and so frees space.
      if (isFull(error))
        this.logFailure({ sessionId, batch, err: error }, 'the frame store is full');
      throw error;
    }
  }

  private drop(outcome: 'gone' | 'done'): void {
    this.deps.metrics.batches.inc({ outcome });
  }

  /**
   * Searches a batch's frames in order, beginning with the session's newest tracker state, and saves the
   * state after it.
   */
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
      // BullMQ must be able to renew locks, however long a batch is.
      await otherWork();
    }
    if (state && state !== before) await states.save(job.sessionId, job.batch, state);
    return searched;
  }

  /** The faces of a run; undefined if its search failed. */
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

/**
 * Whether a batch may still be searched. Media that is sent faster than it plays is ahead of its time, so
 * its age counts from decoding.
 */
function isInTime({ capturedAt, decodedAt }: DetectJob): boolean {
  return Date.now() - Math.max(capturedAt, decodedAt) <= SEARCH_BUDGET_MS;
}

/** The part of a face that is in the picture; none if it is outside. */
function visibleFace({ id, score, ...box }: FrameFace, picture: DetectJob): Face[] {
  const visible = clip(box, picture);
  return visible ? [{ id, score, ...visible }] : [];
}
