import { hidesFaces, type Effect } from '@facecast/shared/protocol/ingest-protocol';
import { applyEffect } from '@facecast/face-detector/effects/effect';
import type { FaceFinder } from '@facecast/face-detector/finders/face-finder';
import type { I420Frame } from '@facecast/face-detector/i420';
import type { FrameFaces } from '@facecast/face-detector/tracking/frame-faces';
import { scheduleAt } from '@facecast/face-detector/tracking/search-schedule';
import { trackRun } from '@facecast/face-detector/tracking/tracker';
import type { TrackerState } from '@facecast/face-detector/tracking/tracker-state';
import { unsearchedFaces } from '@facecast/face-detector/tracking/unsearched';

/** Frames of one session, searched run by run as the service does. */
export class SearchedSession {
  readonly schedule;
  /** CPU of the process for search and effect, in ms. */
  cpuMs = 0;
  private state: TrackerState | undefined;
  private frame = 0;

  constructor(
    private readonly finder: FaceFinder,
    private readonly effect: Effect,
    fps: number,
  ) {
    this.schedule = scheduleAt(fps);
  }

  async next(frames: I420Frame[], isLate = false): Promise<FrameFaces[]> {
    const { schedule, effect } = this;
    const before = process.cpuUsage();
    const found = isLate
      ? frames.map(({ y }, n) => unsearchedFaces(this.state, y, this.frame + n, schedule))
      : await this.search(frames);
    frames.forEach((frame, n) => applyEffect(effect, frame, found[n]!));
    const { user, system } = process.cpuUsage(before);
    this.cpuMs += (user + system) / 1000;
    this.frame += frames.length;
    return found;
  }

  private async search(frames: I420Frame[]): Promise<FrameFaces[]> {
    const run = { firstFrame: this.frame, frames };
    const wanted = { schedule: this.schedule, hiding: hidesFaces(this.effect) };
    const found = await trackRun(this.finder, run, this.state, wanted);
    this.state = found.state;
    return found.frames;
  }
}
