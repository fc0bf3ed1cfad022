import { applyEffect } from '@facecast/face-detector/effects/effect';
import { BLAZEFACE_MODEL } from '@facecast/face-detector/find/choose';
import { BlazeFaceFinder } from '@facecast/face-detector/find/blazeface';
import type { FaceFinder } from '@facecast/face-detector/find/face-finder';
import { HaarFinder } from '@facecast/face-detector/find/haar';
import type { Knowledge } from '@facecast/face-detector/find/knowledge';
import { paceAt } from '@facecast/face-detector/find/pace';
import { searchRun } from '@facecast/face-detector/find/tracker';
import { drawFrame, type Scene } from '@facecast/face-detector/testing/scene';
import { hidesFaces, type Effect } from '@facecast/shared/ingest-protocol';
import { AncestorFinder, CASCADES } from './ancestor-finder.js';
import { loadPictures } from './pictures.js';
import { SCENE_FRAMES, scenesOf, type Size } from './scenes.js';
import { Judge, type Score } from './score.js';

/** One row of the table, in a process of its own: its CPU is all that is measured. */
export interface Task {
  finder: 'blazeface' | 'haar' | 'ancestor';
  /** Whether what one frame showed is known in the next. */
  tracked: boolean;
  effect: Effect;
  size: Size;
  /** Only each so many-th frame, for what takes long. */
  every: number;
}

const task = JSON.parse(process.argv[2]!) as Task;
const scores: Score[] = [];
const finder = await finderOf(task);
for (const scene of await scenesOf(await loadPictures(), task.size))
  scores.push(await follow(scene));
process.stdout.write(JSON.stringify(scores));

async function finderOf({ finder }: Task): Promise<FaceFinder> {
  switch (finder) {
    case 'blazeface':
      return BlazeFaceFinder.load(BLAZEFACE_MODEL);
    case 'haar':
      return new HaarFinder(`${CASCADES}/haarcascade_frontalface_alt2.xml`);
    case 'ancestor':
      return new AncestorFinder();
  }
}

/** Follows a scene as the service does, batch by batch. */
async function follow(scene: Scene): Promise<Score> {
  const pace = { ...paceAt(30), ...(task.tracked ? {} : { run: 1 }) };
  const judge = new Judge(scene.name, scene.background);
  let known: Knowledge | undefined;
  for (let first = 0; first < SCENE_FRAMES; first += pace.run * task.every) {
    const drawn = Array.from({ length: pace.run }, (_, n) => drawFrame(scene, first + n));
    const started = process.cpuUsage();
    const run = { firstFrame: first, pictures: drawn.map(({ frame }) => frame.y) };
    const wanted = { pace, hidden: hidesFaces(task.effect) };
    const found = await searchRun(finder, run, task.tracked ? known : undefined, wanted);
    drawn.forEach(({ frame }, n) => applyEffect(task.effect, frame, found.sightings[n]!));
    const { user, system } = process.cpuUsage(started);
    judge.score.cpuMs += (user + system) / 1000;
    known = found.known;
    drawn.forEach(({ faces }, n) => judge.frame(faces, found.sightings[n]!.faces));
  }
  return judge.score;
}
