import type { EventOf, FacecastEvent } from '@facecast/shared/protocol/events';
import type {
  ClientMessage,
  Effect,
  ErrorCode,
  PipelineStats,
  ServerMessage,
} from '@facecast/shared/protocol/ingest-protocol';
import type { SessionError } from '@facecast/shared/protocol/messages';
import type { FeedEnd } from './chunk-feed.js';
import type { EffectRules } from './effect-rules.js';

/** Where a publisher's socket stands, from its first message to its close. */
export type IngestState =
  /** It has not said yet what it wants. */
  | { name: 'greeting' }
  /** Its `start` or `resume` is being answered. */
  | { name: 'opening' }
  /** Its media is taken; `inputStream` is the MIME type of the one that the next chunk begins. */
  | ({ name: 'publishing'; hasMedia: boolean; inputStream: string | undefined } & KnownSession)
  /** Nothing more is taken, and the session's end is waited for; `isStopped`: its publisher said `stop`. */
  | ({ name: 'ending'; isStopped: boolean } & KnownSession)
  /** Nothing is answered any more. What has arrived is still queued. */
  | { name: 'over' };

/** What is known of a session while its publisher is connected. */
export interface KnownSession {
  sessionId: string;
  rules: EffectRules;
  /** Whether the publisher was told that the playlist can be played. */
  isAnnounced: boolean;
  /** Whether stats have said that the session is live. */
  isLive: boolean;
  /** Frames listed in the playlist, as stats said last. */
  framesOut: number;
}

/** How a session ended. */
export type Ending = Pick<EventOf<'ended'>, 'frames'> & { error?: SessionError | undefined };

/** How viewers are to be protected. */
export type ProtectionWish = { effect: Effect } | { hidden: boolean };

export type FirstMessage = Extract<ClientMessage, { type: 'start' | 'resume' }>;

export type IngestEvent =
  | { type: 'message'; message: ClientMessage }
  | { type: 'media'; bytes: Buffer }
  /** Something cannot be done for this client. */
  | { type: 'problem'; code: ErrorCode; message: string }
  /** A session was drafted, or taken over; `greeting` is its first answer, unless that comes later. */
  | {
      type: 'opened';
      sessionId: string;
      rules: EffectRules;
      hasMedia: boolean;
      greeting: ServerMessage | undefined;
    }
  /** Chunks that the connection before this one stored are queued: the publisher may go on. */
  | { type: 'resumable'; chunks: number; isPlayable: boolean }
  | { type: 'pipeline'; event: FacecastEvent }
  | ({ type: 'session_ended' } & Ending)
  /** So many of the session's chunks are safely queued. */
  | { type: 'stored'; count: number }
  /** As many chunks wait to be stored as may, or there is room again. */
  | { type: 'backlog'; isFull: boolean }
  | { type: 'feed_ended'; end: FeedEnd }
  /** The state has lasted as long as it may: `deadlineOf`. */
  | { type: 'timed_out' }
  | { type: 'taken_over' }
  /** The socket has closed, or the gateway stops. */
  | { type: 'left' };

export type IngestAction =
  | { type: 'open'; message: FirstMessage }
  | { type: 'send'; message: ServerMessage }
  | { type: 'send_stats'; stats: PipelineStats }
  | { type: 'refuse'; code: ErrorCode; message: string }
  | { type: 'close' }
  | { type: 'feed'; bytes: Buffer; inputStream: string | undefined }
  | { type: 'end_input' }
  /** The socket is not read, so that the publisher's side keeps what it has; or it is read again. */
  | { type: 'hold_back'; isHeld: boolean }
  /** Chunks that came after the session's end go. */
  | { type: 'discard_late' }
  /** The pipeline has listed frames since it was heard last. */
  | { type: 'note_progress' }
  | { type: 'protect'; wish: ProtectionWish };

/** What follows from an event. */
export interface Step {
  state: IngestState;
  actions: IngestAction[];
}

/** Which time limit a state has, by its name in `IngestLimits`. */
export function deadlineOf(state: IngestState) {
  switch (state.name) {
    case 'greeting':
      return 'firstMessageMs';
    case 'publishing':
      return state.hasMedia ? undefined : 'firstMediaMs';
    case 'ending':
      return 'endMs';
    case 'opening':
    case 'over':
      return undefined;
  }
}
