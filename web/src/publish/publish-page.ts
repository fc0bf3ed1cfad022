import { Broadcast } from './broadcast.js';
import { Playback } from '../play/playback.js';
import { isOver, nextPublishState, type PublishEvent, type PublishState } from './publish-state.js';
import { PublishView } from './publish-view.js';

/** The publish page: one broadcast after another, each with its own picture played back. */
export class PublishPage {
  readonly #view: PublishView;
  readonly #playback: Playback;
  #state: PublishState = { name: 'idle' };
  #broadcast: Broadcast | undefined;

  constructor() {
    this.#view = new PublishView({
      onStart: () => this.#start(),
      onStop: () => this.#broadcast?.stop(),
      onChangeSource: () => void this.#changeSource(),
      onEffect: (effect) => this.#broadcast?.changeEffect(effect),
    });
    this.#playback = new Playback(this.#view.processed, {
      onDate: (date) => this.#view.showLatency(isOver(this.#state) ? undefined : date),
      onProblem: (problem) => this.#view.showPlaybackProblem(problem),
    });
    // A page that goes says so: the server need not wait for it to come back.
    addEventListener('pagehide', () => this.#broadcast?.stop());
  }

  #start(): void {
    if (!isOver(this.#state)) return;
    this.#playback.close();
    this.#view.clear();
    this.#onEvent({ type: 'start', source: this.#view.sourceKind });
    const { source, withSound, effect, record, token } = this.#view;
    if (!source) return this.#onEvent({ type: 'problem', problem: 'no_file' });
    const wanted = { source, withSound, effect, record, token };
    this.#broadcast = new Broadcast(wanted, this.#view.preview, {
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
    if (event.type === 'playlist_ready' && 'session' in this.#state)
      this.#playback.open(this.#state.session.playlistUrl);
  }
}
