import type { Duplex } from 'node:stream';

/** Room for a WebSocket frame's header and a ping or two beside the first message. */
const HEADROOM_BYTES = 1_024;

/**
 * Bytes of all sockets together that have no place yet. Where there are too many, whoever has sent most
 * gives way: a first message is small, unless it is never to be finished.
 */
export class UnplacedBytes {
  private readonly received = new Map<OpeningLimit, number>();
  private size = 0;

  constructor(private readonly most: number) {}

  add(limit: OpeningLimit, bytes: number): void {
    this.received.set(limit, (this.received.get(limit) ?? 0) + bytes);
    this.size += bytes;
    while (this.size > this.most) this.largest()?.giveWay();
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
 * Bounds what a socket may send before it has a place, by the bytes as they arrive: a message that is
 * never finished takes memory, too. Before `started` that is one text message; between `started` and the
 * first whole message of media, all such sockets share a room.
 */
export class OpeningLimit {
  private hasStarted = false;

  /**
   * @param onTooLarge the first message is larger than it may be; called at most once, like `onFull`
   * @param onFull there is no room for so many unfinished messages
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

  /** The first message is answered: media may come. */
  started(): void {
    this.hasStarted = true;
  }

  /** There are too many bytes, and this socket has most of them. */
  giveWay(): void {
    this.lift();
    this.events.onFull();
  }

  /** The socket has its place, or has gone: what it sends is counted elsewhere. */
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
