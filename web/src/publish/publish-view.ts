import type { Stats, Visibility } from '@facecast/shared/protocol/ingest-protocol';
import { listCameras, type SourceChoice, type SourceKind } from '../capture/source.js';
import { problemSentence, type LocalProblem } from '../problem.js';
import { byId } from '../ui/dom.js';
import { showPictureWhile } from '../ui/picture-frame.js';
import { Readings } from '../ui/readings.js';
import { searchNote } from '../ui/search.js';
import type { Delivery } from '../play/player.js';
import { StatsDetails } from '../ui/stats-details.js';
import type { SignedLink } from '../uplink/own-session.js';
import type { KeptSession } from '../kept/interrupted-session.js';
import type { Terms } from './broadcast-request.js';
import type { Delay } from './delay.js';
import { publishStateNote, publishStateWords, viewersCaption } from './publish-messages.js';
import { isOnAir, isOver, type PublishState } from './publish-state.js';
import { RecordingView } from './recording-view.js';
import type { Reduction } from './reduction.js';
import { ViewersLink } from './viewers-link.js';

/** Actions of the person at the page. */
export interface PublishActions {
  onStart(): void;
  onGoLive(): void;
  onStop(): void;
  /** Go on with the source that is chosen now. */
  onChangeSource(): void;
  /** Go on with the interrupted stream, or end it. */
  onTakeUp(): void;
  onLetGo(): void;
}

/** The publish page's elements: reads the choices, shows the state. */
export class PublishView {
  readonly preview = byId('preview', HTMLVideoElement);
  readonly processed = byId('processed', HTMLVideoElement);
  private readonly readings = new Readings();
  private readonly details = new StatsDetails();
  private readonly delivery = byId('delivery', HTMLElement);
  private readonly recording = new RecordingView();
  private readonly sourceList = byId('source', HTMLSelectElement);
  private readonly device = byId('device', HTMLSelectElement);
  private readonly file = byId('file', HTMLInputElement);
  private readonly loop = byId('loop', HTMLInputElement);
  private readonly sound = byId('sound', HTMLInputElement);
  private readonly recordSwitch = byId('record', HTMLInputElement);
  private readonly tokenField = byId('token', HTMLInputElement);
  private readonly sourceChoices = [this.sourceList, this.device, this.file, this.loop, this.sound];
  private isLive = false;
  private state: PublishState = { name: 'idle' };
  private reduction: Reduction | undefined;
  private delay: Delay | undefined;
  private readonly start = byId('start', HTMLButtonElement);
  private readonly goLive = byId('go-live', HTMLButtonElement);
  private readonly stop = byId('stop', HTMLButtonElement);
  private readonly change = byId('change', HTMLButtonElement);
  private readonly link = new ViewersLink();
  private readonly audience = byId('audience', HTMLSelectElement);
  private readonly stateWords = byId('state', HTMLElement);
  private readonly note = byId('note', HTMLElement);
  private readonly caution = byId('caution', HTMLElement);
  private readonly interrupted = byId('interrupted', HTMLElement);
  private readonly problem = byId('problem', HTMLElement);
  private readonly playbackProblem = byId('playback-problem', HTMLElement);

