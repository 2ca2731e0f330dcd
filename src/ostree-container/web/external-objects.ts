/** The port to content that an image keeps in its lower layers instead of its repository; spec 1.5. */

export interface ExternalObjects {
  /**
   * The archived form (`.filez`) of a content object, rebuilt and checked against its checksum before the first byte;
   * undefined when there is no such object. The same object always gives the same bytes.
   */
  rebuild(checksum: string, signal: AbortSignal): Promise<RebuiltObject | undefined>;
}

export interface RebuiltObject {
  /** Bytes of the whole `.filez`. */
  readonly size: number;
  /** From `start` to before `end`; pieces stay valid. */
  chunks(start: number, end: number): AsyncIterable<Uint8Array>;
  close(): void;
}
