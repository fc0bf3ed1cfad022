import { readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import {
  aboutRecordingSchema,
  RECORDING_FILES,
  recordingEditSchema,
  type AboutRecording,
  type RecordingEdit,
} from '@facecast/shared/protocol/recording-folder';
import { isPrivate } from '@facecast/shared/protocol/session-visibility';
import { HttpError } from '../errors.js';
import { PRIVATE_CACHE, RECORDING_CACHE } from './cache-control.js';
import { sendFile } from './send-file.js';
import { isSessionId } from '../session-id.js';

/** What the operator decided about recordings. */
export interface RecordingTerms {
  /** `0`: there are none; `ask`: of sessions that ask for it; `1`: of every session. */
  record: '0' | 'ask' | '1';
  keptHours: number;
}

/** A gateway's access to the recordings of running and ended sessions. */
export class Recordings {
  constructor(
    private readonly directory: string,
    readonly terms: RecordingTerms,
  ) {}

  /** Whether a session is recorded if its publisher `asked` so. */
  isDue(asked: boolean | undefined): boolean {
    return this.terms.record === '1' || (this.terms.record === 'ask' && asked === true);
  }

  /** Resolves to a recording's `about` file; undefined if there is none (any more). */
  async about(sessionId: string): Promise<AboutRecording | undefined> {
    const text = await this.read(sessionId, 'about');
    return text && aboutRecordingSchema.parse(JSON.parse(text.toString()));
  }

  /** Resolves to the last edit of a recording; undefined if there is none. */
  async edit(sessionId: string): Promise<RecordingEdit | undefined> {
    const text = await this.read(sessionId, 'edit');
    return text && recordingEditSchema.parse(JSON.parse(text.toString()));
  }

  /** Resolves to the summary of an ended session with a recording. */
  async summary(sessionId: string): Promise<string | undefined> {
    return (await this.read(sessionId, 'summary'))?.toString();
  }

  /** Path of a recording's face timeline. */
  facesPath(sessionId: string): string {
    return join(this.directory, sessionId, RECORDING_FILES.faces);
  }

  /**
   * Answers with the playlist as it is now.
   * @throws {HttpError} if there is no recording
   */
  async sendPlaylist(response: ServerResponse, sessionId: string): Promise<void> {
    const text = await this.read(sessionId, 'playlist');
    if (!text) throw noRecording();
    // The newest line of a growing playlist may be incomplete.
    const body = text.subarray(0, text.lastIndexOf('\n') + 1);
    response.writeHead(200, {
      'Content-Type': 'application/vnd.apple.mpegurl',
      'Content-Length': body.length,
      'Cache-Control': cacheOf(sessionId),
    });
    response.end(body);
  }

  /**
   * Answers with the MP4, or the requested range of it.
   * @param as `file`: to be kept under a name that says what it is
   * @throws {HttpError} if there is no recording, or no such range
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
        'Cache-Control': cacheOf(sessionId),
        ...(as === 'file' && { 'Content-Disposition': `attachment; filename="${name}"` }),
      },
    });
    if (!isThere) throw noRecording();
  }

  /** Deletes a recording with its playlist and its timeline. */
  async remove(sessionId: string): Promise<void> {
    await rm(join(this.directory, sessionId), { recursive: true, force: true });
  }

  /** The content of one of its files; undefined where there is none (any more). */
  async read(sessionId: string, file: keyof typeof RECORDING_FILES): Promise<Buffer | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    try {
      return await readFile(join(this.directory, sessionId, RECORDING_FILES[file]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

function cacheOf(sessionId: string): string {
  return isPrivate(sessionId) ? PRIVATE_CACHE : RECORDING_CACHE;
}

export function noRecording(): HttpError {
  return new HttpError(404, 'There is no recording of this session (any more).');
}

/** To the minute, as it can be in a file's name: 2026-03-01-1200. */
function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', '-').replace(':', '');
}
