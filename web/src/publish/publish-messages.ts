import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { Delay } from './delay.js';
import type { Arrival, WantedProtection } from './protection.js';
import { isOnAir, type PublishState } from './publish-state.js';
import type { Reduction } from './reduction.js';
import type { RecordingStatus } from '../uplink/own-recording.js';

/** The publish page's state in a few words. */
export function publishStateWords(state: PublishState, delay?: Delay): string {
  switch (state.name) {
    case 'idle':
      return 'Idle';
    case 'asking':
      return {
        camera: 'Asking for the camera',
        screen: 'Asking for a screen',
        file: 'Opening the file',
      }[state.source];
    case 'connecting':
      return state.audience === 'everyone' ? 'Going live' : 'Connecting';
    case 'starting':
      return state.audience === 'everyone' ? 'Going live' : 'Starting';
    case 'preview':
      return 'Preview';
    case 'live':
      return delay ? `Live, ${whole(delay.seconds)} late` : 'Live';
    case 'reconnecting':
      return 'Reconnecting';
    case 'ending':
      return 'Ending';
    case 'ended':
      return 'Ended';
    case 'failed':
      return 'Failed';
  }
}

/**
 * What the publish page's state means for the publisher; empty if the problem says it.
 *
 * @param reduction set if less than the best picture is sent
 * @param delay set if viewers are late
 */
export function publishStateNote(
  state: PublishState,
  { reduction, delay }: { reduction?: Reduction | undefined; delay?: Delay | undefined } = {},
): string {
  switch (state.name) {
    case 'idle':
      return 'Nothing is sent until you press Start, and nobody sees it until you go live.';
    case 'asking':
      return state.source === 'file' ? '' : 'Your browser asks whether this page may use it.';
    case 'connecting':
      return 'Waiting for the server to answer.';
    case 'starting':
      return isOnAir(state)
        ? 'The first pictures are on their way to everyone with the link.'
        : 'The preview is on its way. Nobody else sees it.';
    case 'preview':
      return 'Only you see this. Go live when it looks right.';
    case 'live':
      if (delay) return delaySentence(delay);
      return reduction ? reductionSentence(reduction) : 'Everyone with the link can watch.';
    case 'reconnecting': {
      const what =
        state.fault === 'server' ? 'The server does not answer.' : 'The connection is interrupted.';
      return `${what} What is recorded meanwhile is kept, to be sent.`;
    }
    case 'ending':
      return 'The last pictures are still being processed.';
    case 'ended':
      return `${state.sourceRanOut ? 'The source stopped, so the stream ended' : 'The stream ended'} after ${frames(state.frames)}.`;
    case 'failed':
      return '';
  }
}

/** State of a session's recording. */
export type RecordingStanding =
  'on' | 'refused' | 'stopped' | 'kept' | 'cut short' | 'deleted' | 'not ended' | 'not deleted';

/** The publish page's sentence about the recording, which is deleted `keptHours` after the end. */
export function recordingNote(standing: RecordingStanding, keptHours: number): string {
  const forHours = keptHours === 1 ? 'for an hour' : `for ${keptHours} hours`;
  switch (standing) {
    case 'on':
      return `Being recorded, as viewers see it. Kept ${forHours} after the end, for everyone with the link.`;
    case 'refused':
      return 'Not recorded: this server keeps no recordings.';
    case 'stopped':
      return 'The recording has ended: the server has no more room for it. The stream goes on.';
    case 'kept':
      return `The recording is kept ${forHours}, for everyone with the link.`;
    case 'cut short':
      return `The recording ends early: the server had no more room. It is kept ${forHours}.`;
    case 'deleted':
      return 'The recording is deleted.';
    case 'not ended':
      return 'The stream is still ending. Try again in a moment.';
    case 'not deleted':
      return 'The recording could not be deleted. Try again.';
  }
}

/** The sentence about the part of a recording that shows faces; undefined if there is none. */
export function clearPartNote({
  state,
  seconds,
  clearSeconds,
  clear,
}: Omit<RecordingStatus, 'lastCut'>): string | undefined {
  if (state === 'pending')
    return 'The recording is being changed. Until that is done, nobody can watch it.';
  if (state === 'failed')
    return 'The recording could not be changed, and nobody can watch it. Try again, or delete it.';
  if (clearSeconds === 0) return state === 'done' ? 'Faces are hidden in all of it.' : undefined;
  if (clearSeconds >= seconds) return 'Faces are not hidden in it.';
  const part = clear.length === 1 && clear[0]?.from === 0 ? 'the first' : 'altogether';
  return `In ${part} ${lengthOf(clearSeconds)}, faces are not hidden.`;
}

/** A duration in words, rounded up to whole seconds. */
function lengthOf(time: number): string {
  const all = Math.ceil(time);
  const [minutes, seconds] = [Math.floor(all / 60), all % 60];
  if (minutes === 0) return `${seconds} s`;
  return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`;
}

/** Description of the processed picture. */
export function viewersCaption(state: PublishState): string {
  if (state.name === 'ended') return 'What viewers saw last';
  return isOnAir(state) ? 'What viewers see' : 'What viewers will see';
}

/** What viewers see of faces, by effect, as the end of a sentence. */
const FACES: Record<Effect, string> = {
  black: 'with every face blacked out',
  pixelate: 'with every face pixelated',
  blur: 'with every face blurred',
  box: 'with every face shown, and outlined',
  none: 'as it is, with every face shown',
};

/** The words in place of the viewers' picture before it comes. */
export function promise(effect: Effect): string {
  return `Start shows you what viewers will see, ${FACES[effect]}.`;
}

/** The question before viewers see more, with the words of its two answers. */
export function question(
  now: WantedProtection,
  asked: WantedProtection,
): { words: string; keep: string; confirm: string } {
  const words = now.hidden
    ? `Show the picture again, ${FACES[asked.effect]}?`
    : `Show viewers more? They would see the picture ${FACES[asked.effect]}.`;
  const keep = now.hidden ? 'Stay hidden' : 'Keep it as it is';
  return { words, keep, confirm: now.hidden ? 'Show it again' : 'Show more' };
}

/** The sentence about a change of protection on its way to viewers; empty if there is none. */
export function arrivalNote(arrival: Arrival, { hidden }: WantedProtection): string {
  switch (arrival.name) {
    case 'awaited':
      return `Not ${hidden ? 'hidden' : 'changed'} yet: viewers still see the picture as it was.`;
    case 'under_way':
      return `Viewers still see the picture as it was, for about ${whole(arrival.seconds)} more. Those who are further behind see it for longer.`;
    case 'arrived':
      return hidden ? 'Viewers recognise nothing until you show the picture again.' : '';
  }
}

function delaySentence({ seconds, cause }: Delay): string {
  switch (cause) {
    case 'source':
      return `The source has given no picture for ${whole(seconds)}.`;
    case 'connection':
      return 'The connection is too slow for the picture.';
    case 'server':
      return 'The server is too busy.';
    case 'player':
      return 'That is how late this page plays it: the stream itself is in time.';
  }
}

function reductionSentence({ shape, limitation }: Reduction): string {
  const picture =
    shape && shape.height > 0 && shape.frameRate > 0
      ? `${shape.height}p at ${shape.frameRate} fps`
      : 'a coarser picture';
  const why = { connection: 'the connection is slow', server: 'the server is busy' }[limitation];
  return `Sending ${picture}: ${why}.`;
}

function whole(seconds: number): string {
  return `${Math.max(1, Math.round(seconds))} s`;
}

function frames(count: number): string {
  return count === 1 ? '1 picture' : `${count.toLocaleString('en')} pictures`;
}