  constructor(actions: PublishActions) {
    byId('controls', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      actions.onStart();
    });
    this.goLive.addEventListener('click', () => actions.onGoLive());
    this.stop.addEventListener('click', () => actions.onStop());
    byId('take-up', HTMLButtonElement).addEventListener('click', () => actions.onTakeUp());
    byId('let-go', HTMLButtonElement).addEventListener('click', () => actions.onLetGo());
    this.change.addEventListener('click', () => actions.onChangeSource());
    this.sourceList.addEventListener('change', () => this.showSourceFields());
    for (const choice of this.sourceChoices)
      choice.addEventListener('change', () => (this.change.hidden = !this.isLive));
    showPictureWhile(this.preview, byId('own-frame', HTMLElement));
    showPictureWhile(this.processed, byId('processed-frame', HTMLElement));
    // Browsers keep form values over a reload.
    this.showSourceFields();
    void this.refreshCameras();
  }

  /** Whether sound is sent, too. */
  get withSound(): boolean {
    return this.sound.checked;
  }

  /** Whether the stream is recorded, and who may see it. */
  get terms(): Terms {
    const visibility = this.audience.value as Visibility;
    return { record: this.recordSwitch.checked, visibility };
  }

  /** The link for viewers of a private stream. */
  get madeLink(): SignedLink | undefined {
    return this.link.made;
  }

  get token(): string {
    return this.tokenField.value.trim();
  }

  get sourceKind(): SourceKind {
    return this.sourceList.value as SourceKind;
  }

  /** The source to share; undefined if it is a file and none is chosen. */
  get source(): SourceChoice | undefined {
    switch (this.sourceKind) {
      case 'camera':
        return { kind: 'camera', deviceId: this.device.value };
      case 'screen':
        return { kind: 'screen' };
      case 'file': {
        const file = this.file.files?.[0];
        return file && { kind: 'file', file, loop: this.loop.checked };
      }
    }
  }

  showState(state: PublishState): void {
    this.state = state;
    document.body.dataset['state'] = state.name;
    document.body.toggleAttribute('data-on-air', isOnAir(state));
    this.showWords();
    byId('viewers-caption', HTMLElement).textContent = viewersCaption(state);
    const problem = state.name === 'failed' ? state.problem : undefined;
    this.problem.hidden = problem === undefined;
    this.problem.textContent = problem === undefined ? '' : problemSentence(problem);
    this.enableControls(state);
    if (problem === 'unauthorized') {
      byId('token-field', HTMLElement).hidden = false;
      this.tokenField.focus();
    }
    if ('session' in state && state.session && isOnAir(state)) {
      this.link.begin(state.session);
      this.recording.begin(state.session, this.terms.record);
      if (state.name === 'live') void this.link.ready();
    }
    if (!isOver(state)) return;
    this.readings.stop();
    this.say(this.caution, '');
    void this.recording.end();
  }

  /** Offers to take up an interrupted stream that is still on air; undefined: takes the offer back. */
  showInterrupted(isInterrupted: boolean): void {
    this.interrupted.hidden = !isInterrupted;
  }

  /** Restores the choices from before a reload. */
  restore({ source, withSound }: KeptSession): void {
    this.sourceList.value = source.kind;
    this.sound.checked = withSound;
    this.showSourceFields();
  }

  /** Shows that another source is being opened in place of the live one. */
  showSourceChanging(): void {
    this.change.disabled = true;
    this.problem.hidden = true;
  }

  /** Shows that the other source is live, or why not: then the one before goes on. */
  showSourceChanged(problem: LocalProblem | undefined): void {
    this.change.disabled = false;
    this.change.hidden = problem === undefined || !this.isLive;
    if (problem === undefined) return void this.refreshCameras();
    this.problem.hidden = false;
    this.problem.textContent = problemSentence(problem);
  }

  /**
   * Clears everything of the last broadcast, because a new one begins.
   * @param link the viewers' link, if a broadcast is taken up
   */
  clear(link?: SignedLink): void {
    this.reduction = this.delay = undefined;
    this.readings.clear();
    this.recording.clear();
    this.playbackProblem.hidden = true;
    this.link.clear(link);
  }

  /** Shows that less than the best picture is sent; undefined: the best again. */
  showReduction(reduction: Reduction | undefined): void {
    this.reduction = reduction;
    this.showWords();
  }

  /** Shows how late viewers are, and why; undefined: they are in time. */
  showDelay(delay: Delay | undefined): void {
    this.delay = delay;
    this.showWords();
  }

  showStats(stats: Stats): void {
    this.readings.showStats(stats);
    this.details.show(stats);
    if (isOnAir(this.state)) this.recording.showStats(stats);
    this.say(this.caution, searchNote(stats));
  }

  /** Shows how far behind the camera the picture is, by its date in the playlist; in seconds, if known. */
  showLatency(date: number | undefined): number | undefined {
    return this.readings.showLatency(date);
  }

  /** Clears the figures of a moment, because nothing new is listed. */
  forgetMoment(): void {
    this.readings.forgetFaces();
    this.say(this.caution, '');
  }

  /** Shows why the processed picture cannot be played here; the broadcast goes on. */
  showPlaybackProblem(problem: LocalProblem): void {
    this.playbackProblem.textContent = problemSentence(problem);
    this.playbackProblem.hidden = false;
  }

  /** Shows how the processed picture is delivered. */
  showDelivery(delivery: Delivery): void {
    this.delivery.textContent = delivery === 'push' ? 'Pushed' : 'As HLS';
  }

  /** Lists the cameras by name; browsers give names only after permission. */
  async refreshCameras(): Promise<void> {
    const cameras = await listCameras();
    const chosen = this.device.value;
    const options = cameras.map(({ label, deviceId }) => new Option(label, deviceId));
    this.device.replaceChildren(this.device.options[0]!, ...options);
    this.device.value = cameras.some(({ deviceId }) => deviceId === chosen) ? chosen : '';
  }

  private enableControls(state: PublishState): void {
    const over = isOver(state);
    this.isLive = ['live', 'preview', 'reconnecting'].includes(state.name);
    for (const choice of this.sourceChoices) choice.disabled = !over && !this.isLive;
    this.tokenField.disabled = !over;
    // Recording and visibility are fixed when a session begins.
    for (const control of [this.recordSwitch, this.audience]) control.disabled = isOnAir(state);
    if (!this.isLive) this.change.hidden = true;
    const buttons = [this.start, this.goLive, this.stop];
    const hadFocus = buttons.includes(document.activeElement as HTMLButtonElement);
    this.start.hidden = !over;
    this.goLive.hidden = state.name !== 'preview';
    this.stop.hidden = over;
    this.stop.disabled = state.name === 'ending';
    this.stop.textContent = isOnAir(state) ? 'Stop' : 'Cancel';
    if (hadFocus) buttons.find(({ hidden }) => !hidden)?.focus();
  }

  private showSourceFields(): void {
    for (const field of document.querySelectorAll<HTMLElement>('[data-for]')) {
      field.hidden = field.dataset['for'] !== this.sourceKind;
    }
  }

  private showWords(): void {
    const words = publishStateWords(this.state, this.delay);
    document.body.toggleAttribute('data-late', this.delay !== undefined);
    document.title = isOver(this.state) ? 'Facecast' : `${words} · Facecast`;
    this.say(this.stateWords, words);
    const known = { reduction: this.reduction, delay: this.delay };
    this.say(this.note, publishStateNote(this.state, known));
  }

  /** Only a change may be announced to a screen reader. */
  private say(element: HTMLElement, words: string): void {
    if (element.textContent !== words) element.textContent = words;
  }
}
