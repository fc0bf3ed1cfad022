import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { byId } from '../ui/dom.js';
import { ClearPartView } from './clear-part-view.js';
import { ConfirmedButton, DELETE } from './confirmed-button.js';
import type { StartedSession } from '../uplink/started-session.js';
import { recordingNote, type RecordingStanding } from './publish-messages.js';
import { serverPath } from '../server-path.js';

/** Shows the state of the session's recording, and at the end what can be done with it. */
export class RecordingView {
  private readonly box = byId('recording', HTMLElement);
  private readonly note = byId('recording-note', HTMLElement);
  private readonly row = byId('recording-row', HTMLElement);
  private readonly download = byId('download', HTMLAnchorElement);
  private readonly delete = new ConfirmedButton(
    DELETE,
    'the recording',
    () => this.onDelete(),
    byId('delete', HTMLButtonElement),
  );
  private clearPart: ClearPartView | undefined;
  private session: StartedSession | undefined;
  private stopped = false;

  /** Shows that a session has begun; `asked`: whether its publisher wanted a recording. */
  begin(session: StartedSession, asked: boolean): void {
    if (this.session?.sessionId === session.sessionId) return;
    this.session = session;
    this.stopped = false;
    if (session.recording) this.show('on');
    else if (asked) this.show('refused');
  }

  showStats({ recording }: Stats): void {
    const stopped = recording === 'stopped';
    if (stopped === this.stopped) return;
    this.stopped = stopped;
    this.show(stopped ? 'stopped' : 'on');
  }

  /** Offers the recording of a session that is over. A session without a picture has none. */
  async end(): Promise<void> {
    const session = this.session;
    const recording = session?.recording;
    if (!recording) return;
    const isThere = await fetch(recording.url, { method: 'HEAD' }).then(
      ({ ok }) => ok,
      () => true,
    );
    if (session !== this.session) return;
    if (!isThere) return this.clear();
    this.download.href = recording.url;
    this.delete.reset();
    this.show(this.stopped ? 'cut short' : 'kept');
    this.row.hidden = false;
    this.clearPart = new ClearPartView(session, 'the recording');
    this.box.append(this.clearPart.element);
    await this.clearPart.look();
  }

  /** Clears everything of the last session. */
  clear(): void {
    this.session = undefined;
    this.clearPart?.element.remove();
    this.box.hidden = true;
    this.row.hidden = true;
  }

  private show(standing: RecordingStanding): void {
    this.box.hidden = false;
    this.note.textContent = recordingNote(standing, this.session?.recording?.keptHours ?? 0);
  }

  private async onDelete(): Promise<void> {
    const session = this.session;
    if (!session) return;
    const outcome = await deleteRecording(session.sessionId, session.resumeToken);
    if (session !== this.session) return;
    this.row.hidden = outcome === 'deleted';
    if (outcome === 'deleted') this.clearPart?.element.remove();
    this.show(outcome);
  }
}

async function deleteRecording(sessionId: string, token: string): Promise<RecordingStanding> {
  try {
    const { status } = await fetch(serverPath(`/api/sessions/${sessionId}/recording`), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    if (status === 409) return 'not ended';
    return status === 204 || status === 404 ? 'deleted' : 'not deleted';
  } catch {
    return 'not deleted';
  }
}
