import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { listCameras, type SourceChoice, type SourceKind } from '../capture/source.js';
import { problemSentence, type LocalProblem } from '../problem.js';
import { byId } from '../ui/dom.js';
import { showPictureWhile } from '../ui/picture-frame.js';
import { Readings } from '../ui/readings.js';
import { searchNote } from '../ui/search.js';
import { StatsDetails } from '../ui/stats-details.js';
import type { KeptSession } from '../kept/interrupted-session.js';
import type { Delay } from './delay.js';
import { publishStateNote, publishStateWords, viewersCaption } from './publish-messages.js';
import { isOnAir, isOver, type PublishState } from './publish-state.js';
import { RecordingView } from './recording-view.js';
import type { Reduction } from './reduction.js';

const LINK_TO_COME = 'The link appears when you go live.';
const COPIED_FOR_MS = 2_000;

/** What a person does on the page. */
export interface PublishActions {
  onStart(): void;
  onGoLive(): void;
  onStop(): void;
  /** Wants to go on with what is chosen now. */
  onChangeSource(): void;
  /** Wants to go on with the stream that was interrupted, or to end it. */
  onTakeUp(): void;
  onLetGo(): void;
}

/** The publish page's elements: reads what was chosen, shows how it stands. */
export class PublishView {
  readonly preview = byId('preview', HTMLVideoElement);
  readonly processed = byId('processed', HTMLVideoElement);
  private readonly readings = new Readings();
  private readonly details = new StatsDetails();
  private readonly recording = new RecordingView();
  private readonly sourceList = byId('source', HTMLSelectElement);
  private readonly device = byId('device', HTMLSelectElement);
  private readonly file = byId('file', HTMLInputElement);
  private readonly loop = byId('loop', HTMLInputElement);
  private readonly sound = byId('sound', HTMLInputElement);
  private readonly recordSwitch = byId('record', HTMLInputElement);
  private readonly tokenField = byId('token', HTMLInputElement);
  private readonly sourceChoices = [this.sourceList, this.device, this.file, this.loop];
  private isLive = false;
  private state: PublishState = { name: 'idle' };
  private reduction: Reduction | undefined;
  private delay: Delay | undefined;
  private readonly start = byId('start', HTMLButtonElement);
  private readonly goLive = byId('go-live', HTMLButtonElement);
  private readonly stop = byId('stop', HTMLButtonElement);
  private readonly change = byId('change', HTMLButtonElement);
  private readonly copy = byId('copy', HTMLButtonElement);
  private readonly link = byId('watch-link', HTMLAnchorElement);
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
    this.copy.addEventListener('click', () => void this.copyLink());
    showPictureWhile(this.preview, byId('own-frame', HTMLElement));
    showPictureWhile(this.processed, byId('processed-frame', HTMLElement));
    // Browsers keep form values over a reload.
    this.showSourceFields();
    void this.refreshCameras();
  }

  /** Whether what is heard is to be sent too. */
  get withSound(): boolean {
    return this.sound.checked;
  }

  /** Whether the server is to keep a recording. */
  get record(): boolean {
    return this.recordSwitch.checked;
  }

  get token(): string {
    return this.tokenField.value.trim();
  }

  get sourceKind(): SourceKind {
    return this.sourceList.value as SourceKind;
  }

  /** What to share; undefined where a file is to be shared and none is chosen. */
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
      this.showLink(new URL(state.session.watchUrl, location.href).href);
      this.recording.begin(state.session, this.record);
    }
    if (!isOver(state)) return;
    this.readings.stop();
    this.say(this.caution, '');
    void this.recording.end();
  }

  /** A stream that is still on air was interrupted, and cannot go on by itself; undefined: no more. */
  showInterrupted(isInterrupted: boolean): void {
    this.interrupted.hidden = !isInterrupted;
  }

  /** Chooses what was chosen before the page was loaded again. */
  restore({ source, withSound }: KeptSession): void {
    this.sourceList.value = source.kind;
    this.sound.checked = withSound;
    this.showSourceFields();
  }

  /** Another source is being opened, in the place of the one that is live. */
  showSourceChanging(): void {
    this.change.disabled = true;
    this.problem.hidden = true;
  }

  /** It is live now, or why it is not: then the one before it goes on. */
  showSourceChanged(problem: LocalProblem | undefined): void {
    this.change.disabled = false;
    this.change.hidden = problem === undefined || !this.isLive;
    if (problem === undefined) return void this.refreshCameras();
    this.problem.hidden = false;
    this.problem.textContent = problemSentence(problem);
  }

  /** A new broadcast begins: nothing of the last one stays. */
  clear(): void {
    this.reduction = this.delay = undefined;
    this.readings.clear();
    this.recording.clear();
    this.playbackProblem.hidden = true;
    this.link.textContent = LINK_TO_COME;
    this.link.removeAttribute('href');
    this.copy.disabled = true;
  }

  /** Says that less than the best picture is sent, or, with undefined, that it is the best again. */
  showReduction(reduction: Reduction | undefined): void {
    this.reduction = reduction;
    this.showWords();
  }

  /** Says how late viewers are, and why, or, with undefined, that they are in time. */
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

  /** Says why the processed picture can't be shown here; the broadcast goes on. */
  showPlaybackProblem(problem: LocalProblem): void {
    this.playbackProblem.textContent = problemSentence(problem);
    this.playbackProblem.hidden = false;
  }

  /** Lists the cameras by name, which browsers tell only after permission. */
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
    // A session is with sound or without, recorded or not, from its beginning on.
    for (const control of [this.sound, this.tokenField]) control.disabled = !over;
    this.recordSwitch.disabled = isOnAir(state);
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
    document.title = isOver(this.state) ? 'Facecast' : `${words} · Facecast`;
    this.say(this.stateWords, words);
    const known = { reduction: this.reduction, delay: this.delay };
    this.say(this.note, publishStateNote(this.state, known));
  }

  /** Only a change may be announced to a screen reader. */
  private say(element: HTMLElement, words: string): void {
    if (element.textContent !== words) element.textContent = words;
  }

  private showLink(url: string): void {
    if (this.link.href === url) return;
    this.link.href = url;
    this.link.textContent = url;
    this.copy.disabled = false;
  }

  private async copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.link.href);
      this.copy.textContent = 'Copied';
    } catch {
      // Without a clipboard (plain http, or refused) the link is at least selected.
      getSelection()?.selectAllChildren(this.link);
      this.copy.textContent = 'Selected';
    }
    setTimeout(() => (this.copy.textContent = 'Copy'), COPIED_FOR_MS);
  }
}
