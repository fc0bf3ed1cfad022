import { Broadcast } from './broadcast.js';
import { openPlayer } from './open-player.js';
import type { Player } from './player.js';
import { isOver, nextPublishState, type PublishEvent, type PublishState } from './publish-state.js';
import { PublishView } from './publish-view.js';

/** How often the latency is read, in milliseconds: calm to look at. */
const LATENCY_EVERY_MS = 1_000;

/** The publish page: one broadcast after another, each with its own picture played back. */
export class PublishPage {
  readonly #view: PublishView;
  #state: PublishState = { name: 'idle' };
  #broadcast: Broadcast | undefined;
  #player: Player | undefined;

  constructor() {
    this.#view = new PublishView({
      onStart: () => this.#start(),
      onStop: () => this.#broadcast?.stop(),
      onChangeSource: () => void this.#changeSource(),
      onEffect: (effect) => this.#broadcast?.changeEffect(effect),
    });
    this.#view.processed.addEventListener('ended', () => this.#view.showLatency(undefined));
    setInterval(() => this.#showLatency(), LATENCY_EVERY_MS);
    // A page that goes says so: the server need not wait for it to come back.
    addEventListener('pagehide', () => this.#broadcast?.stop());
  }

  #start(): void {
    if (!isOver(this.#state)) return;
    this.#player?.close();
    this.#player = undefined;
    this.#view.clear();
    this.#onEvent({ type: 'start', source: this.#view.sourceKind });
    const { source, withSound, effect, token } = this.#view;
    if (!source) return this.#onEvent({ type: 'problem', problem: 'no_file' });
    this.#broadcast = new Broadcast({ source, withSound, effect, token }, this.#view.preview, {
      onEvent: (event) => this.#onEvent(event),
      onStats: (stats) => this.#view.showStats(stats),
      onReduced: (reduction) => this.#view.showReduction(this.#state, reduction),
    });
  }

  async #changeSource(): Promise<void> {
    const { source, withSound } = this.#view;
    if (!source) return this.#view.showSourceChanged('no_file');
    this.#view.showSourceChanging();
    this.#view.showSourceChanged(await this.#broadcast?.changeSource({ source, withSound }));
  }

  #onEvent(event: PublishEvent): void {
    this.#state = nextPublishState(this.#state, event);
    this.#view.showState(this.#state);
    if (event.type === 'source_opened') void this.#view.refreshCameras();
    if (event.type === 'playlist_ready') this.#play();
  }

  #play(): void {
    if (this.#player || !('session' in this.#state)) return;
    this.#player = openPlayer(this.#view.processed, this.#state.session.playlistUrl, {
      onPlaying: () => this.#showLatency(),
      onProblem: (problem) => this.#view.showPlaybackProblem(problem),
      onSound: () => undefined,
    });
    if (!this.#player) this.#view.showPlaybackProblem('playback_unsupported');
  }

  #showLatency(): void {
    const playing = !this.#view.processed.paused && !isOver(this.#state);
    this.#view.showLatency(playing ? this.#player?.dateShown() : undefined);
  }
}
