import { openPlayer } from './open-player.js';
import type { Player } from './player.js';
import type { LocalProblem } from './problem.js';
import { lookAtSession } from './session-look.js';
import { nextLookInMs, nextWatchState, type WatchState } from './watch-state.js';
import { WatchView } from './watch-view.js';

/** How often the latency is read, in milliseconds: calm to look at. */
const LATENCY_EVERY_MS = 1_000;

/** The viewers' page of one session: looks at it, plays it, and says how it stands. */
export class WatchPage {
  readonly #view = new WatchView();
  readonly #sessionId: string;
  #state: WatchState = { name: 'looking' };
  #player: Player | undefined;

  constructor(sessionId: string) {
    this.#sessionId = sessionId;
    setInterval(() => this.#showLatency(), LATENCY_EVERY_MS);
    void this.#look();
  }

  async #look(): Promise<void> {
    const { look, stats } = await lookAtSession(this.#sessionId);
    this.#enter(nextWatchState(this.#state, look));
    if (stats && this.#state.name === 'live') this.#view.showStats(stats);
    const nextMs = nextLookInMs(this.#state);
    if (nextMs !== undefined) setTimeout(() => void this.#look(), nextMs);
  }

  #enter(state: WatchState): void {
    this.#state = state;
    this.#view.showState(state);
    if (state.name === 'live' || state.name === 'ended') this.#play();
  }

  #play(): void {
    if (this.#player) return;
    this.#player = openPlayer(this.#view.processed, `/hls/${this.#sessionId}/live.m3u8`, {
      onPlaying: () => this.#showLatency(),
      onProblem: (problem) => this.#giveUp(problem),
      onSound: () => this.#view.offerSound(),
    });
    if (!this.#player) this.#giveUp('playback_unsupported');
  }

  /** Of an ended stream there may be nothing left to play, which is no failure. */
  #giveUp(problem: LocalProblem): void {
    if (this.#state.name !== 'ended') this.#enter({ name: 'failed', problem });
  }

  #showLatency(): void {
    const playing = !this.#view.processed.paused && this.#state.name === 'live';
    this.#view.showLatency(playing ? this.#player?.dateShown() : undefined);
  }
}
