import { recordableMimeType } from '../capture/recorder.js';
import { mimeTypeOf, Recordings } from '../capture/recordings.js';
import { openSource, SourceError, type Source } from '../capture/source.js';
import type { LocalProblem, Problem } from '../problem.js';
import type { Adaptation, Hindrance } from '../uplink/adaptation.js';
import { firstMessage } from '../uplink/first-message.js';
import { IngestConnection, ingestUrl } from '../uplink/ingest-connection.js';
import { deleteSession, seeOwnSession } from '../uplink/own-session.js';
import { QualityControl } from '../uplink/quality-control.js';
import { BEST_QUALITY, qualityOf } from '../uplink/quality.js';
import type { Session } from '../uplink/session.js';
import type {
  BroadcastListener,
  BroadcastRequest,
  SendingSigns,
  SourceRequest,
} from './broadcast-request.js';
import type { Wish } from './protection.js';
import type { Audience, PublishEvent } from './publish-state.js';

/** An open source, and as what it is sent at first. */
interface Opened {
  source: Source;
  mimeType: string;
}

/** One broadcast: sources, their recordings, and the connection: from Start, over a preview, to its end. */
export class Broadcast {
  readonly #ownPicture: HTMLVideoElement;
  readonly #listener: BroadcastListener;
  #request: BroadcastRequest;
  /** The source, until it is recorded. */
  #opened: Source | undefined;
  #recordings: Recordings | undefined;
  #connection: IngestConnection | undefined;
  #audience: Audience;
  #session: Session | undefined;
  /** What only this page has seen, until the server has deleted it. */
  #preview: Session | undefined;
  #wish: Wish;
  #quality = new QualityControl();
  #hindrance: Hindrance = 'connection';
  #bytesAtMs: number | undefined;
  /** What waits to be sent gives way to the next recording. */
  #dropsWaiting = false;
  #finishing = false;
  #over = false;

  constructor(
    request: BroadcastRequest,
    ownPicture: HTMLVideoElement,
    listener: BroadcastListener,
  ) {
    this.#ownPicture = ownPicture;
    this.#listener = listener;
    this.#request = request;
    this.#wish = request.wish;
    this.#session = request.session;
    this.#audience = request.session ? 'everyone' : 'publisher';
    void this.#open();
  }

