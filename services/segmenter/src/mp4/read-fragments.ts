import { AAC_FRAME_SAMPLES } from '../encode/audio-encoder.js';
import type { EncodedAudio } from '../encode/audio-track.js';
import { BOX_HEADER_BYTES, findBox, listBoxes } from '@facecast/shared/media/iso-boxes';
import { readPartHeader, type EncodedFrame, type PartHeader } from './fragment.js';
import { AUDIO_TRACK_ID, VIDEO_TRACK_ID } from './init-segment.js';
import { readRuns } from './sample-runs.js';

/** What `writeFragment` was given. */
export interface Fragment extends Pick<PartHeader, 'batch' | 'firstFrame'> {
  pictures: EncodedFrame[];
  audio: EncodedAudio;
}

/**
 * The parts of a segment, which lie one after another.
 * @throws {RangeError} if `writeFragment` did not write all of it
 */
export function readFragments(segment: Buffer): Fragment[] {
  const fragments: Fragment[] = [];
  let at = 0;
  for (const { type, content } of listBoxes(segment)) {
    if (type === 'moof') fragments.push(readFragment(content, segment.subarray(at)));
    at += BOX_HEADER_BYTES + content.length;
  }
  return fragments;
}

/** @param part from the `moof` on, whose content is given, too */
function readFragment(moof: Buffer, part: Buffer): Fragment {
  const header = readPartHeader(part);
  if (!header) throw new RangeError('not a part');
  const runs = readRuns(moof);
  const samplesOf = (wanted: number): EncodedFrame[] => {
    const run = runs.find(({ trackId }) => trackId === wanted);
    let at = run?.offset ?? 0;
    return (run?.sizes ?? []).map((size, n) => {
      const data = part.subarray(at, (at += size));
      return { key: run?.keys[n] ?? false, data };
    });
  };
  const { batch, firstFrame } = header;
  const audio = {
    firstFrame: decodeTime(moof, AUDIO_TRACK_ID) / AAC_FRAME_SAMPLES,
    frames: samplesOf(AUDIO_TRACK_ID).map(({ data }) => data),
  };
  return { batch, firstFrame, pictures: samplesOf(VIDEO_TRACK_ID), audio };
}

/** Decode time of a track's first sample, in ticks (ISO/IEC 14496-12, 8.8.12). */
function decodeTime(moof: Buffer, trackId: number): number {
  const traf = listBoxes(moof).find(
    ({ type, content }) =>
      type === 'traf' && findBox(content, 'tfhd')?.readUInt32BE(TRACK_ID_OFFSET) === trackId,
  );
  const tfdt = traf && findBox(traf.content, 'tfdt');
  if (!tfdt) throw new RangeError('a part without a decode time');
  return Number(tfdt.readBigUInt64BE(DECODE_TIME_OFFSET));
}

/** After version and flags, 8.8.7 and 8.8.12. */
const TRACK_ID_OFFSET = 4;
const DECODE_TIME_OFFSET = 4;
