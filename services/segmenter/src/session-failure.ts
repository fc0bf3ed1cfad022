/** A session cannot go on. The message is a sentence for its publisher. */
export class SessionFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SessionFailure';
  }
}
