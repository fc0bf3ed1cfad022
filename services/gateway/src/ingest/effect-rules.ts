import { effectSchema, hidesFaces, type Effect } from '@facecast/shared/protocol/ingest-protocol';
import { ProtocolError } from './protocol-error.js';

/** What limits the effects that a publisher may use. */
export interface EffectRules {
  /** Whether this server allows only effects that hide faces (`REQUIRE_HIDDEN`). */
  requireHidden: boolean;
  /** The effects that the publisher's token allows; undefined: all. */
  allowed: readonly Effect[] | undefined;
}

/** All effects that may be used, the weakest first. */
export function usableEffects(rules: EffectRules): Effect[] {
  return effectSchema.options.filter((effect) => effectProblem(effect, rules) === undefined);
}

/** Why an effect may not be used; undefined if it may. */
export function effectProblem(
  effect: Effect,
  { requireHidden, allowed }: EffectRules,
): ProtocolError | undefined {
  if (requireHidden && !hidesFaces(effect)) {
    const hiding = effectSchema.options.filter(hidesFaces).join(', ');
    const message = `This server shows no faces: "${effect}" is not to be had, but ${hiding}.`;
    return new ProtocolError('bad_message', message);
  }
  if (allowed && !allowed.includes(effect)) {
    const message = `This token may not publish with "${effect}", but with ${allowed.join(', ')}.`;
    return new ProtocolError('unauthorized', message);
  }
  return undefined;
}
