import type { SourceKind } from '../capture/source.js';
import type { Problem } from '../problem.js';
import type { StartedSession } from '../uplink/started-session.js';

/** Who can see a session: only its publisher, or everyone with the link. */
export type Audience = 'publisher' | 'everyone';

/**
 * Where a broadcast stands. It begins as a preview, a session for its publisher alone; Go live begins
 * another one, for everyone. `playable` says whether the server has announced the playlist; `sourceRanOut`
 * whether the source ended by itself (a file's end, a camera unplugged).
 */
export type PublishState =
  | { name: 'idle' }
  /** `session`: the one that a reload interrupted and that goes on. */
  | { name: 'asking'; source: SourceKind; session?: StartedSession }
  | { name: 'connecting'; audience: Audience }
  | { name: 'starting'; session: StartedSession; audience: Audience }
  | { name: 'preview'; session: StartedSession }
  | { name: 'live'; session: StartedSession }
  | {
      name: 'reconnecting';
      session: StartedSession;
      audience: Audience;
      playable: boolean;
      fault: 'connection' | 'server';
    }
  | { name: 'ending'; session: StartedSession; sourceRanOut: boolean }
  | { name: 'ended'; session: StartedSession; frames: number; sourceRanOut: boolean }
  | { name: 'failed'; problem: Problem };

export type PublishEvent =
  | { type: 'start'; source: SourceKind }
  | { type: 'take_up'; source: SourceKind; session: StartedSession }
  | { type: 'go_live' }
  | { type: 'stop' }
  | { type: 'source_opened' }
  | { type: 'source_ran_out' }
  | { type: 'started'; session: StartedSession }
  | { type: 'playlist_ready' }
  | { type: 'connection_dropped'; fault: 'connection' | 'server' }
  | { type: 'resumed' }
  | { type: 'ended'; frames: number }
  | { type: 'problem'; problem: Problem };

/** The state after `event`; the same if `event` has no meaning in it. */
export function nextPublishState(state: PublishState, event: PublishEvent): PublishState {
  switch (event.type) {
    case 'start':
      return isOver(state) ? { name: 'asking', source: event.source } : state;
    case 'take_up':
      return isOver(state)
        ? { name: 'asking', source: event.source, session: event.session }
        : state;
    case 'source_opened':
      return afterOpening(state);
    case 'go_live':
      return state.name === 'preview' ? { name: 'connecting', audience: 'everyone' } : state;
    case 'started': {
      if (state.name !== 'connecting') return state;
      return { name: 'starting', session: event.session, audience: state.audience };
    }
    case 'playlist_ready':
      if (state.name === 'starting') return playing(state);
      return state.name === 'reconnecting' ? { ...state, playable: true } : state;
    case 'connection_dropped':
      return afterDrop(state, event.fault);
    case 'resumed':
      if (state.name !== 'reconnecting') return state;
      return state.playable
        ? playing(state)
        : { name: 'starting', ...heard(state, state.audience) };
    case 'stop':
      return afterStop(state, false);
    case 'source_ran_out':
      return afterStop(state, true);
    case 'ended':
      return afterEnd(state, event.frames);
    case 'problem':
      return isOver(state) ? state : { name: 'failed', problem: event.problem };
  }
}

/** Whether no broadcast runs, so that a new one may begin. */
export function isOver(state: PublishState): boolean {
  return state.name === 'idle' || state.name === 'ended' || state.name === 'failed';
}

/** Whether others than the publisher can see the stream, or soon will. */
export function isOnAir(state: PublishState): boolean {
  switch (state.name) {
    case 'live':
    case 'ending':
      return true;
    case 'connecting':
    case 'starting':
    case 'reconnecting':
      return state.audience === 'everyone';
    case 'asking':
      return state.session !== undefined;
    case 'idle':
    case 'preview':
    case 'ended':
    case 'failed':
      return false;
  }
}

interface Heard {
  session: StartedSession;
  audience: Audience;
}

function heard({ session }: { session: StartedSession }, audience: Audience): Heard {
  return { session, audience };
}

function playing({ session, audience }: Heard): PublishState {
  return audience === 'publisher' ? { name: 'preview', session } : { name: 'live', session };
}

function afterOpening(state: PublishState): PublishState {
  if (state.name !== 'asking') return state;
  const { session } = state;
  if (!session) return { name: 'connecting', audience: 'publisher' };
  const fault = 'connection';
  return { name: 'reconnecting', ...heard({ session }, 'everyone'), playable: true, fault };
}

function afterDrop(state: PublishState, fault: 'connection' | 'server'): PublishState {
  switch (state.name) {
    case 'starting':
      return { name: 'reconnecting', ...heard(state, state.audience), playable: false, fault };
    case 'preview':
      return { name: 'reconnecting', ...heard(state, 'publisher'), playable: true, fault };
    case 'live':
      return { name: 'reconnecting', ...heard(state, 'everyone'), playable: true, fault };
    case 'idle':
    case 'asking':
    case 'connecting':
    case 'reconnecting':
    case 'ending':
    case 'ended':
    case 'failed':
      return state;
  }
}

function afterStop(state: PublishState, sourceRanOut: boolean): PublishState {
  switch (state.name) {
    case 'asking':
    case 'connecting':
    case 'preview':
      return { name: 'idle' };
    case 'starting':
    case 'reconnecting':
      // A preview leaves nothing to watch.
      if (state.audience === 'publisher') return { name: 'idle' };
      return { name: 'ending', session: state.session, sourceRanOut };
    case 'live':
      return { name: 'ending', session: state.session, sourceRanOut };
    case 'idle':
    case 'ending':
    case 'ended':
    case 'failed':
      return state;
  }
}

function afterEnd(state: PublishState, frames: number): PublishState {
  if (!('session' in state) || !state.session || state.name === 'ended') return state;
  if (!isOnAir(state)) return { name: 'idle' };
  const sourceRanOut = state.name === 'ending' && state.sourceRanOut;
  return { name: 'ended', session: state.session, frames, sourceRanOut };
}
