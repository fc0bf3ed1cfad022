import type { Duplex } from 'node:stream';

/** Bytes allowed besides the first message, for a WebSocket frame's header and a ping or two. */
const HEADROOM_BYTES = 1_024;

/**
 * Bytes of all sockets that have no place yet. If there are too many, the socket that has sent most is cut
 * off: an honest first message is small.
 */
export class UnplacedBytes {
  private readonly received = new Map<OpeningLimit, number>();
  private size = 0;

  constructor(private readonly most: number) {}

  add(limit: OpeningLimit, bytes: number): void {
    this.received.set(limit, (this.received.get(limit) ?? 0) + bytes);
    this.size += bytes;
    while (this.size > this.most) this.largest()?.cutOff();
  }

  of(limit: OpeningLimit): number {
    return this.received.get(limit) ?? 0;
  }

  remove(limit: OpeningLimit): void {
    this.size -= this.of(limit);
    this.received.delete(limit);
  }

  private largest(): OpeningLimit | undefined {
    const [first, ...others] = this.received;
    return first && others.reduce((most, other) => (other[1] > most[1] ? other : most), first)[0];
  }
}

/**
 * Bounds what a socket may send before it has a place. It counts bytes as they arrive, because an
 * unfinished message takes memory, too. Before `started` the bound is one text message; from then to the
 * first complete message of media, all such sockets share one bound.
 */
export class OpeningLimit {
  private hasStarted = false;

  /**
   * @param onTooLarge called if the first message is too large; at most once, like `onFull`
   * @param onFull called if all sockets have too many unfinished bytes and this one has most
   */
  constructor(
    private readonly socket: Duplex,
    private readonly textBytes: number,
    private readonly all: UnplacedBytes,
    private readonly events: { onTooLarge: () => void; onFull: () => void },
  ) {
    socket.on('data', this.count);
    socket.once('close', this.lift);
  }

  /** To be called when the first message is answered, and media may come. */
  started(): void {
    this.hasStarted = true;
  }

  /** Called if there are too many bytes, and this socket has most of them. */
  cutOff(): void {
    this.lift();
    this.events.onFull();
  }

  /** To be called when the socket has its place, or is closed: its bytes count elsewhere. */
  readonly lift = (): void => {
    this.socket.off('data', this.count);
    this.socket.off('close', this.lift);
    this.all.remove(this);
  };

  private readonly count = ({ length }: Buffer): void => {
    this.all.add(this, length);
    if (this.hasStarted || this.all.of(this) <= this.textBytes + HEADROOM_BYTES) return;
    this.lift();
    this.events.onTooLarge();
  };
}