  /** Ends the preview, and begins a session for everyone with the same source: a file from its start. */
  async goLive(record: boolean): Promise<void> {
    const { source, mimeType } = this.#previewed();
    await this.#recordings?.stop();
    this.#connection?.close();
    if (this.#over) return;
    this.#recordings = undefined;
    this.#opened = source;
    this.#audience = 'everyone';
    this.#quality = new QualityControl();
    let opened: Opened | undefined = { source, mimeType };
    if (this.#request.source.kind === 'file') {
      source.close();
      opened = await this.#tryToOpen();
    }
    if (opened) this.#connect(opened, record);
  }

  /**
   * Goes on with another source in the same session, as another recording. Where it cannot be opened,
   * goes on with the present one and answers why.
   */
  async changeSource(request: SourceRequest): Promise<LocalProblem | undefined> {
    let next: Source;
    try {
      next = (await this.#openSource(request)).source;
    } catch (error) {
      const problem = problemOf(error);
      // A file that was shown is gone once another was tried in its place.
      if (this.#source?.canGoOn()) await this.#source.begin();
      else this.#fail(problem);
      return problem;
    }
    this.#request = { ...this.#request, ...request };
    await this.#recordings?.changeSource(next);
    if (!this.#over && this.#source === next) this.#show(next);
    this.#tellReduction();
    return undefined;
  }

  /** From now on viewers are to be protected like this. */
  protect(wish: Wish): void {
    const before = this.#wish;
    this.#wish = wish;
    if (wish.hidden !== before.hidden) this.#connection?.hide(wish.hidden);
    if (wish.effect !== before.effect) this.#connection?.changeEffect(wish.effect);
  }

  /** Where time is lost on this side, at the moment. */
  get signs(): SendingSigns {
    const at = this.#bytesAtMs;
    return {
      silentSeconds: at === undefined ? undefined : (performance.now() - at) / 1000,
      waitedSeconds: this.#connection?.uplink?.waitedSeconds,
    };
  }

  /** Ends it in good order: everything recorded so far is still sent and processed. */
  stop(): void {
    this.#finish({ type: 'stop' });
  }

  /** Lets go of everything at once; of a preview nothing stays on the server. */
  close(): void {
    this.#over = true;
    this.#connection?.close();
    void this.#recordings?.stop();
    this.#source?.close();
    if (this.#preview) void deleteSession(this.#preview);
  }

  get #source(): Source | undefined {
    return this.#recordings?.source ?? this.#opened;
  }

  async #open(): Promise<void> {
    // Before anybody is asked for a camera.
    if (!recordableMimeType(false)) return this.#fail('recording_unsupported');
    const first = await this.#tryToOpen();
    if (!first) return;
    this.#tell({ type: 'source_opened' });
    this.#connect(first, false);
  }

  async #tryToOpen(): Promise<Opened | undefined> {
    let opened: Opened;
    try {
      opened = await this.#openSource(this.#request);
    } catch (error) {
      this.#fail(problemOf(error));
      return undefined;
    }
    if (this.#over) {
      opened.source.close();
      return undefined;
    }
    this.#opened = opened.source;
    return opened;
  }

  async #openSource({ source: choice, withSound }: SourceRequest): Promise<Opened> {
    // What is sent as it is tells by itself when all of it was sent.
    const ranOut = () => !this.#recordings?.sendsFile && this.#ranOut();
    // A preview does not end before it was looked at.
    const repeats = choice.kind === 'file' && (choice.loop || this.#audience === 'publisher');
    const wanted = repeats ? { ...choice, loop: true } : choice;
    const source = await openSource(wanted, withSound, this.#ownPicture, ranOut);
    const mimeType = mimeTypeOf(source);
    if (mimeType) return { source, mimeType };
    source.close();
    throw new SourceError('recording_unsupported');
  }

  #previewed(): Opened {
    const source = this.#source;
    const mimeType = source && mimeTypeOf(source);
    if (!source || !mimeType) throw new Error('there is no preview');
    return { source, mimeType };
  }

  #ranOut(): void {
    this.#finish({ type: 'source_ran_out' });
  }

  #connect({ source, mimeType }: Opened, record: boolean): void {
    const { token, session: goesOn } = this.#request;
    const isPreview = this.#audience === 'publisher';
    const { effect } = this.#wish;
    this.#connection = new IngestConnection(
      () => new WebSocket(ingestUrl(location)),
      firstMessage({ goesOn, mimeType, effect, token, record, isPreview, replaces: this.#preview }),
      {
        onStarted: (session) => {
          this.#session = session;
          if (isPreview) this.#preview = session;
          this.#tell({ type: 'started', session });
          this.#record(source, false);
        },
        onPlaylistReady: () => void this.#onPlaylistReady(),
        onStats: (stats) => {
          this.#quality.serverSeconds = stats.pipelineMs / 1000;
          this.#listener.onStats(stats);
        },
        onDropped: (fault) => this.#tell({ type: 'connection_dropped', fault }),
        onResumed: () => {
          this.#tell({ type: 'resumed' });
          // Another page recorded what came before.
          if (!this.#recordings) this.#record(source, true);
        },
        onEnded: (frames) => this.#end({ type: 'ended', frames }),
        onProblem: (problem) => this.#fail(problem),
      },
    );
    // What the page before this one said last may not have come to the server.
    if (goesOn) this.#connection.changeEffect(effect);
    if (goesOn ?? this.#wish.hidden) this.#connection.hide(this.#wish.hidden);
  }

  async #onPlaylistReady(): Promise<void> {
    try {
      // What everyone can see has media by now, and so has replaced the preview.
      if (this.#audience === 'everyone') this.#preview = undefined;
      else if (this.#session) await seeOwnSession(this.#session);
    } catch {
      return this.#fail('preview_failed');
    }
    if (!this.#over) this.#tell({ type: 'playlist_ready' });
  }

  #record(source: Source, continues: boolean): void {
    this.#recordings = new Recordings(
      source,
      { continues },
      {
        onBytes: (bytes, mimeType) => {
          this.#bytesAtMs = performance.now();
          if (mimeType !== undefined && this.#dropsWaiting) this.#connection?.dropUnsent();
          if (mimeType !== undefined) this.#dropsWaiting = false;
          this.#connection?.send({ bytes, mimeType });
          const change = this.#quality.look(this.#connection?.uplink);
          if (change) void this.#changeQuality(change);
        },
        onFailure: () => this.#fail('recording_failed'),
        onRanOut: () => this.#ranOut(),
      },
    );
    if (!this.#over) this.#show(source);
  }

  #show(source: Source): void {
    source.begin().catch(() => this.#fail('source_failed'));
  }

  async #changeQuality({ level, hindrance, dropsWaiting }: Adaptation): Promise<void> {
    this.#dropsWaiting ||= dropsWaiting;
    this.#hindrance = hindrance;
    await this.#recordings?.changeQuality(qualityOf(level));
    this.#tellReduction();
  }

  #tellReduction(): void {
    if (this.#over || this.#finishing || !this.#recordings) return;
    const { quality, shape } = this.#recordings;
    this.#listener.onReduced(
      quality === BEST_QUALITY ? undefined : { shape, hindrance: this.#hindrance },
    );
  }

  #finish(event: PublishEvent): void {
    if (this.#over || this.#finishing) return;
    this.#finishing = true;
    this.#tell(event);
    if (!this.#recordings || this.#audience === 'publisher') return this.close();
    void this.#recordings.stop().then(() => {
      this.#source?.close();
      this.#connection?.stop();
    });
  }

  #fail(problem: Problem): void {
    this.#end({ type: 'problem', problem });
  }

  #end(event: PublishEvent): void {
    if (this.#over) return;
    this.close();
    this.#tell(event);
  }

  #tell(event: PublishEvent): void {
    this.#listener.onEvent(event);
  }
}

function problemOf(error: unknown): LocalProblem {
  return error instanceof SourceError ? error.problem : 'source_failed';
}
