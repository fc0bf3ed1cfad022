import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import type { SourceChoice } from '../capture/source.js';
import { lockSession, InterruptedSession, type KeptSession } from '../kept/interrupted-session.js';
import { Playback } from '../play/playback.js';
import { Broadcast } from './broadcast.js';
import type { SourceRequest } from './broadcast-request.js';
import { ListingWatch } from '../play/listing-watch.js';
import { delayOf } from './delay.js';
import { arrivalOf, nextProtection, type Protection, type ProtectionEvent } from './protection.js';
import { ProtectionView } from './protection-view.js';
import {
  isOnAir,
  isOver,
  nextPublishState,
  type PublishEvent,
  type PublishState,
} from './publish-state.js';
import { PublishView } from './publish-view.js';
import { StreamsView } from './streams-view.js';

/** The publish page: runs one broadcast after another, and plays each back. */
export class PublishPage {
  private readonly view: PublishView;
  private readonly protectionView: ProtectionView;
  private readonly streams = new StreamsView();
  private readonly interrupted = new InterruptedSession();
  private readonly playback: Playback;
  private state: PublishState = { name: 'idle' };
  private protection: Protection;
  private broadcast: Broadcast | undefined;
  /** The source that is shared; the choice may have changed since. */
  private shared: SourceRequest | undefined;
  private stats: Stats | undefined;
  private readonly listing = new ListingWatch();
  /** The playlist's date of the picture on the screen. */
  private dateShown: number | undefined;

  constructor() {
    this.view = new PublishView({
      onStart: () => this.start(),
      onGoLive: () => this.goLive(),
      onStop: () => this.broadcast?.stop(),
      onChangeSource: () => void this.changeSource(),
      onTakeUp: () => void this.takeUp(),
      onLetGo: () => this.letGo(),
    });
    this.protectionView = new ProtectionView((event) => this.protect(event));
    this.protection = {
      ...{ effect: this.protectionView.chosenEffect, hidden: false, asked: undefined },
    };
    this.playback = new Playback(this.view.processed, {
      onDate: (date) => this.showDate(date),
      onProblem: (problem) => this.view.showPlaybackProblem(problem),
      onDelivery: (delivery) => this.view.showDelivery(delivery),
    });
    addEventListener('beforeunload', (event) => isOnAir(this.state) && event.preventDefault());
    // A stream on air can be resumed; a preview ends with its page.
    addEventListener('pagehide', () => isOnAir(this.state) || this.broadcast?.close());
    this.showProtection();
    this.findInterrupted();
  }

  private start(): void {
    if (!isOver(this.state)) return;
    this.protection = { ...this.protection, hidden: false, asked: undefined };
    this.begin(undefined, { type: 'start', source: this.view.sourceKind });
  }

  private begin(kept: KeptSession | undefined, event: PublishEvent): void {
    this.letGo();
    this.playback.close();
    this.view.clear(kept?.link);
    this.stats = undefined;
    this.listing.clear();
    this.onEvent(event);
    const { source, withSound, token } = this.view;
    if (!source) return this.onEvent({ type: 'problem', problem: 'no_file' });
    this.shared = { source, withSound };
    const wanted = { ...this.shared, token, session: kept?.session, wish: this.protection };
    this.broadcast = new Broadcast(wanted, this.view.preview, {
      onEvent: (event) => this.onEvent(event),
      onStats: (stats) => this.showStats(stats),
      onReduced: (reduction) => this.view.showReduction(reduction),
    });
  }

  private goLive(): void {
    if (this.state.name !== 'preview') return;
    this.playback.close();
    this.view.clear();
    this.stats = undefined;
    this.listing.clear();
    this.onEvent({ type: 'go_live' });
    void this.broadcast?.goLive(this.view.terms);
  }

  /** Takes an interrupted stream up by itself if that needs no choice: with a camera. */
  private findInterrupted(): void {
    const kept = this.interrupted.find()?.kept;
    if (!kept) return this.interrupted.forget();
    this.view.restore(kept);
    if (kept.source.kind === 'camera') void this.takeUp();
    else this.view.showInterrupted(true);
  }

