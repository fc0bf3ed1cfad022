import { editRecording, recordingStatus, type RecordingStatus } from '../uplink/own-recording.js';
import type { StartedSession } from '../uplink/started-session.js';
import { ConfirmedButton, CUT } from './confirmed-button.js';
import { clearPartNote } from './publish-messages.js';

/** How often the page asks whether an edit is done, in milliseconds. */
const LOOK_MS = 1_000;
/** The effect that hides faces in a recording: it shows plainly that somebody is hidden. */
const EFFECT = 'pixelate';

/** Shows how much of a recording shows faces, with the buttons that change that. */
export class ClearPartView {
  readonly element = document.createElement('div');
  private readonly session: StartedSession;
  private readonly note = document.createElement('p');
  private readonly row = document.createElement('div');
  private readonly cut: ConfirmedButton;
  private readonly hide = document.createElement('button');
  private status: RecordingStatus | undefined;

  /** @param name of the stream, for the buttons' accessible names */
  constructor(session: StartedSession, name: string) {
    this.session = session;
    this.element.dataset['testid'] = 'clear-part';
    this.element.hidden = true;
    this.note.className = 'hint';
    this.note.setAttribute('role', 'status');
    this.note.tabIndex = -1;
    this.row.className = 'recording-row';
    this.cut = new ConfirmedButton(CUT, `the beginning of ${name}`, () =>
      this.change({ cutBefore: this.clearBeginning() }),
    );
    this.cut.element.dataset['testid'] = 'cut-clear-part';
    this.hide.type = 'button';
    this.hide.className = 'secondary';
    this.hide.dataset['testid'] = 'hide-clear-part';
    this.hide.textContent = 'Hide faces';
    this.hide.setAttribute('aria-label', `Hide faces: ${name}`);
    this.hide.addEventListener('click', () => void this.change({ effect: EFFECT }));
    this.row.append(this.cut.element, this.hide);
    this.element.append(this.note, this.row);
  }

  /** Shows the state of the recording, and updates it while an edit runs and the element is on the page. */
  async look(): Promise<void> {
    for (;;) {
      const status = await recordingStatus(this.session).catch(() => this.status);
      this.show(status);
      if (status?.state !== 'pending' || !this.element.isConnected) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  private async change(edit: Parameters<typeof editRecording>[1]): Promise<void> {
    try {
      this.show(await editRecording(this.session, edit));
    } catch {
      return this.say('The recording could not be changed. Try again.');
    }
    // Its buttons are gone.
    this.note.focus();
    void this.look();
  }

  private show(status: RecordingStatus | undefined): void {
    this.status = status;
    const words = status && clearPartNote(status);
    this.element.hidden = !words;
    if (!status || !words) return;
    this.say(words);
    this.row.hidden = status.state === 'pending' || status.clearSeconds === 0;
    this.cut.element.hidden = this.clearBeginning() === 0;
  }

  private say(words: string): void {
    if (this.note.textContent !== words) this.note.textContent = words;
  }

  /** Seconds of the beginning that show faces; 0 if all of the recording does: a cut would leave nothing. */
  private clearBeginning(): number {
    const first = this.status?.clear[0];
    const isCuttable = first?.from === 0 && first.to <= (this.status?.lastCut ?? 0);
    return first && isCuttable ? first.to : 0;
  }
}
