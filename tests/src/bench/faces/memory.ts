import { applyEffect } from '@facecast/face-detector/effects/effect';
import { BlazeFaceFinder } from '@facecast/face-detector/find/blazeface';
import { BLAZEFACE_MODEL } from '@facecast/face-detector/find/choose';
import type { Knowledge } from '@facecast/face-detector/find/knowledge';
import { paceAt } from '@facecast/face-detector/find/pace';
import { searchRun } from '@facecast/face-detector/find/tracker';
import { drawFrame } from '@facecast/face-detector/testing/scene';
import { table } from '../figures.js';
import { loadPictures } from './pictures.js';
import { SCENE_FRAMES, scenesOf } from './scenes.js';

const FRAMES = 100_000;
const REPORT_EVERY = 20_000;
const PACE = paceAt(30);

/** Memory of a process that searches and marks a hundred thousand frames, one after another. */
export async function benchFacesMemory(): Promise<string> {
  const finder = await BlazeFaceFinder.load(BLAZEFACE_MODEL);
  const [scene] = await scenesOf(await loadPictures(), { width: 640, height: 480 });
  const drawn = Array.from({ length: SCENE_FRAMES }, (_, n) => drawFrame(scene!, n).frame);
  const rows: string[][] = [];
  let known: Knowledge | undefined;
  for (let firstFrame = 0; firstFrame < FRAMES; firstFrame += PACE.run) {
    if (firstFrame % REPORT_EVERY < PACE.run) rows.push(rowAt(firstFrame));
    const at = firstFrame % SCENE_FRAMES;
    const frames = drawn.slice(at, at + PACE.run);
    const pictures = frames.map(({ y }) => y);
    const wanted = { pace: PACE, hidden: false };
    const found = await searchRun(finder, { firstFrame, pictures }, known, wanted);
    known = found.known;
    frames.forEach((frame, n) => applyEffect('box', frame, found.sightings[n]!));
  }
  rows.push(rowAt(FRAMES));
  return table(['frames', 'RSS in MB'], rows);
}

function rowAt(frames: number): string[] {
  return [String(frames), (process.memoryUsage().rss / 1e6).toFixed(0)];
}
