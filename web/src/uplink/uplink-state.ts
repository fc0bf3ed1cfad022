import type { Problem } from '../problem.js';
import type { StartedSession } from './started-session.js';

/** The data needed to resume a session. */
export type ResumableSession = Pick<StartedSession, 'sessionId' | 'resumeToken' | 'resumeSeconds'>;

/** State of a session's connection to the server. */
export type UplinkState =
  /** The server has not answered `start`. */
  | { name: 'starting' }
  /** The server accepts chunks; `isQuiet`: it has sent nothing for a while. */
  | { name: 'open'; session: ResumableSession; isQuiet: boolean }
  /** The connection is lost, and attempted again. */
  | {
      name: 'lost';
      session: ResumableSession;
      sinceMs: number;
      /** Number of failed attempts. */
      tries: number;
      /** The server's reason for closing the connection of a session that may still exist. */
      trouble: Problem | undefined;
    }
  | { name: 'over' };

/** Times are in milliseconds of any clock. */
export type UplinkEvent =
  | { type: 'started'; session: ResumableSession }
  | { type: 'resumed' }
  /** A message came from the server. */
  | { type: 'heard' }
  /** Nothing came from the server for a while. */
  | { type: 'quiet' }
  | { type: 'socket_lost'; atMs: number }
  /** The server sent an error; `isStopping`: after `stop` was sent. */
  | { type: 'refused'; problem: Problem; atMs: number; isStopping: boolean }
  /** This page gives up. */
  | { type: 'failed'; problem: Problem }
  /** The session has ended as it should. */
  | { type: 'closed' };

/** News of a step, to be reported. */
export type UplinkNews =
  | { type: 'dropped'; fault: 'connection' | 'server' }
  | { type: 'resumed' }
  | { type: 'problem'; problem: Problem };

export interface UplinkStep {
  state: UplinkState;
  news?: UplinkNews;
}

/** The state after `event`, and the news of it; the same state if `event` has no meaning in it. */
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
      // A quiet server was reported before.
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
  // Redis or this gateway may be gone: the session goes on until a server says that it is over.
  const isTrouble = problem === 'internal' || (state.name === 'lost' && problem === 'overloaded');
  if (isTrouble) return lost(state, atMs, problem);
  if (problem !== 'not_found' || state.name === 'open') return failed(problem);
  // The session was over before the connection was back.
  return failed(state.trouble ?? (isStopping ? 'end_unconfirmed' : 'session_gone'));
}

function failed(problem: Problem): UplinkStep {
  return { state: { name: 'over' }, news: { type: 'problem', problem } };
}
