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

/** State of a publisher's socket, from its opening to its close. */
export type IngestState =
  /** Its first message has not come yet. */
  | { name: 'greeting' }
  /** Its `start` or `resume` is being answered. */
  | { name: 'opening' }
  /** It may send media; `inputStream` is the MIME type of the input stream that the next chunk begins. */
  | ({ name: 'publishing'; hasMedia: boolean; inputStream: string | undefined } & KnownSession)
  /**
   * No more media is accepted, and the session's end has not come yet; `isStopped`: its publisher sent
   * `stop`.
   */
  | ({ name: 'ending'; isStopped: boolean } & KnownSession)
  /** Nothing more is sent. Chunks that arrived are still queued. */
  | { name: 'over' };

/** A session as its publisher's connection knows it. */
export interface KnownSession {
  sessionId: string;
  /** Path of its playlist, as clients ask for it. */
  playlistUrl: string;
  rules: EffectRules;
  /** Whether `playlist_ready` was sent. */
  isAnnounced: boolean;
  /** Whether stats have said that the session is live. */
  isLive: boolean;
  /** Number of listed frames in the newest stats. */
  framesOut: number;
}

/** How a session ended. */
export type Ending = Pick<EventOf<'ended'>, 'frames'> & { error?: SessionError | undefined };

/** A publisher's change to how viewers are protected. */
export type ProtectionWish = { effect: Effect } | { hidden: boolean };

export type FirstMessage = Extract<ClientMessage, { type: 'start' | 'resume' }>;

export type IngestEvent =
  | { type: 'message'; message: ClientMessage }
  | { type: 'media'; bytes: Buffer }
  /** The client is to be refused. */
  | { type: 'problem'; code: ErrorCode; message: string }
  /** A session was drafted or resumed; `greeting` is its first answer, unless that comes later. */
  | {
      type: 'opened';
      sessionId: string;
      playlistUrl: string;
      rules: EffectRules;
      hasMedia: boolean;
      greeting: ServerMessage | undefined;
    }
  /** All chunks of the connection before this one are queued, so the publisher may go on. */
  | { type: 'resumable'; chunks: number; isPlayable: boolean }
  | { type: 'pipeline'; event: FacecastEvent }
  | ({ type: 'session_ended' } & Ending)
  /** `count` of the session's chunks are safely queued. */
  | { type: 'stored'; count: number }
  /** The backlog is full, or not any more. */
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
  /** Stops or resumes reading the socket. */
  | { type: 'hold_back'; isHeld: boolean }
  /** Removes chunks that came after the session's end. */
  | { type: 'discard_late' }
  /** Records that the pipeline has listed more frames. */
  | { type: 'note_progress' }
  | { type: 'protect'; wish: ProtectionWish };

/** The next state, and the actions that follow from an event. */
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
