import type { Effect, Stats } from '@facecast/shared/ingest-protocol';
import { IngestConnection, ingestUrl } from './ingest-connection.js';
import type { PublishEvent, Session } from './publish-state.js';
import { recordableMimeType, Recorder } from './recorder.js';
import type { Problem } from './problem.js';
import { openSource, SourceError, type Source, type SourceChoice } from './source.js';

/** What a person asked for when pressing Start. */
export interface BroadcastRequest {
  source: SourceChoice;
  withSound: boolean;
  effect: Effect;
  /** Empty where none was entered. */
  token: string;
}

export interface BroadcastListener {
  onEvent(event: PublishEvent): void;
  onStats(stats: Stats): void;
}

/** One broadcast: source, recorder and connection, from Start to its end. */
export class Broadcast {
  readonly #listener: BroadcastListener;
  #source: Source | undefined;
  #recorder: Recorder | undefined;
  #connection: IngestConnection | undefined;
  #effect: Effect;
  #over = false;

  constructor(request: BroadcastRequest, preview: HTMLVideoElement, listener: BroadcastListener) {
    this.#listener = listener;
    this.#effect = request.effect;
    void this.#open(request, preview);
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
    void this.#recorder?.stop();
    this.#source?.close();
  }

  async #open(
    { source, withSound, token }: BroadcastRequest,
    preview: HTMLVideoElement,
  ): Promise<void> {
    // Before anybody is asked for a camera.
    if (!recordableMimeType(false)) return this.#fail('recording_unsupported');
    try {
      this.#source = await openSource(source, withSound, preview, () =>
        this.#finish({ type: 'source_ran_out' }),
      );
    } catch (error) {
      return this.#fail(error instanceof SourceError ? error.problem : 'source_failed');
    }
    if (this.#over) return this.#source.close();
    const mimeType = recordableMimeType(this.#source.stream.getAudioTracks().length > 0);
    if (!mimeType) return this.#fail('recording_unsupported');
    this.#tell({ type: 'source_opened' });
    this.#connect(mimeType, token);
  }

  #connect(mimeType: string, token: string): void {
    const start = { type: 'start', mimeType, effect: this.#effect } as const;
    this.#connection = new IngestConnection(
      () => new WebSocket(ingestUrl(location)),
      token === '' ? start : { ...start, token },
      {
        onStarted: (session) => this.#record(session, mimeType),
        onPlaylistReady: () => this.#tell({ type: 'playlist_ready' }),
        onStats: (stats) => this.#listener.onStats(stats),
        onDropped: () => this.#tell({ type: 'connection_dropped' }),
        onResumed: () => this.#tell({ type: 'resumed' }),
        onEnded: (frames) => this.#end({ type: 'ended', frames }),
        onProblem: (problem) => this.#fail(problem),
      },
    );
  }

  #record(session: Session, mimeType: string): void {
    if (!this.#source) return;
    this.#tell({ type: 'started', session });
    try {
      this.#recorder = new Recorder(this.#source.stream, mimeType, {
        onBytes: (bytes) => this.#connection?.send(bytes),
        onFailure: () => this.#fail('recording_failed'),
      });
    } catch {
      return this.#fail('recording_failed');
    }
    this.#source.begin().catch(() => this.#fail('source_failed'));
  }

  #finish(event: PublishEvent): void {
    if (this.#over) return;
    this.#tell(event);
    if (!this.#recorder) return this.close();
    void this.#recorder.stop().then(() => {
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
