import type { Effect, Stats } from '@facecast/shared/protocol/ingest-protocol';
import type { Adaptation, Hindrance } from '../uplink/adaptation.js';
import { IngestConnection, ingestUrl } from '../uplink/ingest-connection.js';
import type { Session } from '../uplink/session.js';
import type { PublishEvent } from './publish-state.js';
import type { LocalProblem, Problem } from '../problem.js';
import { QualityControl } from '../uplink/quality-control.js';
import { BEST_QUALITY, qualityOf } from '../uplink/quality.js';
import { recordableMimeType } from '../capture/recorder.js';
import { mimeTypeOf, Recordings } from '../capture/recordings.js';
import type { Reduction } from './reduction.js';
import { openSource, SourceError, type Source, type SourceChoice } from '../capture/source.js';

/** What is to be shared. */
export interface SourceRequest {
  source: SourceChoice;
  withSound: boolean;
}

/** What a person asked for when pressing Start. */
export interface BroadcastRequest extends SourceRequest {
  effect: Effect;
  /** Whether the server is to keep a recording. */
  record: boolean;
  /** Empty where none was entered. */
  token: string;
}

export interface BroadcastListener {
  onEvent(event: PublishEvent): void;
  onStats(stats: Stats): void;
  /** Less than the best picture is sent from now on; undefined: the best again. */
  onReduced(reduction: Reduction | undefined): void;
}

/** An open source, and as what it is sent at first. */
interface Opened {
  source: Source;
  mimeType: string;
}

/** One broadcast: sources, their recordings, and the connection, from Start to its end. */
export class Broadcast {
  readonly #preview: HTMLVideoElement;
  readonly #listener: BroadcastListener;
  /** The first source, until it is recorded. */
  #opened: Source | undefined;
  #recordings: Recordings | undefined;
  #connection: IngestConnection | undefined;
  #effect: Effect;
  readonly #quality = new QualityControl();
  #hindrance: Hindrance = 'connection';
  /** What waits to be sent gives way to the next recording. */
  #dropsWaiting = false;
  #finishing = false;
  #over = false;

  constructor(request: BroadcastRequest, preview: HTMLVideoElement, listener: BroadcastListener) {
    this.#preview = preview;
    this.#listener = listener;
    this.#effect = request.effect;
    void this.#open(request);
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
    await this.#recordings?.changeSource(next);
    if (!this.#over && this.#source === next) this.#show(next);
    this.#tellReduction();
    return undefined;
  }

  changeEffect(effect: Effect): void {
    this.#effect = effect;
    this.#connection?.changeEffect(effect);
  }

  /** Ends it in good order: everything recorded so far is still sent and processed. */
  stop(): void {
    this.#finish({ type: 'stop' });
  }

  /** Lets go of everything at once. */
  close(): void {
    this.#over = true;
    this.#connection?.close();
    void this.#recordings?.stop();
    this.#source?.close();
  }

  get #source(): Source | undefined {
    return this.#recordings?.source ?? this.#opened;
  }

  async #open(request: BroadcastRequest): Promise<void> {
    // Before anybody is asked for a camera.
    if (!recordableMimeType(false)) return this.#fail('recording_unsupported');
    let first: Opened;
    try {
      first = await this.#openSource(request);
    } catch (error) {
      return this.#fail(problemOf(error));
    }
    if (this.#over) return first.source.close();
    this.#opened = first.source;
    this.#tell({ type: 'source_opened' });
    this.#connect(first, request);
  }

  async #openSource({ source: choice, withSound }: SourceRequest): Promise<Opened> {
    // What is sent as it is tells by itself when all of it was sent.
    const ranOut = () => !this.#recordings?.sendsFile && this.#ranOut();
    const source = await openSource(choice, withSound, this.#preview, ranOut);
    const mimeType = mimeTypeOf(source);
    if (mimeType) return { source, mimeType };
    source.close();
    throw new SourceError('recording_unsupported');
  }

  #ranOut(): void {
    this.#finish({ type: 'source_ran_out' });
  }

  #connect({ source, mimeType }: Opened, { record, token }: BroadcastRequest): void {
    const start = { type: 'start', mimeType, effect: this.#effect, record } as const;
    this.#connection = new IngestConnection(
      () => new WebSocket(ingestUrl(location)),
      token === '' ? start : { ...start, token },
      {
        onStarted: (session) => this.#begin(session, source),
        onPlaylistReady: () => this.#tell({ type: 'playlist_ready' }),
        onStats: (stats) => {
          this.#quality.serverSeconds = stats.pipelineMs / 1000;
          this.#listener.onStats(stats);
        },
        onDropped: () => this.#tell({ type: 'connection_dropped' }),
        onResumed: () => this.#tell({ type: 'resumed' }),
        onEnded: (frames) => this.#end({ type: 'ended', frames }),
        onProblem: (problem) => this.#fail(problem),
      },
    );
  }

  #begin(session: Session, first: Source): void {
    this.#tell({ type: 'started', session });
    this.#recordings = new Recordings(first, {
      onBytes: (bytes, mimeType) => {
        if (mimeType !== undefined && this.#dropsWaiting) this.#connection?.dropUnsent();
        if (mimeType !== undefined) this.#dropsWaiting = false;
        this.#connection?.send({ bytes, mimeType });
        const change = this.#quality.look(this.#connection?.uplink);
        if (change) void this.#changeQuality(change);
      },
      onFailure: () => this.#fail('recording_failed'),
      onRanOut: () => this.#ranOut(),
    });
    if (!this.#over) this.#show(first);
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
    if (!this.#recordings) return this.close();
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
