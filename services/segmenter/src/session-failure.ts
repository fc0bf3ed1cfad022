/** Why a session cannot go on; the message is a sentence that its publisher may read. */
export class SessionFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SessionFailure';
  }
}
