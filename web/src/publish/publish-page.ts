import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import type { SourceChoice } from '../capture/source.js';
import { claimSession, InterruptedSession, type KeptSession } from '../kept/interrupted-session.js';
import { Playback } from '../play/playback.js';
import type { StartedSession } from '../uplink/started-session.js';
import { Broadcast } from './broadcast.js';
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

/** The publish page: one broadcast after another, each with its own picture played back. */
export class PublishPage {
  private readonly view: PublishView;
  private readonly protectionView: ProtectionView;
  private readonly streams = new StreamsView();
  private readonly interrupted = new InterruptedSession();
  private readonly playback: Playback;
  private state: PublishState = { name: 'idle' };
  private protection: Protection;
  private broadcast: Broadcast | undefined;
  private source: SourceChoice | undefined;
  private stats: Stats | undefined;
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
    });
    addEventListener('beforeunload', (event) => isOnAir(this.state) && event.preventDefault());
    // What is on air can be resumed. A preview that nobody looks at any more is nothing.
    addEventListener('pagehide', () => isOnAir(this.state) || this.broadcast?.close());
    this.showProtection();
    this.findInterrupted();
  }

  private start(): void {
    if (!isOver(this.state)) return;
    this.protection = { ...this.protection, hidden: false, asked: undefined };
    this.begin(undefined, { type: 'start', source: this.view.sourceKind });
  }

  private begin(session: StartedSession | undefined, event: PublishEvent): void {
    this.letGo();
    this.playback.close();
    this.view.clear();
    this.stats = undefined;
    this.onEvent(event);
    const { source, withSound, token } = this.view;
    if (!source) return this.onEvent({ type: 'problem', problem: 'no_file' });
    this.source = source;
    const wanted = { source, withSound, token, session, wish: this.protection };
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
    this.onEvent({ type: 'go_live' });
    void this.broadcast?.goLive(this.view.record);
  }

  /** Goes on by itself where that needs nobody: with a camera. */
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
    if (!found || !(await claimSession(found.kept.session))) return this.interrupted.forget();
    const { session, wish } = found.kept;
    this.protection = { ...wish, asked: undefined };
    this.begin(session, { type: 'take_up', source: this.view.sourceKind, session });
  }

  private letGo(): void {
    this.view.showInterrupted(false);
  }

  private async changeSource(): Promise<void> {
    const { source, withSound } = this.view;
    if (!source) return this.view.showSourceChanged('no_file');
    this.view.showSourceChanging();
    const problem = await this.broadcast?.changeSource({ source, withSound });
    if (!problem) this.source = source;
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
    if (event.type === 'started' && isOnAir(this.state)) void claimSession(event.session);
    this.keep();
    if (!isOver(this.state) || isOver(before)) return;
    this.interrupted.forget();
    this.streams.ended(isOnAir(before) && 'session' in before ? before.session : undefined);
    if (this.state.name === 'idle') this.playback.close();
  }

  /** For whoever loads this page again: what is on air, and that it was at this moment. */
  private keep(): void {
    const state = this.state;
    const source = this.source;
    if (!isOnAir(state) || !('session' in state) || !state.session || !source) return;
    if (state.name === 'ending') return this.interrupted.forget();
    const { effect, hidden } = this.protection;
    this.interrupted.keep({
      session: state.session,
      source: keptSource(source),
      withSound: this.view.withSound,
      wish: { effect, hidden },
    });
    this.streams.seen(state.session);
  }

  private showStats(stats: Stats): void {
    this.stats = stats;
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
        pipelineSeconds: stats && stats.pipelineMs / 1000,
        listedSeconds: stats && stats.lateMs / 1000,
      });
    this.view.showDelay(isOver(this.state) ? undefined : delay);
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
