/** The part of sql.js that is used here; it brings no types. */
declare module 'sql.js/dist/sql-wasm-inline.js' {
  export interface Statement {
    step(): boolean;
    get(): readonly unknown[];
    free(): boolean;
  }
  export interface Database {
    prepare(sql: string): Statement;
    close(): void;
    /** The file. Tests make databases. */
    export(): Uint8Array;
  }
  export interface SqlJs {
    readonly Database: new (file?: Uint8Array) => Database;
  }
  export default function initSqlJs(options?: { readonly useOldExtensionFunctions?: boolean }): Promise<SqlJs>;
}
