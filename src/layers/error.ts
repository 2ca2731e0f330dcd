import { CodedError } from '../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type LayerErrorCode = 'LAYER_LIMIT' | 'LAYER_LINK' | 'LAYER_SPECIAL_FILE';

export class LayerError extends CodedError<LayerErrorCode> {}
