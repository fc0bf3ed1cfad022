import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type {
  ClientMessage,
  ErrorCode,
  ServerMessage,
} from '@facecast/shared/protocol/ingest-protocol';
import { isRedisFull } from '@facecast/shared/redis/redis';
import type { FeedEnd } from './chunk-feed.js';
import { effectProblem } from './effect-rules.js';
import type {
  Ending,
  IngestAction,
  IngestEvent,
  IngestState,
  KnownSession,
  Step,
} from './ingest-state.js';
import { mediaProblem } from './media-type.js';
import { TOO_MANY_SESSIONS } from './protocol-error.js';

type Publishing = Extract<IngestState, { name: 'publishing' }>;
type Published = Extract<IngestState, KnownSession>;

const OVER: IngestState = { name: 'over' };
const TAKEN_OVER = {
  code: 'bad_message',
  message: 'Another connection has taken this session over.',
} as const;

/**
 * The state after `event`, and the actions that follow. An event without a meaning in `state` changes
 * nothing.
 */
export function nextIngestState(state: IngestState, event: IngestEvent): Step {
  // Chunks that arrived before the end are still stored and acknowledged.
  if (event.type === 'stored') return step(state, send({ type: 'ack', chunks: event.count }));
  if (state.name === 'over') return step(state);
  switch (event.type) {
    case 'message':
      return afterMessage(state, event.message);
    case 'media':
      return afterMedia(state, event.bytes);
    case 'problem':
      return refused(event);
    case 'opened': {
      if (state.name !== 'opening') return step(state);
      const { sessionId, playlistUrl, rules, hasMedia, greeting } = event;
      const heard = { isAnnounced: false, isLive: false, framesOut: 0 };
      const opened = { sessionId, playlistUrl, rules, hasMedia, inputStream: undefined, ...heard };
      return step({ name: 'publishing', ...opened }, ...(greeting ? [send(greeting)] : []));
    }
    case 'resumable': {
      if (!isPublished(state)) return step(state);
      const resumed = send({ type: 'resumed', chunks: event.chunks });
      // `playlist_ready` may have been published while the connection was lost.
      return event.isPlayable ? announced(state, resumed) : step(state, resumed);
    }
    case 'pipeline':
      return isPublished(state) ? afterPipeline(state, event.event) : step(state);
    case 'session_ended':
      return afterEnd(state, event);
    case 'backlog':
      return step(state, { type: 'hold_back', isHeld: event.isFull });
    case 'feed_ended':
      return isPublished(state) ? afterFeed(state, event.end) : step(state);
    case 'timed_out':
      return afterTimeout(state);
    case 'taken_over':
      return refused(TAKEN_OVER);
    case 'left':
      return step(OVER);
  }
}

function afterMessage(state: IngestState, message: ClientMessage): Step {
  if (message.type === 'start' || message.type === 'resume') {
    if (state.name === 'greeting') return step({ name: 'opening' }, { type: 'open', message });
    return refused({ code: 'bad_message', message: 'That comes only once.' });
  }
  if (!isPublished(state)) {
    return refused({ code: 'bad_message', message: 'The first message is start or resume.' });
  }
  switch (message.type) {
    case 'effect': {
      const problem = effectProblem(message.effect, state.rules);
      if (problem) return refused(problem);
      if (state.name === 'ending') return step(state);
      return step(state, { type: 'protect', wish: { effect: message.effect } });
    }
    case 'hide':
      // Frames that are not published yet can be hidden even after a stop.
      return step(state, { type: 'protect', wish: { hidden: message.hidden } });
    case 'restart': {
      if (state.name === 'ending') return step(state);
      const problem = mediaProblem(message.mimeType);
      return problem ? refused(problem) : step({ ...state, inputStream: message.mimeType });
    }
    case 'stop':
      if (state.name === 'ending') return step(state);
      return step(ending(state, { isStopped: true }), { type: 'end_input' });
  }
}

