import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sessionErrorSchema, type SessionError } from '@facecast/shared/protocol/messages';
import {
  pipelineStatsSchema,
  type PipelineStats,
  type Stats,
} from '@facecast/shared/protocol/ingest-protocol';
import type { Session } from '@facecast/shared/redis/session';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { Recordings } from '../media/recordings.js';
import type { Viewers } from '../sessions/viewers.js';

/** Schema of the summary that the segmenter leaves of an ended session. */
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

  /** Resolves to the stats of one session; undefined if nothing is known of it (any more). */
  async of(sessionId: string): Promise<Stats | undefined> {
    const running = await this.registry.get(sessionId);
    const stats = running ? this.soFar(running) : (await this.last(sessionId))?.stats;
    return stats && this.withGatewayFigures(stats);
  }

  /** Adds the gateways' figures to the pipeline's stats; 0 viewers if Redis does not answer. */
  async withGatewayFigures(stats: PipelineStats): Promise<Stats> {
    const viewers = await this.viewers.count(stats.sessionId).catch(() => 0);
    return { type: 'stats', ...stats, viewers };
  }

  /** Resolves to how a session ended; undefined if it has not, or nothing is known of it any more. */
  async ending(
    sessionId: string,
  ): Promise<{ frames: number; error: SessionError | undefined } | undefined> {
    if (await this.registry.get(sessionId)) return undefined;
    const last = await this.last(sessionId);
    return last && { frames: last.stats.framesOut, error: last.error };
  }

  /** Resolves to the stats of all running sessions, the oldest first. */
  async ofRunning(): Promise<Stats[]> {
    const ids = await this.registry.ids();
    const sessions = await Promise.all(ids.map((id) => this.registry.get(id)));
    return Promise.all(
      sessions
        .filter((session) => session !== undefined)
        .sort((a, b) => a.createdAt - b.createdAt)
        .map((session) => this.withGatewayFigures(this.soFar(session))),
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

  /** The summary of an ended session, from its recording's folder or its live folder. */
  private async last(sessionId: string): Promise<Last | undefined> {
    const recorded = await this.recordings.summary(sessionId);
    const edit = recorded && (await this.recordings.edit(sessionId));
    if (recorded && (!edit || edit.state === 'done')) return parseSummary(recorded);
    // While the recording is edited it is withheld, so the stats say that there is none.
    if (recorded) return withoutRecording(parseSummary(recorded));
    try {
      const text = await readFile(join(this.hlsDir, sessionId, 'session.json'), 'utf8');
      return withoutRecording(parseSummary(text));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

interface Last {
  stats: PipelineStats;
  error: SessionError | undefined;
}

function withoutRecording({ stats, error }: Last): Last {
  return { stats: { ...stats, recording: 'off' }, error };
}

function parseSummary(text: string): Last {
  const { error, ...stats } = summarySchema.parse(JSON.parse(text));
  return { stats, error };
}
