import { isPrivate } from '@facecast/shared/protocol/session-visibility';
import { byId } from '../ui/dom.js';
import { makeLink, withdrawLink, type SignedLink } from '../uplink/own-session.js';
import type { StartedSession } from '../uplink/started-session.js';

const LINK_TO_COME = 'The link appears when you go live.';
const COPIED_FOR_MS = 2_000;
/** How long viewers may join by a link, and how long they may watch, in seconds. */
const LINK_SECONDS = 12 * 3600;

/** The viewers' link: the stream's own address, or a replaceable signed link to a private stream. */
export class ViewersLink {
  private readonly link = byId('watch-link', HTMLAnchorElement);
  private readonly copy = byId('copy', HTMLButtonElement);
  private readonly invitation = byId('invitation', HTMLElement);
  private readonly note = byId('invitation-note', HTMLElement);
  private readonly replace = byId('replace-link', HTMLButtonElement);
  private session: StartedSession | undefined;
  /** The signed link; undefined if none is needed. */
  made: SignedLink | undefined;
  /** The session whose first link is being created. */
  private making: StartedSession | undefined;

  constructor() {
    this.copy.addEventListener('click', () => void this.copyLink());
    this.replace.addEventListener('click', () => void this.replaceLink());
  }

  /** Shows the link of a session on air. */
  begin(session: StartedSession): void {
    if (this.session?.sessionId === session.sessionId) return;
    this.session = session;
    if (!isPrivate(session.sessionId))
      return this.show(new URL(session.watchUrl, location.href).href);
    this.invitation.hidden = false;
    this.replace.disabled = !this.made;
    if (this.made) this.show(this.made.url);
  }

  /** Creates the first link, because the session can be watched now. */
  async ready(): Promise<void> {
    const { session, made } = this;
    if (!session || made || this.making === session || !isPrivate(session.sessionId)) return;
    this.making = session;
    await this.make(session);
    if (this.making === session) this.making = undefined;
    if (this.session === session) this.replace.disabled = false;
  }

  /**
   * Clears everything of the last session.
   * @param made the link of the next session, if it has one already
   */
  clear(made?: SignedLink): void {
    this.session = undefined;
    this.made = made;
    this.link.textContent = LINK_TO_COME;
    this.link.removeAttribute('href');
    this.copy.disabled = true;
    this.invitation.hidden = true;
  }

  private async replaceLink(): Promise<void> {
    const { session, made } = this;
    if (!session) return;
    this.replace.disabled = true;
    try {
      if (made) await withdrawLink(session, made);
      await this.make(session);
    } catch {
      this.note.textContent = 'The link could not be withdrawn. Try again.';
    }
    if (this.session === session) this.replace.disabled = false;
  }

  private async make(session: StartedSession): Promise<void> {
    try {
      const isFirst = !this.made;
      const made = await makeLink(session, LINK_SECONDS);
      // Another session may be on air by now; this link is not for it.
      if (this.session !== session) return;
      this.made = made;
      this.show(made.url);
      this.note.textContent = isFirst
        ? 'Only by this link, for 12 hours.'
        : 'Only by this link, for 12 hours. Whoever came by the old one is out.';
    } catch {
      if (this.session === session) this.note.textContent = 'No link could be made. Try again.';
    }
  }

  private show(url: string): void {
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