function afterMedia(state: IngestState, bytes: Buffer): Step {
  if (!isPublished(state)) {
    return refused({ code: 'bad_message', message: 'Media comes after started.' });
  }
  if (state.name === 'ending') return step(state);
  const { inputStream } = state;
  // MediaRecorder may give empty chunks: they count, so that both sides have the same numbers.
  const hasMedia = state.hasMedia || bytes.length > 0;
  return step({ ...state, hasMedia, inputStream: undefined }, { type: 'feed', bytes, inputStream });
}

function afterPipeline(state: Published, event: FacecastEvent): Step {
  if (event.type === 'playlist_ready') return announced(state);
  if (event.type === 'ended') return afterEnd(state, event);
  if (event.type !== 'stats') return step(state);
  const { stats } = event;
  const isLive = stats.state === 'live';
  const framesOut = Math.max(state.framesOut, stats.framesOut);
  const heard: Published = { ...state, isLive: state.isLive || isLive, framesOut };
  // The event may be lost with a Redis connection, but stats repeat.
  const { state: after, actions } = isLive && state.isLive ? announced(heard) : step(heard);
  if (framesOut > state.framesOut) actions.push({ type: 'note_progress' });
  return step(after, ...actions, { type: 'send_stats', stats });
}

/** Sends `playlist_ready`, unless that was sent before. */
function announced(state: Published, ...before: IngestAction[]): Step {
  if (state.isAnnounced) return step(state, ...before);
  const { sessionId, playlistUrl } = state;
  const ready = send({ type: 'playlist_ready', sessionId, playlistUrl });
  return step({ ...state, isAnnounced: true }, ...before, ready);
}

/** The step after the end of the session's playlist, or if there never was one. */
function afterEnd(state: IngestState, { frames, error }: Ending): Step {
  const isLate = isPublished(state) && !(state.name === 'ending' && state.isStopped);
  const discard: IngestAction[] = isLate ? [{ type: 'discard_late' }] : [];
  if (error) return step(OVER, { type: 'refuse', ...error }, ...discard);
  return step(OVER, send({ type: 'ended', frames }), { type: 'close' }, ...discard);
}

function afterFeed(state: Published, end: FeedEnd): Step {
  switch (end.how) {
    case 'done':
      return step(state);
    case 'no_media':
      return step(OVER, send({ type: 'ended', frames: 0 }), { type: 'close' });
    case 'session_over':
      return step(state.name === 'publishing' ? ending(state, { isStopped: false }) : state);
    case 'taken_over':
      return refused(TAKEN_OVER);
    case 'too_many_sessions':
      return refused({ code: 'too_many_sessions', message: TOO_MANY_SESSIONS });
    case 'overloaded': {
      const message = 'The server cannot keep up with this stream.';
      return refused({ code: 'overloaded', message });
    }
    case 'outage': {
      const message = isRedisFull(end.error)
        ? 'The server has no room left for this stream.'
        : 'The server cannot store this stream at the moment.';
      return refused({ code: 'internal', message });
    }
  }
}

function afterTimeout(state: IngestState): Step {
  switch (state.name) {
    case 'greeting':
      return refused({ code: 'bad_message', message: 'No start came in time.' });
    case 'publishing':
      return refused({ code: 'bad_message', message: 'No media came in time.' });
    case 'ending': {
      const message = 'The end of the session was not confirmed in time.';
      return refused({ code: 'internal', message });
    }
    case 'opening':
    case 'over':
      return step(state);
  }
}

function isPublished(state: IngestState): state is Published {
  return state.name === 'publishing' || state.name === 'ending';
}

function ending(
  { sessionId, playlistUrl, rules, isAnnounced, isLive, framesOut }: Publishing,
  how: { isStopped: boolean },
): IngestState {
  return { name: 'ending', ...how, sessionId, playlistUrl, rules, isAnnounced, isLive, framesOut };
}

function refused({ code, message }: { code: ErrorCode; message: string }): Step {
  return step(OVER, { type: 'refuse', code, message });
}

function send(message: ServerMessage): IngestAction {
  return { type: 'send', message };
}

function step(state: IngestState, ...actions: IngestAction[]): Step {
  return { state, actions };
}
