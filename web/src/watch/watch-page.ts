import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { ListingWatch } from '../play/listing-watch.js';
import { Playback } from '../play/playback.js';
import type { LocalProblem } from '../problem.js';
import { PlayerControls } from './controls/player-controls.js';
import { endingOf } from './ending.js';
import { viewerDelayOf } from './viewer-delay.js';
import { lookAtSession } from './session-look.js';
import { nextLookInMs, nextWatchState, type EndedState, type WatchState } from './watch-state.js';
import { WatchView } from './watch-view.js';
import { serverPath } from '../server-path.js';

/** The watch page of one session: asks for its state, plays it, and shows how it is. */
export class WatchPage {
  private readonly view = new WatchView();
  private readonly playback: Playback;
  private readonly controls: PlayerControls;
  private readonly sessionId: string;
  private readonly listing = new ListingWatch();
  private stats: Stats | undefined;
  private state: WatchState = { name: 'looking' };

  constructor(sessionId: string) {
    this.sessionId = sessionId;
    this.playback = new Playback(this.view.processed, {
      onDate: (date) => this.showDate(this.state.name === 'live' ? date : undefined),
      onProblem: (problem) => this.giveUp(problem),
      onSound: () => this.controls.sound.offer(),
    });
    this.controls = new PlayerControls(this.view.frame, this.view.processed, this.playback);
    void this.look();
  }

  private async look(): Promise<void> {
    const { look, stats } = await lookAtSession(this.sessionId);
    this.enter(nextWatchState(this.state, look, endingOf(stats)));
    if (stats && this.state.name === 'live') this.showStats(stats);
    const nextMs = nextLookInMs(this.state);
    if (nextMs !== undefined) setTimeout(() => void this.look(), nextMs);
  }

  private showStats(stats: Stats): void {
    this.stats = stats;
    this.listing.saw(stats.framesOut);
    this.view.showStats(stats);
  }

  private showDate(date: number | undefined): void {
    const shownSeconds = this.view.showLatency(date);
    if (this.state.name !== 'live') return;
    const { stats, listing } = this;
    const delay = viewerDelayOf({
      shownSeconds,
      stillSeconds: listing.stillSeconds,
      hasUnlisted: stats !== undefined && stats.framesIn > stats.framesOut,
      listedSeconds: stats && stats.lateMs / 1000,
      pipelineSeconds: stats && stats.pipelineMs / 1000,
    });
    this.view.showDelay(delay, this.controls.following);
    if (listing.isStill) this.view.forgetMoment();
  }

  private enter(state: WatchState): void {
    this.state = state;
    this.view.showState(state);
    this.controls.setLive(state.name === 'live');
    if (state.name === 'not_invited') this.playback.close();
    if (state.name === 'ended' && state.isRecorded) this.offerRecording(state);
    else if (state.name === 'live' || state.name === 'ended')
      this.playback.open(serverPath(`/hls/${this.sessionId}/live.m3u8`));
  }

  /** Plays the recording; after the last moments of the stream, if the viewer saw it live. */
  private offerRecording({ sawItLive }: EndedState): void {
    const url = serverPath(`/api/sessions/${this.sessionId}/recording.mp4`);
    this.view.offerRecording(url);
    const play = () => {
      this.playback.openRecording(url);
      this.controls.sound.offerOn();
      this.controls.showFaces(serverPath(`/api/sessions/${this.sessionId}/faces`));
    };
    const { processed } = this.view;
    if (sawItLive && !processed.ended) processed.addEventListener('ended', play, { once: true });
    else play();
  }

  /** An ended stream may have nothing left to play, which is no failure. */
  private giveUp(problem: LocalProblem): void {
    if (this.state.name !== 'ended') this.enter({ name: 'failed', problem });
  }
}
