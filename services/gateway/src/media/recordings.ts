import { readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import {
  aboutRecordingSchema,
  RECORDING_FILES,
  type AboutRecording,
} from '@facecast/shared/protocol/recording-folder';
import { Refusal } from '../errors.js';
import { sendFile } from './send-file.js';
import { isSessionId } from '../session-id.js';

/** It grows while its session runs, and it may be deleted: whoever has a copy must ask again. */
const CACHE = 'private, no-cache';

/** What the operator decided about recordings. */
export interface RecordingTerms {
  /** `0`: there are none; `ask`: of sessions that ask for it; `1`: of every session. */
  record: '0' | 'ask' | '1';
  keptHours: number;
}

/** The recordings of sessions, running or ended, as far as a gateway is concerned. */
export class Recordings {
  constructor(
    private readonly directory: string,
    readonly terms: RecordingTerms,
  ) {}

  /** Whether a session is recorded, of which this was `asked`. */
  isDue(asked: boolean | undefined): boolean {
    return this.terms.record === '1' || (this.terms.record === 'ask' && asked === true);
  }

  /** What is known of a recording; undefined where there is none (any more). */
  async about(sessionId: string): Promise<AboutRecording | undefined> {
    const text = await this.read(sessionId, RECORDING_FILES.about);
    return text && aboutRecordingSchema.parse(JSON.parse(text.toString()));
  }

  /** What the segmenter left of an ended session that has a recording: its `session.json`. */
  async summary(sessionId: string): Promise<string | undefined> {
    return (await this.read(sessionId, RECORDING_FILES.summary))?.toString();
  }

  /** Where the face timeline is, if there is a recording. */
  facesPath(sessionId: string): string {
    return join(this.directory, sessionId, RECORDING_FILES.faces);
  }

  /**
   * Answers with the playlist, as far as it is.
   * @throws {Refusal} where there is no recording
   */
  async sendPlaylist(response: ServerResponse, sessionId: string): Promise<void> {
    const text = await this.read(sessionId, RECORDING_FILES.playlist);
    if (!text) throw noRecording();
    // Of one that grows, the newest line may not be whole yet.
    const body = text.subarray(0, text.lastIndexOf('\n') + 1);
    response.writeHead(200, {
      'Content-Type': 'application/vnd.apple.mpegurl',
      'Content-Length': body.length,
      'Cache-Control': CACHE,
    });
    response.end(body);
  }

  /**
   * Answers with the MP4, or the range of it that is wanted.
   * @param as `file`: to be kept under a name that says what it is
   * @throws {Refusal} where there is no recording, or no such range
   */
  async sendMedia(
    request: IncomingMessage,
    response: ServerResponse,
    sessionId: string,
    as: 'file' | 'stream',
  ): Promise<void> {
    const about = await this.about(sessionId);
    if (!about) throw noRecording();
    const name = `facecast-${dateOf(about.createdAt)}.mp4`;
    const isThere = await sendFile(request, response, {
      root: this.directory,
      path: join(sessionId, RECORDING_FILES.media),
      headers: {
        'Content-Type': 'video/mp4',
        'Cache-Control': CACHE,
        ...(as === 'file' && { 'Content-Disposition': `attachment; filename="${name}"` }),
      },
    });
    if (!isThere) throw noRecording();
  }

  /** Deletes a recording with its playlist and its timeline. */
  async remove(sessionId: string): Promise<void> {
    await rm(join(this.directory, sessionId), { recursive: true, force: true });
  }

  private async read(sessionId: string, file: string): Promise<Buffer | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    try {
      return await readFile(join(this.directory, sessionId, file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

export function noRecording(): Refusal {
  return new Refusal(404, 'There is no recording of this session (any more).');
}

/** To the minute, as it can be in a file's name: 2026-03-01-1200. */
function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', '-').replace(':', '');
}
