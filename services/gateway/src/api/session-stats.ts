import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sessionErrorSchema, type SessionError } from '@facecast/shared/protocol/messages';
import {
  pipelineStatsSchema,
  type PipelineStats,
  type Stats,
} from '@facecast/shared/protocol/ingest-protocol';
import type { Session } from '@facecast/shared/redis/session';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';
import type { Recordings } from '../media/recordings.js';
import type { Viewers } from '../sessions/viewers.js';

/** What the segmenter leaves of a session that has ended. */
const summarySchema = pipelineStatsSchema.extend({ error: sessionErrorSchema.optional() });

/** The newest stats of sessions, running or ended. */
export class SessionStats {
  constructor(
    private readonly registry: SessionRegistry,
    private readonly viewers: Viewers,
    private readonly recordings: Recordings,
    private readonly hlsDir: string,
    /** Frames a second of every session. */
    private readonly fps: number,
  ) {}

  /** Of one session; undefined where nothing (more) is known of it. */
  async of(sessionId: string): Promise<Stats | undefined> {
    const running = await this.registry.get(sessionId);
    const stats = running ? this.soFar(running) : (await this.last(sessionId))?.stats;
    return stats && this.withViewers(stats);
  }

  /** The pipeline's stats with what the gateways know: 0 viewers if nobody can be asked. */
  async withViewers(stats: PipelineStats): Promise<Stats> {
    const viewers = await this.viewers.count(stats.sessionId).catch(() => 0);
    return { type: 'stats', ...stats, viewers };
  }

  /** How a session ended; undefined where it has not, or nothing is known of it any more. */
  async ending(
    sessionId: string,
  ): Promise<{ frames: number; error: SessionError | undefined } | undefined> {
    if (await this.registry.get(sessionId)) return undefined;
    const last = await this.last(sessionId);
    return last && { frames: last.stats.framesOut, error: last.error };
  }

  /** Of all running sessions, the oldest first. */
  async ofRunning(): Promise<Stats[]> {
    const ids = await this.registry.ids();
    const sessions = await Promise.all(ids.map((id) => this.registry.get(id)));
    return Promise.all(
      sessions
        .filter((session) => session !== undefined)
        .sort((a, b) => a.createdAt - b.createdAt)
        .map((session) => this.withViewers(this.soFar(session))),
    );
  }

  private soFar({ id, state, stats, record }: Session): PipelineStats {
    return (
      stats ?? {
        sessionId: id,
        state,
        width: 0,
        height: 0,
        fps: this.fps,
        framesIn: 0,
        framesOut: 0,
        framesUndetected: 0,
        faces: 0,
        stages: { decode: { ms: 0 }, detect: { ms: 0 }, segment: { ms: 0 } },
        pipelineMs: 0,
        recording: record ? 'on' : 'off',
        dateErrorMs: 0,
        lateMs: 0,
        recent: { frames: 0, unsearched: 0, hidden: 0 },
      }
    );
  }

  /** What the segmenter left beside the recording of an ended session, or beside its live playlist. */
  private async last(
    sessionId: string,
  ): Promise<{ stats: PipelineStats; error: SessionError | undefined } | undefined> {
    const recorded = await this.recordings.summary(sessionId);
    if (recorded) return parseSummary(recorded);
    try {
      const text = await readFile(join(this.hlsDir, sessionId, 'session.json'), 'utf8');
      const { stats, error } = parseSummary(text);
      return { stats: { ...stats, recording: 'off' }, error };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

function parseSummary(text: string): { stats: PipelineStats; error: SessionError | undefined } {
  const { error, ...stats } = summarySchema.parse(JSON.parse(text));
  return { stats, error };
}
