import {
  clientMessageSchema,
  effectSchema,
  hidesFaces,
  playlistUrl,
  recordingUrl,
  watchUrl,
} from '@facecast/shared/protocol/ingest-protocol';
import type { ClientMessage, Effect, ErrorCode } from '@facecast/shared/protocol/ingest-protocol';
import {
  draftSession,
  isResumeToken,
  TooManySessionsError,
  type Session,
} from '@facecast/shared/redis/sessions';
import type { Identity } from '../access/publish-tokens.js';
import { isSessionId } from '../session-id.js';
import type { IngestParts } from './ingest-parts.js';
import type { IngestSocket } from './ingest-socket.js';
import { isSupportedMedia } from './media-type.js';
import { Publisher, sayEnd, TOO_MANY_SESSIONS, type Beginning } from './publisher.js';

type Start = Extract<ClientMessage, { type: 'start' }>;
type Resume = Extract<ClientMessage, { type: 'resume' }>;
type OwnSession = Omit<Resume, 'type'>;

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
  /** Undefined: all. */
  private allowedEffects: readonly Effect[] | undefined;
  private readonly firstMessageTimer: NodeJS.Timeout;

  constructor(
    private readonly socket: IngestSocket,
    private readonly parts: IngestParts,
    /** The publishers of this gateway, by session. */
    private readonly publishers: Map<string, Publisher>,
    private readonly door: {
      /** Whose wrong tokens are counted together. */
      client: string;
      /** Media may come from now on. */
      onStarted: () => void;
      /** The first media has come, or the session runs already; may be called again. */
      onPlaced: () => void;
    },
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
      if (data.length > 0) this.door.onPlaced();
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
      this.checkEffect(message.effect);
      await publisher.protect({ effect: message.effect });
    } else if (message.type === 'hide') {
      await publisher.protect({ hidden: message.hidden });
    } else if (message.type === 'stop') {
      await publisher.stop();
    } else if (publisher.isFeeding) {
      checkMedia(message.mimeType);
      publisher.beginRecording(message.mimeType);
    }
  }

  private async start(message: Start): Promise<void> {
    const { mimeType, effect, token, record: asked, visibility = 'unlisted' } = message;
    const identity = this.identify(token);
    this.allowedEffects = identity.effects;
    this.checkEffect(effect);
    checkMedia(mimeType);
    const { load, recordings, sessions } = this.parts;
    const replaces = message.replaces && (await this.own(message.replaces));
    // What takes another's place is no more to do than that was.
    if (!replaces && load.isTooMuch) {
      throw new Unwelcome(
        'overloaded',
        'The face search cannot keep up with the sessions that run: try again later.',
      );
    }
    // What is told early spares a person the wait; what counts is asked when the media comes.
    if (!replaces && !(await sessions.hasRoom())) throw new TooManySessionsError();
    if (!this.isOpen) return;
    const record = recordings.isDue(asked);
    const { session, resumeToken } = draftSession({
      ...{ mimeType, effect, record, visibility, publisher: identity.name },
      allowedEffects: identity.effects && [...identity.effects],
    });
    const { id } = session;
    this.publish({ session, replaces: replaces?.id });
    this.door.onStarted();
    this.socket.say({
      type: 'started',
      sessionId: id,
      resumeToken,
      playlistUrl: playlistUrl(id),
      watchUrl: watchUrl(id),
      keptMinutes: sessions.keptMinutes,
      ...(record && {
        recording: { url: recordingUrl(id), keptHours: recordings.terms.keptHours },
      }),
    });
  }

  private identify(token: string | undefined): Identity {
    const { publishTokens, tokens } = this.parts;
    if (!publishTokens.areNeeded) return { name: undefined, effects: undefined };
    let identity: Identity | undefined;
    const chosen = (given: string) => (identity = publishTokens.identify(given)) !== undefined;
    const verdict = token ? tokens.judge(this.door.client, token, { chosen }) : 'wrong';
    if (verdict === 'too many') throw tooManyTokens();
    if (!identity) throw new Unwelcome('unauthorized', 'Publishing here needs the right token.');
    return identity;
  }

  /** Whether the server, and the token that is published with, allow an effect. */
  private checkEffect(effect: Effect): void {
    const { allowedEffects } = this;
    if (this.parts.requireHidden && !hidesFaces(effect)) {
      const hiding = effectSchema.options.filter(hidesFaces).join(', ');
      const message = `This server shows no faces: "${effect}" is not to be had, but ${hiding}.`;
      throw new Unwelcome('bad_message', message);
    }
    if (allowedEffects && !allowedEffects.includes(effect)) {
      const message = `This token may not publish with "${effect}", but with ${allowedEffects.join(', ')}.`;
      throw new Unwelcome('unauthorized', message);
    }
  }

  private async resume({ sessionId, resumeToken }: Resume): Promise<void> {
    const { registry, sessions, stats, log } = this.parts;
    const session = await this.own({ sessionId, resumeToken });
    if (!session) {
      // It may have ended while the connection was lost, after a `stop` for one. Everybody may know that.
      const ending = this.mayBeThere(sessionId) ? await stats.ending(sessionId) : undefined;
      if (!ending) throw new Unwelcome('not_found', 'The session is not running (any more).');
      this.isOver = true;
      return sayEnd(this.socket, ending);
    }
    this.allowedEffects = session.allowedEffects;
    await sessions.publisherSeen(sessionId);
    await this.publishers.get(sessionId)?.replace();
    const taken = await registry.takeOver(sessionId);
    if (!taken) throw new Unwelcome('not_found', 'The session has just ended.');
    if (!this.isOpen) return;
    const { connection, chunks, newest, state } = taken;
    // One that resumed in the meantime, too, has lost the session to the later of the two.
    void this.publishers.get(sessionId)?.replace();
    const publisher = this.publish({ sessionId, connection, safe: chunks });
    this.door.onStarted();
    this.door.onPlaced();
    await publisher.goOn(newest);
    log.info({ sessionId, chunks }, 'resumed');
    this.socket.say({ type: 'resumed', chunks });
    // That may have been announced to nobody while the connection was lost.
    if (state === 'live') publisher.announce();
  }

  /** The client's own session, or undefined where it is not running. */
  private async own({ sessionId, resumeToken }: OwnSession): Promise<Session | undefined> {
    const { registry, tokens } = this.parts;
    const session = this.mayBeThere(sessionId) ? await registry.get(sessionId) : undefined;
    if (!session) return undefined;
    const made = (token: string) => isResumeToken(session, token);
    const verdict = tokens.judge(this.door.client, resumeToken, { made });
    if (verdict === 'too many') throw tooManyTokens();
    if (verdict === 'wrong') {
      throw new Unwelcome('unauthorized', 'That is not the resume token of this session.');
    }
    return session;
  }

  private mayBeThere(sessionId: string): boolean {
    return isSessionId(sessionId) && !this.parts.deleted.has(sessionId);
  }

  private get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  private publish(beginning: Beginning): Publisher {
    this.publisher = new Publisher(beginning, this.socket, this.parts);
    this.publishers.set(this.publisher.sessionId, this.publisher);
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
      return this.socket.refuse('too_many_sessions', TOO_MANY_SESSIONS);
    }
    this.parts.log.error({ err: error }, 'a message could not be answered');
    this.socket.refuse('internal', 'The server cannot do that at the moment.');
  }
}

function tooManyTokens(): Unwelcome {
  return new Unwelcome(
    'overloaded',
    'Too many wrong tokens came from your address: wait a minute.',
  );
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
