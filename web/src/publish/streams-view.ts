import { expiryOf, OwnStreams, type OwnStream } from '../kept/own-streams.js';
import { byId } from '../ui/dom.js';
import { deleteSession } from '../uplink/own-session.js';
import type { StartedSession } from '../uplink/started-session.js';
import { DeleteButton } from './delete-button.js';

/** Your streams: where each is watched, until when there is anything of it, and how it is deleted. */
export class StreamsView {
  private readonly streams = new OwnStreams();
  private readonly section = byId('streams', HTMLElement);
  private readonly list = byId('streams-list', HTMLUListElement);
  private readonly note = byId('streams-note', HTMLElement);
  /** The one that is on air from here, which has its place above. */
  private current: string | undefined;

  constructor() {
    this.show();
  }

  /** This one is live, from here. */
  seen(session: StartedSession): void {
    this.streams.seen(session);
    if (this.current === session.sessionId) return;
    this.current = session.sessionId;
    this.show();
  }

  /** It has ended, if it ever was live. */
  ended(session: StartedSession | undefined): void {
    if (session) this.streams.ended(session);
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
    const remove = new DeleteButton(`Delete the stream of ${begun}`, async () => {
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
    return item;
  }
}

/** A day and time as people say it here; the day only where it is not today. */
function whenOf(time: number): string {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const hour = { hour: '2-digit', minute: '2-digit' } as const;
  return isToday
    ? date.toLocaleTimeString('en-GB', hour)
    : date.toLocaleString('en-GB', { weekday: 'short', month: 'short', day: 'numeric', ...hour });
}
