import type { Effect } from '@facecast/shared/ingest-protocol';
import { applyEffect } from '../effects/effect.js';
import type { FaceFinder } from '../find/face-finder.js';
import type { Knowledge } from '../find/knowledge.js';
import { paceAt } from '../find/pace.js';
import type { Sighting } from '../find/sighting.js';
import { searchRun } from '../find/tracker.js';
import { unsearched } from '../find/unsearched.js';
import { drawFrame, type Scene } from './scene.js';
import type { Watchers } from './watchers.js';

/**
 * What goes wrong while a scene is hidden: nothing, every third search fails, two replicas have each
 * other's batches in the wrong order, or only every third batch comes in time to be searched.
 */
export const DISTURBANCES = ['none', 'failing', 'out of order', 'overloaded'] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

const PACE = paceAt(30);

/** Frames of a hidden scene, and those in which a watcher finds a face within a true face's place. */
export interface Hidden {
  frames: number;
  seenIn: number[];
}

/** Hides the faces of a scene as the service does, and lets the watchers look at what is left. */
export async function hide(
  finder: FaceFinder,
  watchers: Watchers,
  scene: Scene,
  { frames, effect, disturbance }: { frames: number; effect: Effect; disturbance: Disturbance },
): Promise<Hidden> {
  let known: { knowledge: Knowledge; run: number } | undefined;
  const seenIn: number[] = [];
  for (let turn = 0; turn < frames / PACE.run; turn++) {
    const run = disturbance === 'out of order' ? turn ^ 1 : turn;
    const firstFrame = run * PACE.run;
    const drawn = Array.from({ length: PACE.run }, (_, n) => drawFrame(scene, firstFrame + n));
    const isSkipped =
      (disturbance === 'failing' && run % 3 === 2) || (disturbance === 'overloaded' && run % 3 > 0);
    let sightings: Sighting[];
    if (isSkipped) {
      sightings = drawn.map(({ frame }, n) =>
        unsearched(known?.knowledge, frame.y, firstFrame + n, PACE),
      );
    } else {
      const pictures = drawn.map(({ frame }) => frame.y);
      const wanted = { pace: PACE, hidden: true };
      const found = await searchRun(finder, { firstFrame, pictures }, known?.knowledge, wanted);
      sightings = found.sightings;
      if (!known || known.run < run) known = { knowledge: found.known, run };
    }
    for (const [n, { frame, faces }] of drawn.entries()) {
      applyEffect(effect, frame, sightings[n]!);
      if (await watchers.see(frame.y, faces)) seenIn.push(firstFrame + n);
    }
  }
  return { frames, seenIn: seenIn.sort((a, b) => a - b) };
}
