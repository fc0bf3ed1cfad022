import { isPrivate } from '@facecast/shared/protocol/session-visibility';
import { CapturedStreams, mimeTypeOf } from '../capture/captured-streams.js';
import { recordableMimeType } from '../capture/recorder.js';
import { openSource, SourceError, type Source } from '../capture/source.js';
import type { LocalProblem, Problem } from '../problem.js';
import { IngestConnection, ingestUrl } from '../uplink/ingest-connection.js';
import { deleteSession, seeOwnSession } from '../uplink/own-session.js';
import { QualityControl } from '../uplink/quality-control.js';
import { BEST_QUALITY, qualityOf } from '../uplink/quality.js';
import { startMessage } from '../uplink/start-message.js';
import type { StartedSession } from '../uplink/started-session.js';
import type {
  BroadcastListener,
  BroadcastRequest,
  SendingSigns,
  SourceRequest,
  Terms,
} from './broadcast-request.js';
import type { WantedProtection } from './protection.js';
import type { Audience, PublishEvent } from './publish-state.js';

/** Terms of a preview: only the publisher sees it, and nothing of it is kept. */
const PREVIEW: Terms = { record: false, visibility: 'private' };

/** One broadcast, from Start through a preview to its end: its source's input streams and their connection. */
export class Broadcast {
  private readonly ownPicture: HTMLVideoElement;
  private readonly listener: BroadcastListener;
  /** What the person wants now: source and protection may have changed since Start. */
  private request: BroadcastRequest;
  /** Owns the source once it is opened. */
  private streams: CapturedStreams | undefined;
  private connection: IngestConnection | undefined;
  private audience: Audience;
  private session: StartedSession | undefined;
  /** What only this page has seen, until the server has deleted it. */
  private preview: StartedSession | undefined;
  private quality = new QualityControl();
  private bytesAtMs: number | undefined;
  private phase: 'running' | 'finishing' | 'over' = 'running';

  constructor(
    request: BroadcastRequest,
    ownPicture: HTMLVideoElement,
    listener: BroadcastListener,
  ) {
    this.ownPicture = ownPicture;
    this.listener = listener;
    this.request = request;
    this.session = request.session;
    this.audience = request.session ? 'everyone' : 'publisher';
    void this.begin();
  }

  /** Ends the preview, and begins a session for everyone with the same source: a file from its start. */
  async goLive(terms: Terms): Promise<void> {
    await this.streams?.stop();
    this.connection?.close();
    // The preview's pictures may have been reduced.
    if (this.streams?.quality !== BEST_QUALITY) await this.streams?.changeQuality(BEST_QUALITY);
    if (this.isOver) return;
    this.audience = 'everyone';
    this.quality = new QualityControl();
    if (this.request.source.kind === 'file') {
      this.streams?.close();
      this.streams = await this.open();
    }
    if (this.streams) this.connect(this.streams, terms);
  }

  /**
   * Goes on with another source in the same session, as another input stream. If it cannot be opened,
   * goes on with the present one and answers why.
   */
  async changeSource(request: SourceRequest): Promise<LocalProblem | undefined> {
    let next: Source;
    try {
      next = await this.openSource(request);
    } catch (error) {
      const problem = problemOf(error);
      const present = this.streams?.source;
      // A file that was shown is gone once another was tried in its place.
      if (present?.canGoOn()) await present.begin();
      else this.fail(problem);
      return problem;
    }
    if (!this.streams) {
      next.close();
      return undefined;
    }
    this.request = { ...this.request, ...request };
    await this.streams.changeSource(next);
    if (this.phase === 'running') this.show(this.streams);
    this.tellReduction();
    return undefined;
  }

  /** Changes how viewers are protected from now on. */
  protect(wish: WantedProtection): void {
    const before = this.request.wish;
    this.request = { ...this.request, wish };
    if (wish.hidden !== before.hidden) this.connection?.hide(wish.hidden);
    if (wish.effect !== before.effect) this.connection?.changeEffect(wish.effect);
  }

  /** Where this page loses time now. */
  get signs(): SendingSigns {
    const at = this.bytesAtMs;
    return {
      silentSeconds: at === undefined ? undefined : (performance.now() - at) / 1000,
      waitedSeconds: this.connection?.uplink?.waitedSeconds,
    };
  }

  /** Ends the broadcast: everything recorded so far is still sent and processed. */
  stop(): void {
    this.finish({ type: 'stop' });
  }

  /** Lets go of everything at once; of a preview nothing stays on the server. */
  close(): void {
    this.phase = 'over';
    this.connection?.close();
    this.streams?.close();
    if (this.preview) void deleteSession(this.preview);
  }

  private get isOver(): boolean {
    return this.phase === 'over';
  }

  private async begin(): Promise<void> {
    // Before anybody is asked for a camera.
    if (!recordableMimeType(false)) return this.fail('recording_unsupported');
    this.streams = await this.open();
    if (!this.streams) return;
    this.listener.onEvent({ type: 'source_opened' });
    this.connect(this.streams, PREVIEW);
  }

