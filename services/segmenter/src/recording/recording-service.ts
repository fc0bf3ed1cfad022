import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionSummary } from '@facecast/shared/protocol/hls-folder';
import type { RecordingState } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import { within } from '@facecast/shared/runtime/within';
import { RECORDING_FILES } from '@facecast/shared/protocol/recording-folder';
import type { Session } from '@facecast/shared/redis/session';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { orMissing, readIfThere, writeWhole } from '../atomic-files.js';
import type { SegmenterMetrics } from '../metrics.js';
import type { Segment } from '../hls/media-playlist.js';
import { StatsCounter } from '../session/stats-counter.js';
import { SessionRecorder } from './session-recorder.js';
import { RecordingFiles } from './recording-files.js';

/**
 * How long a session's end waits for its recording to be finished, in milliseconds; finishing goes on after
 * that.
 */
const MAX_FINISH_MS = 20_000;

export interface RecordingServiceOptions {
  hlsDir: string;
  recordingsDir: string;
  cadence: Cadence;
  minFreeBytes: number;
  metrics: SegmenterMetrics;
  log: Logger;
  maxFinishMs?: number;
}

/** The recordings of all sessions of a replica, a folder each. A folder with a summary is finished. */
export class RecordingService {
  /** Recorders of the sessions that this replica owns, by session id. */
  private readonly recorders = new Map<string, SessionRecorder>();
  /** Recordings that are being finished, so that a hanging disk gets only one attempt. */
  private readonly finishing = new Map<string, Promise<RecordingState>>();

  constructor(private readonly options: RecordingServiceOptions) {}

  /** Starts, or resumes, recording a session; undefined if it is not to be recorded. */
  record({ id, record, createdAt, resumeTokenHash }: Session): SessionRecorder | undefined {
    if (!record) return undefined;
    const about = { createdAt, resumeTokenHash };
    const recorder = this.recorder(id, () =>
      RecordingFiles.begin(this.folder(id), this.options.cadence, about),
    );
    this.recorders.set(id, recorder);
    return recorder;
  }

  /** Stops recording a session, which another replica may resume. */
  async release(sessionId: string): Promise<void> {
    const recorder = this.recorders.get(sessionId);
    this.recorders.delete(sessionId);
    await recorder?.close();
  }

  /**
   * Records the last segments and finishes the recording; resolves to its state. A failure is logged and
   * repeated later: the session ends all the same.
   */
  async finish(last: SessionSummary, segments: readonly Segment[]): Promise<RecordingState> {
    const { sessionId } = last;
    const { log, maxFinishMs = MAX_FINISH_MS } = this.options;
    try {
      return await within(maxFinishMs, this.finishOnce(last, segments));
    } catch (error) {
      log.error({ sessionId, err: error }, 'could not finish the recording; will retry');
      return last.recording;
    }
  }

  /** Removes a session's recording. */
  async remove(sessionId: string): Promise<void> {
    await rm(this.folder(sessionId), { recursive: true, force: true });
  }

  /** Finishes recordings of sessions that are not running, which a killed segmenter left. */
  async finishOrphans(registry: SessionRegistry): Promise<void> {
    const { recordingsDir, cadence, log } = this.options;
    const names = (await orMissing(() => readdir(recordingsDir))) ?? [];
    const running = new Set(await registry.ids());
    for (const id of names.filter((name) => !running.has(name))) {
      if (await readIfThere(join(this.folder(id), RECORDING_FILES.summary))) continue;
      log.info({ sessionId: id }, 'finishing an orphaned recording');
      await this.finish(new StatsCounter(id, cadence.fps).snapshot('ended'), []);
    }
  }

  private finishOnce(last: SessionSummary, segments: readonly Segment[]): Promise<RecordingState> {
    const { sessionId } = last;
    const work =
      this.finishing.get(sessionId) ??
      this.finishNow(last, segments).finally(() => this.finishing.delete(sessionId));
    this.finishing.set(sessionId, work);
    return work;
  }

  private async finishNow(
    last: SessionSummary,
    segments: readonly Segment[],
  ): Promise<RecordingState> {
    const { sessionId } = last;
    await this.release(sessionId);
    const recording = await RecordingFiles.open(this.folder(sessionId), this.options.cadence);
    if (!recording) return 'off';
    const recorder = this.recorder(sessionId, async () => recording);
    recorder.update(segments);
    await recorder.settled();
    if (recording.frames === 0) {
      await this.remove(sessionId);
      return 'off';
    }
    await recording.finish();
    const framesOut = Math.max(last.framesOut, recording.frames);
    const state = recording.frames === framesOut ? 'on' : 'stopped';
    const summary: SessionSummary = { ...last, framesOut, recording: state };
    const path = join(this.folder(sessionId), RECORDING_FILES.summary);
    await writeWhole(path, JSON.stringify(summary));
    return state;
  }

  private recorder(sessionId: string, open: () => Promise<RecordingFiles>): SessionRecorder {
    const { hlsDir, cadence, minFreeBytes, metrics, log } = this.options;
    return new SessionRecorder(open, {
      ...{ hlsFolder: join(hlsDir, sessionId), fps: cadence.fps, minFreeBytes, metrics },
      log: log.child({ sessionId }),
    });
  }

  private folder(sessionId: string): string {
    return join(this.options.recordingsDir, sessionId);
  }
}
