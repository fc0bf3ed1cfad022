import {
  playlistPath,
  recordingPath,
  watchPath,
  type ClientMessage,
  type ServerMessage,
} from '@facecast/shared/protocol/ingest-protocol';
import type { NamedChunk } from '@facecast/shared/protocol/messages';
import { isPrivate } from '@facecast/shared/protocol/session-visibility';
import { draftSession, isResumeToken, type Session } from '@facecast/shared/redis/session';
import { TooManySessionsError } from '@facecast/shared/redis/session-registry';
import type { Identity } from '../access/publish-tokens.js';
import { isSessionId } from '../session-id.js';
import { effectProblem, usableEffects, type EffectRules } from './effect-rules.js';
import type { IngestDeps } from './ingest-deps.js';
import type { Ending } from './ingest-state.js';
import { mediaProblem } from './media-type.js';
import { ProtocolError } from './protocol-error.js';

type Start = Extract<ClientMessage, { type: 'start' }>;
type Resume = Extract<ClientMessage, { type: 'resume' }>;

/** A session that `start` drafted; its first media registers it. */
export interface DraftedSession {
  session: Session;
  rules: EffectRules;
  /** The session that it replaces and that is then deleted; undefined if there is none. */
  replaces: string | undefined;
  started: ServerMessage;
}

/** A running session that `resume` gave to this connection. */
export interface ResumedSession {
  rules: EffectRules;
  /** Number of this connection in the registry. */
  connection: number;
  /** How many of the session's chunks are stored. */
  chunks: number;
  /** The newest of them, which may not be in the queue yet. */
  newest: NamedChunk[];
  isPlayable: boolean;
}

/** Answers `start` and `resume`, and registers drafted sessions. */
export class SessionOpener {
  /** @param client the address whose wrong tokens are counted together */
  constructor(
    private readonly deps: IngestDeps,
    private readonly client: string,
  ) {}

  /**
   * Drafts the session that a client asks for.
   * @throws {ProtocolError} if the client may not publish like that, or not now
   * @throws {TooManySessionsError} if the maximum number of sessions run
   */
  async start(message: Start): Promise<DraftedSession> {
    const { mimeType, effect, token, record: asked, visibility = 'unlisted' } = message;
    const { load, recordings, sessions, requireHidden, basePath } = this.deps;
    const { name: publisher, effects } = this.identify(token);
    const rules = { requireHidden, allowed: effects };
    const problem = effectProblem(effect, rules) ?? mediaProblem(mimeType);
    if (problem) throw problem;
    const replaced = message.replaces && (await this.own(message.replaces));
    // A session that replaces another adds no load.
    if (!replaced && load.isTooMuch) {
      throw new ProtocolError(
        'overloaded',
        'The face search cannot keep up with the sessions that run: try again later.',
      );
    }
    // An early refusal spares a person the wait; the binding check is made when the media comes.
    if (!replaced && !(await sessions.hasRoom())) throw new TooManySessionsError();
    const record = recordings.isDue(asked);
    const { session, resumeToken } = draftSession({
      ...{ mimeType, effect, record, visibility, publisher },
      allowedEffects: effects && [...effects],
    });
    const sessionId = session.id;
    const started: ServerMessage = {
      type: 'started',
      sessionId,
      resumeToken,
      playlistUrl: basePath + playlistPath(sessionId),
      watchUrl: basePath + watchPath(sessionId),
      effects: usableEffects(rules),
      resumeSeconds: sessions.resumeSeconds,
      keptMinutes: sessions.keptMinutes,
      ...(record && {
        recording: {
          url: basePath + recordingPath(sessionId),
          keptHours: recordings.terms.keptHours,
        },
      }),
    };
    return { session, rules, replaces: replaced?.id, started };
  }

  /**
   * Registers a drafted session, and deletes the one that it replaces.
   * @throws {TooManySessionsError} if the maximum number of sessions run
   */
  async begin({ session, replaces }: Pick<DraftedSession, 'session' | 'replaces'>): Promise<void> {
    const { sessions, deleted, log, audit } = this.deps;
    session.createdAt = Date.now();
    await sessions.begin(session, replaces);
    if (replaces !== undefined) await deleted.delete(replaces);
    const { id, mimeType, effect, record, publisher = 'publisher' } = session;
    log.info({ sessionId: id, mimeType, effect, record }, 'started');
    audit.note('publish', publisher, id, { effect, record, private: isPrivate(id) });
  }

  /**
   * Takes a session over from the publisher's connection before this one; `release` has that one queue its
   * chunks, if it is with this gateway. Resolves to how the session ended, if it has.
   * @throws {ProtocolError} if it is not the client's own, or does not run
   */
  async resume(
    { sessionId, resumeToken }: Resume,
    release: (sessionId: string) => Promise<void>,
  ): Promise<ResumedSession | Ending> {
    const { registry, sessions, stats, requireHidden } = this.deps;
    const session = await this.own({ sessionId, resumeToken });
    if (!session) {
      // It may have ended while the connection was lost, for instance after a `stop`. That is no secret.
      const ending = this.mayBeThere(sessionId) ? await stats.ending(sessionId) : undefined;
      if (ending) return ending;
      throw new ProtocolError('not_found', 'The session is not running (any more).');
    }
    await sessions.publisherSeen(sessionId);
    await release(sessionId);
    const taken = await registry.takeOver(sessionId);
    if (!taken) throw new ProtocolError('not_found', 'The session has just ended.');
    const { state, ...resumed } = taken;
    const rules = { requireHidden, allowed: session.allowedEffects };
    return { ...resumed, rules, isPlayable: state === 'live' };
  }

  private identify(token: string | undefined): Identity {
    const { publishTokens, tokens } = this.deps;
    if (!publishTokens.areNeeded) return { name: undefined, effects: undefined };
    let identity: Identity | undefined;
    const chosen = (given: string) => (identity = publishTokens.identify(given)) !== undefined;
    const verdict = token ? tokens.judge(this.client, token, { chosen }) : 'wrong';
    if (verdict === 'too many') throw tooManyTokens();
    if (!identity) {
      throw new ProtocolError('unauthorized', 'Publishing here needs the right token.');
    }
    return identity;
  }

  /** The client's own session; undefined if it is not running. */
  private async own({
    sessionId,
    resumeToken,
  }: Omit<Resume, 'type'>): Promise<Session | undefined> {
    const { registry, tokens } = this.deps;
    const session = this.mayBeThere(sessionId) ? await registry.get(sessionId) : undefined;
    if (!session) return undefined;
    const made = (token: string) => isResumeToken(session, token);
    const verdict = tokens.judge(this.client, resumeToken, { made });
    if (verdict === 'too many') throw tooManyTokens();
    if (verdict === 'wrong') {
      throw new ProtocolError('unauthorized', 'That is not the resume token of this session.');
    }
    return session;
  }

  private mayBeThere(sessionId: string): boolean {
    return isSessionId(sessionId) && !this.deps.deleted.has(sessionId);
  }
}

function tooManyTokens(): ProtocolError {
  return new ProtocolError(
    'overloaded',
    'Too many wrong tokens came from your address: wait a minute.',
  );
}
