import type { Size } from '@facecast/shared/media/size';
import { frameBytes } from '@facecast/shared/media/frame-store';
import type { FaceFinder } from './finders/face-finder.js';
import { framesOf } from './i420.js';
import type { SearchSchedule } from './tracking/search-schedule.js';
import { trackRun } from './tracking/tracker.js';
import type { TrackerState } from './tracking/tracker-state.js';

/** Usual sizes of pictures. */
const SIZES: Size[] = [
  { width: 640, height: 480 },
  { width: 1280, height: 720 },
];
const RUNS = 4;

/**
 * Searches pictures of noise as live video is searched, because the first search of a process takes many
 * times as long as the others.
 */
export async function warmUp(finder: FaceFinder, schedule: SearchSchedule): Promise<void> {
  for (const { width, height } of SIZES) {
    let state: TrackerState | undefined;
    for (let run = 0; run < RUNS; run++) {
      const frames = Array.from({ length: schedule.run }, (_, n) => {
        const bytes = new Uint8Array(frameBytes(width, height)).fill(128);
        for (let at = 0; at < width * height; at++) bytes[at] = ((at + n + run) * 7919) % 251;
        return framesOf(bytes, { frameCount: 1, width, height })[0]!;
      });
      const firstFrame = run * schedule.run;
      const wanted = { schedule, hiding: true };
      state = (await trackRun(finder, { firstFrame, frames }, state, wanted)).state;
    }
  }
}
