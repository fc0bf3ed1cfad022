import { Playback } from '../play/playback.js';
import type { LocalProblem } from '../problem.js';
import { lookAtSession } from './session-look.js';
import { nextLookInMs, nextWatchState, type WatchState } from './watch-state.js';
import { WatchView } from './watch-view.js';

/** The viewers' page of one session: looks at it, plays it, and says how it stands. */
export class WatchPage {
  private readonly view = new WatchView();
  private readonly playback: Playback;
  private readonly sessionId: string;
  private state: WatchState = { name: 'looking' };

  constructor(sessionId: string) {
    this.sessionId = sessionId;
    this.playback = new Playback(this.view.processed, {
      onDate: (date) => this.view.showLatency(this.state.name === 'live' ? date : undefined),
      onProblem: (problem) => this.giveUp(problem),
      onSound: () => this.view.offerSound(),
    });
    void this.look();
  }

  private async look(): Promise<void> {
    const { look, stats } = await lookAtSession(this.sessionId);
    const isRecorded = stats !== undefined && stats.recording !== 'off';
    this.enter(nextWatchState(this.state, look, isRecorded));
    if (stats && this.state.name === 'live') this.view.showStats(stats);
    const nextMs = nextLookInMs(this.state);
    if (nextMs !== undefined) setTimeout(() => void this.look(), nextMs);
  }

  private enter(state: WatchState): void {
    this.state = state;
    this.view.showState(state);
    if (state.name === 'not_invited') this.playback.close();
    if (state.name === 'ended' && state.isRecorded) this.offerRecording(state);
    else if (state.name === 'live' || state.name === 'ended')
      this.playback.open(`/hls/${this.sessionId}/live.m3u8`);
  }

  /** Who saw it live sees its last moments first. */
  private offerRecording({ sawItLive }: { sawItLive: boolean }): void {
    const url = `/api/sessions/${this.sessionId}/recording.mp4`;
    this.view.offerRecording(url);
    const play = () => {
      this.playback.close();
      this.view.playRecording(url);
    };
    if (sawItLive) this.view.processed.addEventListener('ended', play, { once: true });
    else play();
  }

  /** Of an ended stream there may be nothing left to play, which is no failure. */
  private giveUp(problem: LocalProblem): void {
    if (this.state.name !== 'ended') this.enter({ name: 'failed', problem });
  }
}
