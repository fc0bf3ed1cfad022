import type { SourceKind } from '../capture/source.js';
import type { Problem } from '../problem.js';
import type { Session } from '../uplink/session.js';

/**
 * Where a broadcast stands. `playable` says whether the server has announced the playlist;
 * `sourceRanOut` whether the source ended by itself (a file's end, a camera unplugged).
 */
export type PublishState =
  | { name: 'idle' }
  | { name: 'asking'; source: SourceKind }
  | { name: 'connecting' }
  | { name: 'starting'; session: Session }
  | { name: 'live'; session: Session }
  | { name: 'reconnecting'; session: Session; playable: boolean }
  | { name: 'ending'; session: Session; sourceRanOut: boolean }
  | { name: 'ended'; session: Session; frames: number; sourceRanOut: boolean }
  | { name: 'failed'; problem: Problem };

export type PublishEvent =
  | { type: 'start'; source: SourceKind }
  | { type: 'stop' }
  | { type: 'source_opened' }
  | { type: 'source_ran_out' }
  | { type: 'started'; session: Session }
  | { type: 'playlist_ready' }
  | { type: 'connection_dropped' }
  | { type: 'resumed' }
  | { type: 'ended'; frames: number }
  | { type: 'problem'; problem: Problem };

/** The state after `event`; an event that means nothing in `state` changes nothing. */
export function nextPublishState(state: PublishState, event: PublishEvent): PublishState {
  switch (event.type) {
    case 'start':
      return isOver(state) ? { name: 'asking', source: event.source } : state;
    case 'source_opened':
      return state.name === 'asking' ? { name: 'connecting' } : state;
    case 'started':
      return state.name === 'connecting' ? { name: 'starting', session: event.session } : state;
    case 'playlist_ready':
      if (state.name === 'starting') return { name: 'live', session: state.session };
      return state.name === 'reconnecting' ? { ...state, playable: true } : state;
    case 'connection_dropped':
      return state.name === 'starting' || state.name === 'live'
        ? { name: 'reconnecting', session: state.session, playable: state.name === 'live' }
        : state;
    case 'resumed':
      return state.name === 'reconnecting'
        ? { name: state.playable ? 'live' : 'starting', session: state.session }
        : state;
    case 'stop':
      return afterStop(state, false);
    case 'source_ran_out':
      return afterStop(state, true);
    case 'ended':
      if (!('session' in state) || state.name === 'ended') return state;
      return {
        name: 'ended',
        session: state.session,
        frames: event.frames,
        sourceRanOut: state.name === 'ending' && state.sourceRanOut,
      };
    case 'problem':
      return isOver(state) ? state : { name: 'failed', problem: event.problem };
  }
}

/** Whether nothing is going on, so that a new broadcast may begin. */
export function isOver(state: PublishState): boolean {
  return state.name === 'idle' || state.name === 'ended' || state.name === 'failed';
}

function afterStop(state: PublishState, sourceRanOut: boolean): PublishState {
  switch (state.name) {
    case 'asking':
    case 'connecting':
      return { name: 'idle' };
    case 'starting':
    case 'live':
    case 'reconnecting':
      return { name: 'ending', session: state.session, sourceRanOut };
    case 'idle':
    case 'ending':
    case 'ended':
    case 'failed':
      return state;
  }
}
