import {
  clientMessageSchema,
  playlistUrl,
  recordingUrl,
  watchUrl,
} from '@facecast/shared/ingest-protocol';
import type { ClientMessage, ErrorCode } from '@facecast/shared/ingest-protocol';
import { isResumeToken, TooManySessionsError } from '@facecast/shared/sessions';
import { isSessionId } from '../session-id.js';
import { sameSecret } from '../tokens.js';
import type { IngestParts } from './ingest-parts.js';
import type { IngestSocket } from './ingest-socket.js';
import { isSupportedMedia } from './media-type.js';
import { Publisher, sayEnd } from './publisher.js';

type Start = Extract<ClientMessage, { type: 'start' }>;
type Resume = Extract<ClientMessage, { type: 'resume' }>;

/** Why a client is turned away, in the words of the protocol. */
class Unwelcome extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** What is said on one `/ingest` socket, from its first message to its close. */
export class Conversation {
  private publisher: Publisher | undefined;
  private isOpening = false;
  private isOver = false;
  private readonly firstMessageTimer: NodeJS.Timeout;

  constructor(
    private readonly socket: IngestSocket,
    private readonly parts: IngestParts,
    private readonly publishToken: string | undefined,
    /** The publishers of this gateway, by session. */
    private readonly publishers: Map<string, Publisher>,
  ) {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.receive(data, isBinary).catch((error: unknown) => this.refuse(error));
    });
    // The WebSocket layer has then told the client why.
    socket.on('error', () => (this.isOver = true));
    socket.on('close', () => void this.leave());
    this.firstMessageTimer = setTimeout(
      () => this.refuse(new Unwelcome('bad_message', 'No start came in time.')),
      parts.limits.firstMessageMs,
    );
  }

  private async receive(data: Buffer, isBinary: boolean): Promise<void> {
    if (this.isOver) return;
    clearTimeout(this.firstMessageTimer);
    if (isBinary) {
      if (!this.publisher) throw new Unwelcome('bad_message', 'Media comes after started.');
      this.publisher.chunk(data);
    } else {
      if (data.length > this.parts.limits.textBytes) {
        throw new Unwelcome('too_large', 'A text message is larger than this server accepts.');
      }
      await this.answer(readMessage(data));
    }
  }

  private async answer(message: ClientMessage): Promise<void> {
    const isFirst = message.type === 'start' || message.type === 'resume';
    const { publisher } = this;
    if (isFirst) {
      if (publisher || this.isOpening) throw new Unwelcome('bad_message', 'That comes only once.');
      this.isOpening = true;
      await (message.type === 'start' ? this.start(message) : this.resume(message));
    } else if (!publisher) {
      throw new Unwelcome('bad_message', 'The first message is start or resume.');
    } else if (message.type === 'effect') {
      await publisher.changeEffect(message.effect);
    } else if (message.type === 'stop') {
      await publisher.stop();
    } else if (publisher.isFeeding) {
      checkMedia(message.mimeType);
      publisher.beginRecording(message.mimeType);
    }
  }

  private async start({ mimeType, effect, token, record: asked }: Start): Promise<void> {
    if (this.publishToken !== undefined && !sameSecret(token ?? '', this.publishToken)) {
      throw new Unwelcome('unauthorized', 'Publishing here needs the right token.');
    }
    checkMedia(mimeType);
    if (this.parts.load.isTooMuch) {
      throw new Unwelcome(
        'overloaded',
        'The face search cannot keep up with the sessions that run: try again later.',
      );
    }
    const { recordings, sessions } = this.parts;
    const record = recordings.isDue(asked);
    const { session, resumeToken } = await sessions.begin({ mimeType, effect, record });
    const { id } = session;
    if (!this.isOpen) {
      await sessions.end(id);
      return;
    }
    this.publish(id, 0, 0);
    this.parts.log.info({ sessionId: id, mimeType, effect, record }, 'started');
    this.socket.say({
      type: 'started',
      sessionId: id,
      resumeToken,
      playlistUrl: playlistUrl(id),
      watchUrl: watchUrl(id),
      ...(record && {
        recording: { url: recordingUrl(id), keptHours: recordings.terms.keptHours },
      }),
    });
  }

  private async resume({ sessionId, resumeToken }: Resume): Promise<void> {
    const { registry, sessions, stats, log } = this.parts;
    const session = isSessionId(sessionId) ? await registry.get(sessionId) : undefined;
    if (!session) {
      // It may have ended while the connection was lost, after a `stop` for one. Everybody may know that.
      const ending = isSessionId(sessionId) ? await stats.ending(sessionId) : undefined;
      if (!ending) throw new Unwelcome('not_found', 'The session is not running (any more).');
      this.isOver = true;
      return sayEnd(this.socket, ending);
    }
    if (!isResumeToken(session, resumeToken)) {
      throw new Unwelcome('unauthorized', 'That is not the resume token of this session.');
    }
    await sessions.publisherSeen(sessionId);
    await this.publishers.get(sessionId)?.replace();
    const taken = await registry.takeOver(sessionId);
    if (!taken) throw new Unwelcome('not_found', 'The session has just ended.');
    if (!this.isOpen) return;
    const { connection, chunks, newest, state } = taken;
    // One that resumed in the meantime, too, has lost the session to the later of the two.
    void this.publishers.get(sessionId)?.replace();
    const publisher = this.publish(sessionId, connection, chunks);
    await publisher.goOn(newest);
    log.info({ sessionId, chunks }, 'resumed');
    this.socket.say({ type: 'resumed', chunks });
    // That may have been announced to nobody while the connection was lost.
    if (state === 'live') publisher.announce();
  }

  private get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  private publish(sessionId: string, connection: number, safe: number): Publisher {
    this.publisher = new Publisher(sessionId, this.socket, this.parts, connection, safe);
    this.publishers.set(sessionId, this.publisher);
    return this.publisher;
  }

  private async leave(): Promise<void> {
    this.isOver = true;
    clearTimeout(this.firstMessageTimer);
    const { publisher } = this;
    if (!publisher) return;
    await publisher.left();
    const { sessionId } = publisher;
    if (this.publishers.get(sessionId) === publisher) this.publishers.delete(sessionId);
  }

  private refuse(error: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    if (error instanceof Unwelcome) return this.socket.refuse(error.code, error.message);
    if (error instanceof TooManySessionsError) {
      return this.socket.refuse(
        'too_many_sessions',
        'As many sessions run as this server can take.',
      );
    }
    this.parts.log.error({ err: error }, 'a message could not be answered');
    this.socket.refuse('internal', 'The server cannot do that at the moment.');
  }
}

function checkMedia(mimeType: string): void {
  if (!isSupportedMedia(mimeType)) {
    throw new Unwelcome('unsupported_media', 'Only WebM, Matroska and MP4 can be sent.');
  }
}

function readMessage(data: Buffer): ClientMessage {
  const result = clientMessageSchema.safeParse(parseJson(data));
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') || 'type';
  throw new Unwelcome('bad_message', `A text message is not of the protocol (see: ${where}).`);
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString());
  } catch {
    throw new Unwelcome('bad_message', 'A text message is not JSON.');
  }
}
