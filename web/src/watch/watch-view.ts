import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { byId } from '../ui/dom.js';
import { showPictureWhile } from '../ui/picture-frame.js';
import { Readings } from '../ui/readings.js';
import { watchStateNote, watchStateWords } from './watch-messages.js';
import type { WatchState } from './watch-state.js';

/** The viewers' page's elements. */
export class WatchView {
  readonly processed = byId('processed', HTMLVideoElement);
  private readonly readings = new Readings();
  private readonly frame = byId('frame', HTMLElement);
  private readonly state = byId('state', HTMLElement);
  private readonly note = byId('note', HTMLElement);
  private readonly buttons = byId('buttons', HTMLElement);
  private readonly play = byId('play', HTMLButtonElement);
  private readonly download = byId('download', HTMLAnchorElement);
  private readonly recorded = byId('recorded', HTMLElement);
  private readonly hidden = byId('hidden', HTMLElement);
  private readonly sound = byId('sound', HTMLButtonElement);

  constructor() {
    const video = this.processed;
    showPictureWhile(video, this.frame);
    video.addEventListener('loadeddata', () => (this.buttons.hidden = false));
    for (const event of ['play', 'pause']) {
      video.addEventListener(event, () => this.showPaused());
    }
    this.play.addEventListener('click', () => togglePlay(video));
    this.sound.addEventListener('click', () => this.toggleSound());
    const fullScreen = byId('full-screen', HTMLButtonElement);
    fullScreen.hidden = !document.fullscreenEnabled;
    fullScreen.addEventListener('click', () => this.toggleFullScreen());
  }

  showState(state: WatchState): void {
    if (document.body.dataset['state'] === state.name && state.name !== 'looking') return;
    document.body.dataset['state'] = state.name;
    this.showWords(watchStateWords(state));
    this.note.textContent = watchStateNote(state);
    if (state.name === 'live') return;
    this.readings.stop();
    this.recorded.hidden = true;
    this.hidden.hidden = true;
  }

  showStats(stats: Stats): void {
    this.readings.showStats(stats);
    this.recorded.hidden = stats.recording !== 'on';
    this.hidden.hidden = stats.shown?.hidden !== true;
  }

  /** There is a recording to be had. */
  offerRecording(url: string): void {
    this.download.href = url;
    this.download.hidden = false;
  }

  /** Puts the recording where the stream was, to be played with the browser's own controls. */
  playRecording(url: string): void {
    const video = this.processed;
    this.frame.classList.add('has-recording');
    video.controls = true;
    video.muted = false;
    video.addEventListener('play', () => (this.note.textContent = ''), { once: true });
    video.src = url;
  }

  /** Shows how far behind the camera the picture of a live stream is, by its date in the playlist. */
  showLatency(date: number | undefined): void {
    const seconds = this.readings.showLatency(date);
    if (date !== undefined) this.showWords(watchStateWords({ name: 'live' }, seconds));
  }

  /** The stream has sound, which browsers let begin only with a press of a button. */
  offerSound(): void {
    this.sound.hidden = false;
  }

  private showWords(words: string): void {
    document.title = `${words} · Facecast`;
    if (this.state.textContent !== words) this.state.textContent = words;
  }

  private showPaused(): void {
    const { paused } = this.processed;
    this.frame.classList.toggle('is-paused', paused);
    this.play.textContent = paused ? 'Play' : 'Pause';
  }

  private toggleSound(): void {
    this.processed.muted = !this.processed.muted;
    this.sound.textContent = this.processed.muted ? 'Sound on' : 'Sound off';
  }

  private toggleFullScreen(): void {
    void (document.fullscreenElement ? document.exitFullscreen() : this.frame.requestFullscreen());
  }
}

function togglePlay(video: HTMLVideoElement): void {
  if (video.paused) video.play().catch(() => undefined);
  else video.pause();
}
