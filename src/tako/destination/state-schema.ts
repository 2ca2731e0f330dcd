/** The shape of `tako.state/1`, in a file of its own: the schema library is loaded only when there is a state. */
import * as v from 'valibot';
import { decodeTime } from '../../base/json.ts';
import { type DecodedState, STATE_SCHEMA, type State } from './state.ts';

const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const time = v.pipe(
  v.string(),
  v.check((text) => decodeTime(text) !== undefined, 'not a time in RFC 3339'),
);
const text = v.pipe(v.string(), v.maxLength(4096));
// The same rule as for configurations: nothing of this may become an option of systemctl.
const unit = v.pipe(text, v.regex(/^[^-/\s\p{Cc}][^/\s\p{Cc}]*$/u));
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const mark = v.object({ version: text, reason: v.picklist(['rollback', 'health', 'hold']), at: time });
const owed = v.object({
  restart: v.array(unit),
  reload: v.array(unit),
  image: hex,
  previous: v.nullable(hex),
  reason: v.picklist(['update', 'rollback', 'health']),
  at: time,
  runner: v.nullable(v.object({ pid: whole, startTime: whole, bootId: text, startedAt: v.optional(whole, 0) })),
});
const historyEntry = v.object({
  at: time,
  action: v.picklist(['install', 'update', 'rollback', 'health']),
  version: text,
  sha256: hex,
  previousVersion: v.nullable(text),
  result: v.picklist(['done', 'restart failed', 'health failed', 'pending']),
});
const document = v.object({
  schema: v.literal(STATE_SCHEMA),
  etag: v.optional(v.nullable(text), null),
  origin: v.optional(v.nullable(text), null),
  checkedAt: v.optional(v.nullable(time), null),
  changedAt: v.optional(v.nullable(time), null),
  succeededAt: v.optional(v.nullable(time), null),
  uncheckedLast: v.optional(v.array(text), []),
  previous: v.optional(v.nullable(hex), null),
  owed: v.optional(v.nullable(owed), null),
  hold: v.optional(v.nullable(mark), null),
  skip: v.optional(v.array(mark), []),
  withdrawn: v.optional(v.array(hex), []),
  history: v.optional(v.array(historyEntry), []),
});

export function parseStateDocument(json: unknown): DecodedState {
  const result = v.safeParse(document, json);
  if (!result.success) {
    const issue = result.issues[0];
    return { kind: 'damaged', reason: `${v.getDotPath(issue) ?? 'document'}: ${issue.message}` };
  }
  const { schema: _, ...state } = result.output;
  return { kind: 'state', state: state satisfies State };
}