  private async takeUp(): Promise<void> {
    const found = this.interrupted.find();
    this.view.showInterrupted(false);
    if (!found || !(await lockSession(found.kept.session))) return this.interrupted.forget();
    const { session, wish } = found.kept;
    this.protection = { ...wish, asked: undefined };
    this.protectionView.offer(session.effects);
    this.begin(found.kept, { type: 'take_up', source: this.view.sourceKind, session });
  }

  private letGo(): void {
    this.view.showInterrupted(false);
  }

  private async changeSource(): Promise<void> {
    const { source, withSound } = this.view;
    if (!source) return this.view.showSourceChanged('no_file');
    this.view.showSourceChanging();
    const problem = await this.broadcast?.changeSource({ source, withSound });
    if (!problem) this.shared = { source, withSound };
    this.view.showSourceChanged(problem);
  }

  private protect(event: ProtectionEvent): void {
    this.protection = nextProtection(this.protection, event, isOnAir(this.state));
    this.broadcast?.protect(this.protection);
    this.showProtection();
    this.keep();
  }

  private onEvent(event: PublishEvent): void {
    const before = this.state;
    this.state = nextPublishState(before, event);
    this.view.showState(this.state);
    this.showProtection();
    if (event.type === 'source_opened') void this.view.refreshCameras();
    if (event.type === 'playlist_ready' && 'session' in this.state && this.state.session)
      this.playback.open(this.state.session.playlistUrl);
    if (event.type === 'started') this.protectionView.offer(event.session.effects);
    if (event.type === 'started' && isOnAir(this.state)) void lockSession(event.session);
    this.keep();
    if (!isOver(this.state) || isOver(before)) return;
    this.interrupted.forget();
    this.streams.ended(isOnAir(before) && 'session' in before ? before.session : undefined);
    if (this.state.name === 'idle') this.playback.close();
  }

  /** Stores what is on air, and when, for the next load of this page. */
  private keep(): void {
    const state = this.state;
    const shared = this.shared;
    if (!isOnAir(state) || !('session' in state) || !state.session || !shared) return;
    if (state.name === 'ending') return this.interrupted.forget();
    const { effect, hidden } = this.protection;
    this.interrupted.keep({
      session: state.session,
      source: keptSource(shared.source),
      withSound: shared.withSound,
      wish: { effect, hidden },
      link: this.view.madeLink,
    });
    this.streams.seen(state.session);
  }

  private showStats(stats: Stats): void {
    this.stats = stats;
    this.listing.saw(stats.framesOut);
    this.view.showStats(stats);
    this.showProtection();
    this.keep();
  }

  private showDate(date: number | undefined): void {
    this.dateShown = isOver(this.state) ? undefined : date;
    const shownSeconds = this.view.showLatency(this.dateShown);
    const stats = this.stats;
    const signs = this.broadcast?.signs;
    const delay =
      signs &&
      delayOf({
        ...signs,
        shownSeconds,
        isHeldBack: stats?.heldBack ?? false,
        stillSeconds: this.listing.stillSeconds,
        pipelineSeconds: stats && stats.pipelineMs / 1000,
        listedSeconds: stats && stats.lateMs / 1000,
      });
    this.view.showDelay(isOver(this.state) ? undefined : delay);
    if (this.listing.isStill) this.view.forgetMoment();
    this.showProtection();
  }

  private showProtection(): void {
    const onAir = isOnAir(this.state);
    this.protectionView.show(this.protection, onAir);
    const arrival = arrivalOf(
      this.protection,
      onAir ? this.stats?.shown : undefined,
      this.dateShown,
    );
    this.protectionView.showArrival(arrival, this.protection);
  }
}

function keptSource(source: SourceChoice): KeptSession['source'] {
  return source.kind === 'camera'
    ? { kind: 'camera', deviceId: source.deviceId }
    : { kind: source.kind };
}
