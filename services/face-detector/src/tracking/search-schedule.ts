/** How often a session's frames are searched; all numbers are in frames. */
export interface SearchSchedule {
  /** Length of a run, of which one frame is searched; the faces of the others are interpolated. */
  run: number;
  /** How long faces that are not found are held; `holdHidden` is for certain faces if faces are hidden. */
  hold: number;
  holdHidden: number;
  /** How often changed parts are searched for new faces; if faces are hidden, in each run. */
  quickEvery: number;
  /** How often one of the views for small, turned and huge faces has its turn. */
  viewEvery: number;
  viewEveryHidden: number;
}

const RUN_SECONDS = 1 / 10;
const QUICK_EVERY_SECONDS = 3 / 10;
const VIEW_EVERY_SECONDS = 3 / 10;
const VIEW_EVERY_HIDDEN_SECONDS = 2 / 10;
/** How long a face that is not found any more is held. */
const HOLD_SECONDS = 1 / 2;
const HOLD_HIDDEN_SECONDS = 1;

/** The schedule of sessions with this many frames a second. */
export function scheduleAt(fps: number): SearchSchedule {
  const frames = (seconds: number) => Math.max(1, Math.floor(fps * seconds + 1e-9));
  return {
    run: frames(RUN_SECONDS),
    hold: Math.ceil(fps * HOLD_SECONDS),
    holdHidden: Math.ceil(fps * HOLD_HIDDEN_SECONDS),
    quickEvery: frames(QUICK_EVERY_SECONDS),
    viewEvery: frames(VIEW_EVERY_SECONDS),
    viewEveryHidden: frames(VIEW_EVERY_HIDDEN_SECONDS),
  };
}

/** Whether something that is due every `every` frames is due in the run that ends with this frame. */
export function isDue(frame: number, every: number, { run }: SearchSchedule): boolean {
  return Math.floor(frame / run) % Math.max(1, Math.round(every / run)) === 0;
}
