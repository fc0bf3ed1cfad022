import { applyEffect } from '@facecast/face-detector/effects/effect';
import { BlazeFaceFinder } from '@facecast/face-detector/finders/blazeface';
import { BLAZEFACE_MODEL } from '@facecast/face-detector/finders/create-finder';
import { scheduleAt } from '@facecast/face-detector/tracking/search-schedule';
import { trackRun } from '@facecast/face-detector/tracking/tracker';
import type { TrackerState } from '@facecast/face-detector/tracking/tracker-state';
import { drawFrame } from '@facecast/face-detector/testing/scene';
import { table } from '../tables.js';
import { loadPictures } from './pictures.js';
import { SCENE_FRAMES, scenesOf } from './scenes.js';

const FRAMES = 100_000;
const REPORT_EVERY = 20_000;
const SCHEDULE = scheduleAt(30);

/** Memory of a process that searches and marks a hundred thousand frames, one after another. */
export async function benchFacesMemory(): Promise<string> {
  const finder = await BlazeFaceFinder.load(BLAZEFACE_MODEL);
  const [scene] = await scenesOf(await loadPictures(), { width: 640, height: 480 });
  const drawn = Array.from({ length: SCENE_FRAMES }, (_, n) => drawFrame(scene!, n).frame);
  const rows: string[][] = [];
  let state: TrackerState | undefined;
  for (let firstFrame = 0; firstFrame < FRAMES; firstFrame += SCHEDULE.run) {
    if (firstFrame % REPORT_EVERY < SCHEDULE.run) rows.push(rowAt(firstFrame));
    const at = firstFrame % SCENE_FRAMES;
    const frames = drawn.slice(at, at + SCHEDULE.run);
    const wanted = { schedule: SCHEDULE, hiding: false };
    const found = await trackRun(finder, { firstFrame, frames }, state, wanted);
    state = found.state;
    frames.forEach((frame, n) => applyEffect('box', frame, found.frames[n]!));
  }
  rows.push(rowAt(FRAMES));
  return table(['frames', 'RSS in MB'], rows);
}

function rowAt(frames: number): string[] {
  return [String(frames), (process.memoryUsage().rss / 1e6).toFixed(0)];
}
