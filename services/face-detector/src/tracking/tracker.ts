import type { FaceFinder } from '../finders/face-finder.js';
import type { I420Frame } from '../i420.js';
import { searchScene, type SceneFaces } from './scene-search.js';
import type { NumberedFrame, SearchOptions } from './search-frame.js';
import { isCut, thumbnailOf } from './thumbnail.js';
import type { TrackerState } from './tracker-state.js';

/** Consecutive frames of a session. */
export interface Run {
  /** Number of the first frame within its session. */
  firstFrame: number;
  frames: readonly I420Frame[];
}

/**
 * Finds the faces of a run's frames. Searches the last frame of each scene in it, and the first frame of
 * each new one. It does not modify its arguments. A replica may go on from another one's state, even from
 * that of a later run.
 */
export async function trackRun(
  finder: FaceFinder,
  { firstFrame, frames }: Run,
  known: TrackerState | undefined,
  wanted: SearchOptions,
): Promise<SceneFaces> {
  const numbered = frames.map((frame, n) => {
    return { frame, number: firstFrame + n, thumbnail: thumbnailOf(frame.y) };
  });
  let state = usable(known, numbered[0]!, wanted);
  const searched: SceneFaces['frames'] = [];
  for (const { scene, isNew } of scenesOf(numbered, state, wanted)) {
    const found = await searchScene(finder, scene, state, isNew, wanted);
    state = found.state;
    searched.push(...found.frames);
  }
  return { state: state!, frames: searched };
}

/** The state, unless it is for pictures of another size, or too old. */
function usable(
  known: TrackerState | undefined,
  { frame, number }: NumberedFrame,
  { schedule }: SearchOptions,
): TrackerState | undefined {
  const isOfSize = known?.width === frame.y.width && known.height === frame.y.height;
  return isOfSize && Math.abs(number - known.searchedFrame) <= schedule.hold ? known : undefined;
}

/** Groups the frames by scene; the first frame of a new scene is a group of its own. */
function scenesOf(
  frames: readonly NumberedFrame[],
  known: TrackerState | undefined,
  { hiding }: SearchOptions,
): { scene: NumberedFrame[]; isNew: boolean }[] {
  const scenes: { scene: NumberedFrame[]; isNew: boolean }[] = [];
  frames.forEach((frame, n) => {
    const before =
      frames[n - 1]?.thumbnail ?? (known && { ...frame.thumbnail, cells: known.thumbnail });
    const isNew =
      !before || isCut(before, frame.thumbnail) || (n === 0 && hiding && !known!.searchedForHiding);
    const current = scenes.at(-1);
    if (isNew || !current || current.isNew) scenes.push({ scene: [frame], isNew });
    else current.scene.push(frame);
  });
  return scenes;
}
