import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from '../errors.js';
import type { Recordings } from '../media/recordings.js';
import type { Owners } from './owners.js';
import { bearerOf } from './tokens.js';

/** How often an answer that sends a recording checks for an edit of it, in milliseconds. */
const LOOK_MS = 1_000;

const BEING_EDITED =
  'This recording is being edited by its publisher. Until that is done, nobody else gets it.';

/** Withholds recordings that are being edited from all but their owners. */
export class WithheldRecordings {
  constructor(
    private readonly parts: { recordings: Recordings; owners: Pick<Owners, 'of' | 'require'> },
  ) {}

  /**
   * Lets a request have a session's recording, and ends its answer when an edit begins.
   * @throws {HttpError} if the recording is being edited, and the request is not its owner's
   */
  async enter(
    request: IncomingMessage,
    response: ServerResponse,
    sessionId: string,
  ): Promise<void> {
    const { recordings, owners } = this.parts;
    const edit = await recordings.edit(sessionId);
    if (edit && edit.state !== 'done') {
      const token = bearerOf(request);
      const owner = token === undefined ? undefined : await owners.of(sessionId);
      if (token === undefined || !owner) throw new HttpError(409, BEING_EDITED);
      owners.require(request, token, owner);
    }
    this.endWithTheNextEdit(response, sessionId, edit?.id);
  }

  private endWithTheNextEdit(
    response: ServerResponse,
    sessionId: string,
    editId: string | undefined,
  ): void {
    const timer = setInterval(() => {
      this.parts.recordings.edit(sessionId).then(
        (edit) => edit?.id === editId || response.destroy(),
        () => response.destroy(),
      );
    }, LOOK_MS);
    response.once('close', () => clearInterval(timer));
  }
}
