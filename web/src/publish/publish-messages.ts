import type { PublishState } from './publish-state.js';
import type { Reduction } from './reduction.js';

/** The publish page's state in a word or three. */
export function publishStateWords(state: PublishState): string {
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
      return 'Connecting';
    case 'starting':
      return 'Starting';
    case 'live':
      return 'Live';
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
 * What the publish page's state means for the person at it; empty where the problem says it.
 *
 * @param reduction where less than the best picture is sent
 */
export function publishStateNote(state: PublishState, reduction?: Reduction): string {
  switch (state.name) {
    case 'idle':
      return 'Nothing is sent until you press Start.';
    case 'asking':
      return state.source === 'file' ? '' : 'Your browser asks whether this page may use it.';
    case 'connecting':
      return 'Waiting for the server to answer.';
    case 'starting':
      return 'The first pictures are on their way.';
    case 'live':
      return reduction ? reductionSentence(reduction) : 'Everyone with the link can watch.';
    case 'reconnecting':
      return 'What is recorded meanwhile is kept, to be sent.';
    case 'ending':
      return 'The last pictures are still being processed.';
    case 'ended':
      return `${state.sourceRanOut ? 'The source stopped, so the stream ended' : 'The stream ended'} after ${frames(state.frames)}.`;
    case 'failed':
      return '';
  }
}

/** How it stands with a session's recording. */
export type RecordingStanding =
  'on' | 'refused' | 'stopped' | 'kept' | 'cut short' | 'deleted' | 'not ended' | 'not deleted';

/** What the publish page says of it; `keptHours` after the end it is gone. */
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

function reductionSentence({ shape, hindrance }: Reduction): string {
  const picture =
    shape && shape.height > 0 && shape.frameRate > 0
      ? `${shape.height}p at ${shape.frameRate} fps`
      : 'a coarser picture';
  const why = { connection: 'the connection is slow', server: 'the server is busy' }[hindrance];
  return `Sending ${picture}: ${why}.`;
}

function frames(count: number): string {
  return count === 1 ? '1 picture' : `${count.toLocaleString('en')} pictures`;
}
