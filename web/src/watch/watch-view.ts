import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { byId, setText } from '../ui/dom.js';
import { showPictureWhile } from '../ui/picture-frame.js';
import { Readings } from '../ui/readings.js';
import { searchNote } from '../ui/search.js';
import type { Following } from './controls/seeking.js';
import type { ViewerDelay } from './viewer-delay.js';
import { delayNote, endedNote, watchStateNote, watchStateWords } from './watch-messages.js';
import type { WatchState } from './watch-state.js';

/** The watch page's elements. */
export class WatchView {
  readonly processed = byId('processed', HTMLVideoElement);
  readonly frame = byId('frame', HTMLElement);
  private readonly readings = new Readings();
  private readonly state = byId('state', HTMLElement);
  private readonly note = byId('note', HTMLElement);
  private readonly download = byId('download', HTMLAnchorElement);
  private readonly recorded = byId('recorded', HTMLElement);
  private readonly hidden = byId('hidden', HTMLElement);
  private readonly ended = byId('ended', HTMLElement);
  private readonly caution = byId('caution', HTMLElement);
  private readonly delayNote = byId('delay', HTMLElement);

  constructor() {
    showPictureWhile(this.processed, this.frame);
  }

  showState(state: WatchState): void {
    if (document.body.dataset['state'] === state.name && state.name !== 'looking') return;
    document.body.dataset['state'] = state.name;
    this.showWords(watchStateWords(state));
    this.note.textContent = watchStateNote(state);
    setText(this.ended, state.name === 'ended' ? endedNote(state) : '');
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

  /** Shows how far behind the camera the picture is, by its date in the playlist; in seconds, if known. */
  showLatency(date: number | undefined): number | undefined {
    return this.readings.showLatency(date);
  }

  /** Shows how late a live stream is, and why (undefined: it is in time), to a viewer who follows it. */
  showDelay(delay: ViewerDelay | undefined, following: Following): void {
    document.body.dataset['following'] = following;
    this.showWords(watchStateWords({ name: 'live' }, delay, following));
    // Who has paused or sought back sees an old picture, however late the stream is.
    this.showDelayNote(following === 'edge' ? delay : undefined);
  }

  /** Clears the figures of a moment, because nothing new is listed. */
  forgetMoment(): void {
    this.readings.forgetFaces();
    setText(this.caution, '');
  }

  private showDelayNote(delay: ViewerDelay | undefined): void {
    document.body.toggleAttribute('data-late', delay !== undefined);
    setText(this.delayNote, delayNote(delay));
  }

  private showWords(words: string): void {
    document.title = `${words} · Facecast`;
    setText(this.state, words);
  }
}
