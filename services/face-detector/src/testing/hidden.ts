import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { applyEffect } from '../effects/effect.js';
import type { FaceFinder } from '../finders/face-finder.js';
import type { FrameFaces } from '../tracking/frame-faces.js';
import { scheduleAt } from '../tracking/search-schedule.js';
import { trackRun } from '../tracking/tracker.js';
import type { TrackerState } from '../tracking/tracker-state.js';
import { unsearchedFaces } from '../tracking/unsearched.js';
import { drawFrame, type Scene } from './scene.js';
import type { Watchers } from './watchers.js';

/**
 * Disturbances while a scene is hidden: none, every third search fails, two replicas finish batches in the
 * wrong order, or only every third batch is in time to be searched.
 */
export const DISTURBANCES = ['none', 'failing', 'out of order', 'overloaded'] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

const SCHEDULE = scheduleAt(30);

/** Frames of a hidden scene, and those in which a watcher finds a face at a true face's place. */
export interface Hidden {
  frames: number;
  seenIn: number[];
}

/** Hides the faces of a scene as the service does, and has the watchers search the result. */
export async function hide(
  finder: FaceFinder,
  watchers: Watchers,
  scene: Scene,
  { frames, effect, disturbance }: { frames: number; effect: Effect; disturbance: Disturbance },
): Promise<Hidden> {
  let known: { state: TrackerState; run: number } | undefined;
  const seenIn: number[] = [];
  for (let turn = 0; turn < frames / SCHEDULE.run; turn++) {
    const run = disturbance === 'out of order' ? turn ^ 1 : turn;
    const firstFrame = run * SCHEDULE.run;
    const drawn = Array.from({ length: SCHEDULE.run }, (_, n) => drawFrame(scene, firstFrame + n));
    const isSkipped =
      (disturbance === 'failing' && run % 3 === 2) || (disturbance === 'overloaded' && run % 3 > 0);
    let found: FrameFaces[];
    if (isSkipped) {
      found = drawn.map(({ frame }, n) =>
        unsearchedFaces(known?.state, frame.y, firstFrame + n, SCHEDULE),
      );
    } else {
      const frames = drawn.map(({ frame }) => frame);
      const wanted = { schedule: SCHEDULE, hiding: true };
      const searched = await trackRun(finder, { firstFrame, frames }, known?.state, wanted);
      found = searched.frames;
      if (!known || known.run < run) known = { state: searched.state, run };
    }
    for (const [n, { frame, faces }] of drawn.entries()) {
      applyEffect(effect, frame, found[n]!);
      if (await watchers.see(frame, faces)) seenIn.push(firstFrame + n);
    }
  }
  return { frames, seenIn: seenIn.sort((a, b) => a - b) };
}
