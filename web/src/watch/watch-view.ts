import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { byId, setText } from '../ui/dom.js';
import { showPictureWhile } from '../ui/picture-frame.js';
import { Readings } from '../ui/readings.js';
import { searchNote } from '../ui/search.js';
import type { ViewerDelay } from './viewer-delay.js';
import { delayNote, watchStateNote, watchStateWords } from './watch-messages.js';
import type { WatchState } from './watch-state.js';

/** The watch page's elements. */
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
  private readonly caution = byId('caution', HTMLElement);
  private readonly delayNote = byId('delay', HTMLElement);
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
    this.showDelayNote(undefined);
    setText(this.caution, '');
    this.readings.stop();
    this.recorded.hidden = true;
    this.hidden.hidden = true;
  }

  showStats(stats: Stats): void {
    this.readings.showStats(stats);
    this.recorded.hidden = stats.recording !== 'on';
    this.hidden.hidden = stats.shown?.hidden !== true;
    setText(this.caution, searchNote(stats));
  }

  /** Offers the recording. */
  offerRecording(url: string): void {
    this.download.href = url;
    this.download.hidden = false;
  }

  /** Plays the recording in place of the stream, with the browser's own controls. */
  playRecording(url: string): void {
    const video = this.processed;
    this.frame.classList.add('has-recording');
    video.controls = true;
    video.muted = false;
    video.addEventListener('play', () => (this.note.textContent = ''), { once: true });
    video.src = url;
  }

  /** Shows how far behind the camera the picture is, by its date in the playlist; in seconds, if known. */
  showLatency(date: number | undefined): number | undefined {
    return this.readings.showLatency(date);
  }

  /** Shows how late a live stream is, and why; undefined: it is in time. */
  showDelay(delay: ViewerDelay | undefined): void {
    // A paused picture is an old one, however late the stream is.
    const isPaused = this.frame.classList.contains('is-paused');
    this.showWords(isPaused ? 'Paused' : watchStateWords({ name: 'live' }, delay));
    this.showDelayNote(isPaused ? undefined : delay);
  }

  /** Clears the figures of a moment, because nothing new is listed. */
  forgetMoment(): void {
    this.readings.forgetFaces();
    setText(this.caution, '');
  }

  /** Offers a button for the sound: browsers begin it only after a press. */
  offerSound(): void {
    this.sound.hidden = false;
  }

  private showDelayNote(delay: ViewerDelay | undefined): void {
    document.body.toggleAttribute('data-late', delay !== undefined);
    setText(this.delayNote, delayNote(delay));
  }

  private showWords(words: string): void {
    document.title = `${words} · Facecast`;
    setText(this.state, words);
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
