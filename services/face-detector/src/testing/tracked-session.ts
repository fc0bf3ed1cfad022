import { expect } from 'vitest';
import { iou } from '../geometry/rect.js';
import { BlobFinder, drawBlobs, type Blob } from './blob-finder.js';
import type { FrameFace } from '../tracking/frame-faces.js';
import { scheduleAt } from '../tracking/search-schedule.js';
import { trackRun } from '../tracking/tracker.js';
import { type TrackerState } from '../tracking/tracker-state.js';

export const SCHEDULE = scheduleAt(30);
export const SIZE = { width: 640, height: 480 };
/** Samples of the whole picture, with their mirrored borders. */
export const FULL = '672x512';
export const QUICK = '352x272';
export const FULL_LYING = '512x672';

export const face = (x: number, more: Partial<Blob> = {}): Blob => ({
  ...{ x, y: 100, width: 60, height: 80 },
  ...more,
});
export const ada = face(100);
export const bea = face(400);
/** Its head lies to the left. */
export const lying: Blob = { x: 300, y: 300, width: 80, height: 60 };

/** Searches run after run of three frames, from frame 0 on, as one session. */
export class Session {
  readonly finder = new BlobFinder();
  state: TrackerState | undefined;
  frame = 0;
  constructor(readonly hiding = false) {}

  /** The faces of a run whose frames show these blobs; the last is for all that are left. */
  async next(...shown: Blob[][]): Promise<FrameFace[][]> {
    return this.nextFrames(
      Array.from({ length: 3 }, (_, n) => drawBlobs(shown[n] ?? shown.at(-1) ?? [], SIZE)),
    );
  }

  async nextFrames(frames: ReturnType<typeof drawBlobs>[]): Promise<FrameFace[][]> {
    this.finder.asked = [];
    const run = { firstFrame: this.frame, frames };
    const wanted = { schedule: SCHEDULE, hiding: this.hiding };
    const found = await trackRun(this.finder, run, this.state, wanted);
    this.state = found.state;
    this.frame += 3;
    expect(found.frames).toHaveLength(frames.length);
    return found.frames.map(({ faces }) => faces!);
  }

  /** Runs until every view has had its turn. */
  async settle(...shown: Blob[][]): Promise<FrameFace[][]> {
    let faces: FrameFace[][] = [];
    for (let run = 0; run < 24; run++) faces = await this.next(...shown);
    return faces;
  }
}

export const sure = (faces: readonly FrameFace[]) => faces.filter((one) => one.sure);
export const isAt = (blob: Blob) => (one: FrameFace) => iou(one, blob) > 0.7;
