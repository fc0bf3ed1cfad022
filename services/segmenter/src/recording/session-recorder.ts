import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import type { RecordingState } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import { readIfThere } from '../atomic-files.js';
import type { SegmenterMetrics } from '../metrics.js';
import type { Segment } from '../hls/media-playlist.js';
import { linesOfFrames } from '../hls/timeline-file.js';
import type { RecordingFiles } from './recording-files.js';

/** Longest recording; a longer one's index would take a player too long to load. */
const MAX_RECORDING_HOURS = 12;

export interface SessionRecorderOptions {
  /** The session's folder on the HLS volume. */
  hlsFolder: string;
  fps: number;
  /** The recording stops when the disk has less free space. */
  minFreeBytes: number;
  metrics: Pick<SegmenterMetrics, 'recordedBytes' | 'recordingsStopped'>;
  log: Logger;
}

/**
 * Copies a session's segments into its recording, without making live video wait for the disk. The live
 * folder is the queue. If a segment is gone before it was copied, or the disk is full, the recording stops
 * and the stream goes on.
 */
export class SessionRecorder {
  state: Extract<RecordingState, 'on' | 'stopped'> = 'on';
  private complete: Segment[] = [];
  private recording: RecordingFiles | undefined;
  private work: Promise<void> | undefined;
  private closed = false;

  /** @param open called when the first segment is complete */
  constructor(
    private readonly open: () => Promise<RecordingFiles>,
    private readonly options: SessionRecorderOptions,
  ) {}

  /** To be called with the listed segments; records complete ones that are new. */
  update(segments: readonly Segment[]): void {
    this.complete = segments.filter(({ complete }) => complete);
    if (this.closed) return;
    this.work ??= this.catchUp().finally(() => (this.work = undefined));
  }

  /** Resolves when everything so far is recorded, or the recorder has stopped. */
  async settled(): Promise<void> {
    while (this.work) await this.work;
  }

  /** Stops recording; resolves when nothing is being written. */
  async close(): Promise<void> {
    this.closed = true;
    await this.settled();
  }

  private async catchUp(): Promise<void> {
    try {
      while (!this.closed && this.state === 'on') {
        this.recording ??= await this.open();
        const { nextMsn } = this.recording;
        const next = this.complete.find(({ msn }) => msn >= nextMsn);
        if (!next) return;
        if (next.msn > nextMsn) throw new Error('the disk is too slow');
        await this.record(this.recording, next);
      }
    } catch (error) {
      this.state = 'stopped';
      this.options.metrics.recordingsStopped.inc();
      this.options.log.error({ err: error }, 'recording stopped');
    }
  }

  private async record(recording: RecordingFiles, segment: Segment): Promise<void> {
    const { hlsFolder, metrics } = this.options;
    const { msn, uri, init, frames, capturedAt } = segment;
    await this.checkFreeSpace(recording);
    const from = recording.frames;
    const [media, initSection, faces, protection] = await Promise.all([
      readIfThere(join(hlsFolder, uri)),
      readIfThere(join(hlsFolder, init)),
      linesOfFrames(join(hlsFolder, HLS_FILES.timeline), from, from + frames),
      readIfThere(join(hlsFolder, HLS_FILES.protection)),
    ]);
    if (!media || !initSection) throw new Error(`segment ${msn} is gone: the disk is too slow`);
    if (protection) await recording.keepProtection(protection);
    await recording.add({ capturedAt, frames, init: initSection, media, faces });
    metrics.recordedBytes.inc(media.length);
  }

  private async checkFreeSpace({ folder, frames }: RecordingFiles): Promise<void> {
    const { fps, minFreeBytes } = this.options;
    if (frames > MAX_RECORDING_HOURS * 3600 * fps)
      throw new Error(`it is ${MAX_RECORDING_HOURS} hours long`);
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < minFreeBytes) throw new Error('the disk is almost full');
  }
}
