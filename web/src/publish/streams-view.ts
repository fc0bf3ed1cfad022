import { expiryOf, OwnStreams, type OwnStream } from '../kept/own-streams.js';
import { byId } from '../ui/dom.js';
import { deleteSession } from '../uplink/own-session.js';
import type { StartedSession } from '../uplink/started-session.js';
import { ClearPartView } from './clear-part-view.js';
import { ConfirmedButton, DELETE } from './confirmed-button.js';

/** Your streams: the link of each, its expiry, and its Delete button. */
export class StreamsView {
  private readonly streams = new OwnStreams();
  private readonly section = byId('streams', HTMLElement);
  private readonly list = byId('streams-list', HTMLUListElement);
  private readonly note = byId('streams-note', HTMLElement);
  /** The stream on air from this page, which is shown above. */
  private current: string | undefined;
  /** The stream that has just ended, whose recording is shown above. */
  private last: string | undefined;

  constructor() {
    this.show();
  }

  /** Records that a stream is live from this page. */
  seen(session: StartedSession): void {
    this.streams.seen(session);
    if (this.current === session.sessionId) return;
    this.current = session.sessionId;
    this.last = undefined;
    this.show();
  }

  /** Records that the live stream has ended, if there is one. */
  ended(session: StartedSession | undefined): void {
    if (session) this.streams.ended(session);
    this.last = session?.sessionId;
    this.current = undefined;
    this.show();
  }

  private show(): void {
    const past = this.streams.all.filter(({ sessionId }) => sessionId !== this.current);
    this.section.hidden = past.length === 0;
    this.list.replaceChildren(...past.map((stream) => this.item(stream)));
  }

  private item(stream: OwnStream): HTMLLIElement {
    const item = document.createElement('li');
    item.dataset['testid'] = 'own-stream';
    const link = document.createElement('a');
    link.href = stream.watchUrl;
    link.target = '_blank';
    link.rel = 'noopener';
    const begun = whenOf(stream.startedAt);
    link.textContent = begun;
    const kept = document.createElement('span');
    kept.className = 'hint';
    const what = stream.recording ? 'Its recording' : 'Its last moments';
    kept.textContent = `${what} can be watched until ${whenOf(expiryOf(stream))}, then nothing of it is left.`;
    const remove = new ConfirmedButton(DELETE, `the stream of ${begun}`, async () => {
      const isDeleted = await deleteSession(stream);
      this.note.textContent = isDeleted
        ? 'The stream is deleted: nothing of it can be watched any more.'
        : 'The stream could not be deleted. Try again.';
      if (!isDeleted) return;
      this.streams.forget(stream);
      this.show();
      this.note.focus();
    });
    const words = document.createElement('p');
    words.append(link, kept);
    item.append(words, remove.element);
    if (stream.recording && stream.sessionId !== this.last) {
      const clearPart = new ClearPartView(stream, `the recording of ${begun}`);
      item.append(clearPart.element);
      void clearPart.look();
    }
    return item;
  }
}

/** A date and time in the reader's language; without the date if it is today. */
function whenOf(time: number): string {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const hour = { hour: '2-digit', minute: '2-digit' } as const;
  return isToday
    ? date.toLocaleTimeString('en-GB', hour)
    : date.toLocaleString('en-GB', { weekday: 'short', month: 'short', day: 'numeric', ...hour });
}
