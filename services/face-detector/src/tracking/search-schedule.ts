/** How a session's frames are searched; all in frames. */
export interface SearchSchedule {
  /** One frame of this many is searched; the faces of the others are between those of two that were. */
  run: number;
  /** Known faces keep their place for this long without being found; sure ones longer if faces are hidden. */
  hold: number;
  holdHidden: number;
  /** What has changed is searched for new faces this often; where faces are hidden, in each run. */
  quickEvery: number;
  /** One of the views for small, turned and huge faces has its turn this often. */
  viewEvery: number;
  viewEveryHidden: number;
}

const RUN_SECONDS = 1 / 10;
const QUICK_EVERY_SECONDS = 3 / 10;
const VIEW_EVERY_SECONDS = 3 / 10;
const VIEW_EVERY_HIDDEN_SECONDS = 2 / 10;
/** A face that turns away for this long is still taken for being there. */
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

/** Whether something that is due every so many frames is due in the run that ends with this frame. */
export function isDue(frame: number, every: number, { run }: SearchSchedule): boolean {
  return Math.floor(frame / run) % Math.max(1, Math.round(every / run)) === 0;
}
