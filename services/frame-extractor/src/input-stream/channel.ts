import { deferred, type Deferred } from '@facecast/shared/runtime/deferred';

/**
 * Passes items of several producers to one consumer without a buffer: a producer waits until the consumer
 * has handled its item.
 */
export class Channel<Item> {
  private readonly offers: { item: Item; settled: Deferred<boolean> }[] = [];
  private news = deferred();
  private isClosed = false;

  /** Resolves to true when the consumer has handled the item, to false if it never will. */
  async put(item: Item): Promise<boolean> {
    if (this.isClosed) return false;
    const settled = deferred<boolean>();
    this.offers.push({ item, settled });
    this.news.resolve();
    return settled.promise;
  }

  /** Items in the order in which they were put, until `close`; an item is settled when the next is asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    while (!this.isClosed) {
      const offer = this.offers.shift();
      if (!offer) {
        await this.news.promise;
        this.news = deferred();
        continue;
      }
      try {
        yield offer.item;
        offer.settled.resolve(true);
      } finally {
        // No effect unless the consumer left in the middle of its work.
        offer.settled.resolve(false);
      }
    }
  }

  /** Refuses all items that the consumer has not taken. May be called again. */
  close(): void {
    this.isClosed = true;
    for (const { settled } of this.offers.splice(0)) settled.resolve(false);
    this.news.resolve();
  }
}
