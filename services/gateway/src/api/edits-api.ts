import { Router } from 'express';
import { wantedEditSchema } from '@facecast/shared/protocol/recording-folder';
import { effectSchema, hidesFaces } from '@facecast/shared/protocol/ingest-protocol';
import type { Audit } from '../access/audit.js';
import type { Owners } from '../access/owners.js';
import { HttpError } from '../errors.js';
import type { EditOrders } from '../media/edit-orders.js';

/** What the routes of edits work with. */
export interface EditDeps {
  owners: Owners;
  edits: EditOrders;
  audit: Audit;
}

const HIDING = effectSchema.options.filter(hidesFaces).join(', ');
const NEEDED =
  "Editing a recording needs its session's resume token, the publish token or the admin token.";
const WANTED = `An edit is {"cutBefore": SECONDS} or {"effect": one of ${HIDING}}.`;

/** `/api/sessions/<id>/recording/edits`: cuts a recording's beginning off, or hides the faces in it. */
export function editRoutes(deps: EditDeps): Router {
  const { owners, edits, audit } = deps;
  const router = Router();
  const path = '/api/sessions/:sessionId/recording/edits';

  router.get(path, async (request, response) => {
    const { sessionId } = request.params;
    await owners.requireOfRecording(request, sessionId, NEEDED);
    response.json(await edits.status(sessionId));
  });

  router.post(path, async (request, response) => {
    const { sessionId } = request.params;
    const subject = await owners.requireOfRecording(request, sessionId, NEEDED);
    const wanted = wantedEditSchema.safeParse(request.body);
    if (!wanted.success) throw new HttpError(400, WANTED);
    await edits.order(sessionId, wanted.data);
    audit.note('edit recording', subject, sessionId, wanted.data);
    response.status(202).json(await edits.status(sessionId));
  });

  return router;
}
