import type { Problem } from '../problem.js';
import type { StartedSession } from './started-session.js';

/** What is needed to resume a session. */
export type ResumableSession = Pick<StartedSession, 'sessionId' | 'resumeToken' | 'resumeSeconds'>;

/** How a session's way to the server stands. */
export type UplinkState =
  /** The server has not answered `start`. */
  | { name: 'starting' }
  /** The server takes chunks; `isQuiet`: it has not said so for a while. */
  | { name: 'open'; session: ResumableSession; isQuiet: boolean }
  /** The connection is tried again. */
  | {
      name: 'lost';
      session: ResumableSession;
      sinceMs: number;
      /** Tries that have failed. */
      tries: number;
      /** Why the server broke off a session that may still be there. */
      trouble: Problem | undefined;
    }
  | { name: 'over' };

/** Times are in milliseconds of any clock. */
export type UplinkEvent =
  | { type: 'started'; session: ResumableSession }
  | { type: 'resumed' }
  /** The server has said anything. */
  | { type: 'heard' }
  /** It has said nothing for a while. */
  | { type: 'quiet' }
  | { type: 'socket_lost'; atMs: number }
  /** The server has refused something; `isStopping`: after this page said that no chunk follows. */
  | { type: 'refused'; problem: Problem; atMs: number; isStopping: boolean }
  /** This side gives up. */
  | { type: 'failed'; problem: Problem }
  /** It is over in good order. */
  | { type: 'closed' };

/** What is to be told of a step. */
export type UplinkNews =
  | { type: 'dropped'; fault: 'connection' | 'server' }
  | { type: 'resumed' }
  | { type: 'problem'; problem: Problem };

export interface UplinkStep {
  state: UplinkState;
  news?: UplinkNews;
}

/** The state after `event`, and what is to be told; an event that means nothing in `state` changes nothing. */
export function nextUplinkState(state: UplinkState, event: UplinkEvent): UplinkStep {
  if (state.name === 'over') return { state };
  switch (event.type) {
    case 'started':
      if (state.name !== 'starting') return { state };
      return { state: { name: 'open', session: event.session, isQuiet: false } };
    case 'resumed':
      if (state.name !== 'lost') return { state };
      return {
        state: { name: 'open', session: state.session, isQuiet: false },
        news: { type: 'resumed' },
      };
    case 'heard':
      if (state.name !== 'open' || !state.isQuiet) return { state };
      return { state: { ...state, isQuiet: false }, news: { type: 'resumed' } };
    case 'quiet':
      if (state.name !== 'open' || state.isQuiet) return { state };
      return { state: { ...state, isQuiet: true }, news: { type: 'dropped', fault: 'server' } };
    case 'socket_lost':
      if (state.name === 'starting') return failed('unreachable');
      return lost(state, event.atMs, undefined);
    case 'refused':
      return afterRefusal(state, event);
    case 'failed':
      return failed(event.problem);
    case 'closed':
      return { state: { name: 'over' } };
  }
}

type Alive = Exclude<UplinkState, { name: 'over' }>;

function lost(
  state: Exclude<Alive, { name: 'starting' }>,
  atMs: number,
  trouble: Problem | undefined,
): UplinkStep {
  const { session } = state;
  if (state.name === 'open') {
    const fault = trouble ? 'server' : 'connection';
    return {
      state: { name: 'lost', session, sinceMs: atMs, tries: 0, trouble },
      // Of one that is quiet, that was told.
      ...(!state.isQuiet && { news: { type: 'dropped', fault } }),
    };
  }
  const known = trouble ?? state.trouble;
  if (atMs - state.sinceMs >= session.resumeSeconds * 1000) {
    return failed(known ?? 'connection_lost');
  }
  return { state: { ...state, tries: state.tries + 1, trouble: known } };
}

function afterRefusal(
  state: Alive,
  { problem, atMs, isStopping }: Extract<UplinkEvent, { type: 'refused' }>,
): UplinkStep {
  if (state.name === 'starting') return failed(problem);
  // Redis may be gone, or this gateway: the session is not over until somebody says so.
  const isTrouble = problem === 'internal' || (state.name === 'lost' && problem === 'overloaded');
  if (isTrouble) return lost(state, atMs, problem);
  if (problem !== 'not_found' || state.name === 'open') return failed(problem);
  // The session was over before the connection was back.
  return failed(state.trouble ?? (isStopping ? 'end_unconfirmed' : 'session_gone'));
}

function failed(problem: Problem): UplinkStep {
  return { state: { name: 'over' }, news: { type: 'problem', problem } };
}
