import { findBox, listBoxes } from '@facecast/shared/media/iso-boxes';

/** Samples of one track that lie one after another, as a part's `trun` lists them. */
export interface SampleRun {
  trackId: number;
  /** Position of the first sample in the part, in bytes. */
  offset: number;
  /** Size of each sample, in bytes. */
  sizes: number[];
  /** Whether each is a sync sample. */
  keys: boolean[];
}

const SAMPLE_FLAGS = 0x000400;
/** Sample flags, ISO/IEC 14496-12 section 8.8.3.1: it is no sync sample. */
const NON_SYNC = 0x00010000;

/** The samples of a part that `writeFragment` wrote, from the content of its `moof`. */
export function readRuns(moof: Buffer): SampleRun[] {
  return listBoxes(moof)
    .filter(({ type }) => type === 'traf')
    .flatMap(({ content }) => {
      const tfhd = findBox(content, 'tfhd');
      const trun = findBox(content, 'trun');
      return tfhd && trun ? [readRun(tfhd.readUInt32BE(4), trun)] : [];
    });
}

function readRun(trackId: number, trun: Buffer): SampleRun {
  const hasFlags = (trun.readUInt32BE(0) & SAMPLE_FLAGS) !== 0;
  const run: SampleRun = { trackId, offset: trun.readInt32BE(8), sizes: [], keys: [] };
  const stride = hasFlags ? 8 : 4;
  for (let at = 12; at < trun.length; at += stride) {
    run.sizes.push(trun.readUInt32BE(at));
    run.keys.push(!hasFlags || (trun.readUInt32BE(at + 4) & NON_SYNC) === 0);
  }
  return run;
}