  /** Opens the chosen source; undefined if that fails, which is reported, or if the broadcast is over. */
  private async open(): Promise<CapturedStreams | undefined> {
    let source: Source;
    try {
      source = await this.openSource(this.request);
    } catch (error) {
      this.fail(problemOf(error));
      return undefined;
    }
    if (this.isOver) {
      source.close();
      return undefined;
    }
    return new CapturedStreams(source, {
      onBytes: (bytes, mimeType) => this.send(bytes, mimeType),
      onFailure: () => this.fail('recording_failed'),
      onRanOut: () => this.ranOut(),
    });
  }

  private async openSource({ source: choice, withSound }: SourceRequest): Promise<Source> {
    // What is sent as it is tells by itself when all of it was sent.
    const ranOut = () => !this.streams?.sendsFile && this.ranOut();
    // A preview does not end before it was looked at.
    const repeats = choice.kind === 'file' && (choice.loop || this.audience === 'publisher');
    const wanted = repeats ? { ...choice, loop: true } : choice;
    const source = await openSource(wanted, withSound, this.ownPicture, ranOut);
    if (mimeTypeOf(source)) return source;
    source.close();
    throw new SourceError('recording_unsupported');
  }

  private connect(streams: CapturedStreams, terms: Terms): void {
    const { token, session: resumed, wish } = this.request;
    const { effect, hidden } = wish;
    const { mimeType } = streams;
    if (mimeType === undefined) return this.fail('recording_unsupported');
    const isPreview = this.audience === 'publisher';
    const wanted = { mimeType, effect, token, ...terms, replaces: this.preview };
    this.connection = new IngestConnection(
      () => new WebSocket(ingestUrl(location)),
      resumed ?? startMessage(wanted),
      {
        onStarted: (session) => {
          this.session = session;
          if (isPreview) this.preview = session;
          this.listener.onEvent({ type: 'started', session });
          this.stream(streams, mimeType);
        },
        onPlaylistReady: () => void this.onPlaylistReady(),
        onStats: (stats) => {
          // A server that reads nothing is late, whatever its figures of earlier pictures say.
          this.quality.serverSeconds = stats.heldBack ? Infinity : stats.pipelineMs / 1000;
          this.listener.onStats(stats);
        },
        onDropped: (fault) => this.listener.onEvent({ type: 'connection_dropped', fault }),
        onResumed: () => {
          this.listener.onEvent({ type: 'resumed' });
          // Another page recorded what came before.
          if (this.phase === 'running' && !streams.isStreaming) this.stream(streams, undefined);
        },
        onEnded: (frames) => this.end({ type: 'ended', frames }),
        onProblem: (problem) => this.fail(problem),
      },
    );
    // What the page before this one said last may not have come to the server.
    if (resumed) this.connection.changeEffect(effect);
    if (resumed ?? hidden) this.connection.hide(hidden);
  }

  private async onPlaylistReady(): Promise<void> {
    const { session } = this;
    // What viewers can see has media by now, and so has replaced the preview.
    if (this.audience === 'everyone') this.preview = undefined;
    if (session && isPrivate(session.sessionId)) {
      const sees = await seeOwnSession(session);
      // Viewers have their own links.
      if (!sees && this.audience === 'publisher') return this.fail('preview_failed');
    }
    if (!this.isOver) this.listener.onEvent({ type: 'playlist_ready' });
  }

  /** Begins to stream; `announced` is the MIME type that the server expects. */
  private stream(streams: CapturedStreams, announced: string | undefined): void {
    streams.begin(announced);
    if (!this.isOver) this.show(streams);
  }

  private show({ source }: CapturedStreams): void {
    source.begin().catch(() => this.fail('source_failed'));
  }

  private send(bytes: ArrayBuffer, mimeType: string | undefined): void {
    this.bytesAtMs = performance.now();
    if (mimeType !== undefined && this.quality.begins()) this.connection?.dropUnsent();
    this.connection?.send({ bytes, mimeType });
    const level = this.quality.look(this.connection?.uplink);
    if (level !== undefined) void this.changeQuality(level);
  }

  private async changeQuality(level: number): Promise<void> {
    await this.streams?.changeQuality(qualityOf(level));
    this.tellReduction();
  }

  private tellReduction(): void {
    if (this.phase !== 'running' || !this.streams) return;
    const { quality, shape } = this.streams;
    const { limitation } = this.quality;
    this.listener.onReduced(quality === BEST_QUALITY ? undefined : { shape, limitation });
  }

  private ranOut(): void {
    this.finish({ type: 'source_ran_out' });
  }

  private finish(event: PublishEvent): void {
    if (this.phase !== 'running') return;
    this.phase = 'finishing';
    this.listener.onEvent(event);
    const streams = this.streams;
    if (!streams?.isStreaming || this.audience === 'publisher') return this.close();
    void streams.stop().then(() => {
      streams.close();
      this.connection?.stop();
    });
  }

  private fail(problem: Problem): void {
    this.end({ type: 'problem', problem });
  }

  private end(event: PublishEvent): void {
    if (this.isOver) return;
    this.close();
    this.listener.onEvent(event);
  }
}

function problemOf(error: unknown): LocalProblem {
  return error instanceof SourceError ? error.problem : 'source_failed';
}
